#!/usr/bin/env python3
"""One run of llama.cpp's Python package: a prompt and the tokens after it, alone.

    llama.py --gguf FILE --threads N --prompt TOKENS --new TOKENS --rounds N [--plain]

It calls the library itself, which is what the package's own class does, without the class's Python between tokens. With --plain
weights stay as they are in the file; else the library lays them out anew for the instructions that it finds.
"""

import argparse
import json
import os
import random
import resource
import statistics
import sys
import time

import llama_cpp as lib


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--prompt", type=int, default=256)
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plain", action="store_true")
    a = parser.parse_args()
    # What it says while loading is of no interest; nothing is printed until the figures.
    quiet = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    lib.llama_backend_init()
    options = lib.llama_model_default_params()
    options.n_gpu_layers = 0
    options.use_extra_bufts = not a.plain
    model = lib.llama_model_load_from_file(a.gguf.encode(), options)
    options = lib.llama_context_default_params()
    options.n_ctx = a.prompt + a.new + 8
    options.n_batch = options.n_ubatch = 512
    options.n_threads = options.n_threads_batch = a.threads
    context = lib.llama_init_from_model(model, options)
    os.dup2(quiet, 2)

    def run(ids):
        # The batch points to them: they have to live as long.
        tokens = (lib.llama_token * len(ids))(*ids)
        if lib.llama_decode(context, lib.llama_batch_get_one(tokens, len(tokens))):
            sys.exit("llama_decode failed")
        lib.llama_synchronize(context)

    draw = random.Random(3)
    prompt = [draw.randrange(3, 49152) for _ in range(a.prompt)]
    after = [draw.randrange(3, 49152) for _ in range(a.new)]
    prefill, decode = [], []
    for number in range(a.rounds + 1):
        lib.llama_memory_clear(lib.llama_get_memory(context), True)
        start = time.perf_counter()
        run(prompt)
        middle = time.perf_counter()
        for token in after:
            run([token])
        if number:
            prefill.append(middle - start)
            decode.append(time.perf_counter() - middle)
    print(
        json.dumps(
            {
                "side": "llama.cpp",
                "version": lib.__version__,
                "plain": a.plain,
                "prefill_tokens_per_s": a.prompt / statistics.median(prefill),
                "decode_tokens_per_s": a.new / statistics.median(decode),
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        ),
        flush=True,
    )
    # The library's own clean-up at exit is not part of the measurement.
    os._exit(0)


if __name__ == "__main__":
    main()
