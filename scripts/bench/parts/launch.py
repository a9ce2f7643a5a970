"""Runs one command and writes down what it took; a program of its own, started anew for each run.

The kernel counts the peak of a process from before it becomes another program, so the one that starts it has to be
small. This one has some 10 MiB, whatever the benchmark itself has read by then.
"""

import json
import os
import subprocess
import sys
import time


def main():
    target, words = sys.argv[1], sys.argv[2:]
    start = time.perf_counter()
    process = subprocess.Popen(words)
    # Popen.wait() would throw the usage away.
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    figures = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024}
    with open(target, "w") as out:
        json.dump({"status": process.returncode, **figures}, out)


main()
