"""The report: Markdown, printed as it comes and kept."""

from .measure import spread


class Report:
    """Writes lines to the terminal and to a file."""

    def __init__(self, file):
        self.file = open(file, "w")  # noqa: SIM115

    def note(self, text):
        """A paragraph."""
        print(text, end="\n\n", flush=True)
        print(text, end="\n\n", file=self.file, flush=True)

    def runs(self, title, runs):
        """A table of the runs of some commands."""
        lines = [f"### {title}", "", "| | runs | wall s | CPU s | peak MiB |", "| --- | --- | --- | --- | --- |"]
        for name, figures in runs.items():
            cells = (spread(getattr(it, what) for it in figures) for what in ("wall", "cpu", "peak"))
            lines.append(f"| {name} | {len(figures)} | " + " | ".join(cells) + " |")
        self.note("\n".join(lines))

    def ratio(self, text):
        """What follows from the table above."""
        self.note(f"- {text}")
