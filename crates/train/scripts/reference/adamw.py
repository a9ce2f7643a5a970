"""Figures of tests/optimizer.rs: torch.optim.AdamW on one parameter with exact gradients.

Run: python scripts/reference/adamw.py   (torch >= 2, CPU; the committed figures are from torch 2.15.0)

Gradients and initial values are multiples of 1/8, so both sides start from the same bits. The learning rate
changes at each step, as under a schedule.
"""

import torch


def run(dtype, betas, eps, weight_decay, steps):
    p = torch.nn.Parameter(torch.tensor([(i * 5 % 7 - 3) / 8 for i in range(6)], dtype=dtype).reshape(2, 3))
    optimizer = torch.optim.AdamW([p], lr=1.0, betas=betas, eps=eps, weight_decay=weight_decay, foreach=False)
    for t in range(steps):
        p.grad = torch.tensor([((t * 7 + i * 3) % 11 - 5) / 8 for i in range(6)], dtype=dtype).reshape(2, 3)
        optimizer.param_groups[0]["lr"] = 0.25 / (t + 1)
        optimizer.step()
    return p.detach().flatten().tolist()


for name, arguments in [
    ("f64, defaults", (torch.float64, (0.9, 0.999), 1e-8, 0.0, 5)),
    ("f64, decay", (torch.float64, (0.8, 0.95), 1e-3, 0.1, 9)),
    ("f32, decay", (torch.float32, (0.9, 0.999), 1e-8, 0.1, 9)),
]:
    print(name)
    for value in run(*arguments):
        print(f"    {value!r},")
