#!/usr/bin/env python3
"""bench.py BUILD [NAME...]: runs the benchmarks of a release build and prints one table.

A benchmark is a script tests/bench/NAME_bench.py. It is run with SIZEWISE_BUILD (the build folder) and
SIZEWISE_SOURCE set, by the Python that has PyTorch, and prints one JSON object a line:
{"figure": "what was measured", "target": "what was promised", "measured": "with its unit",
"met": true}. `full_build` and `fit_proof` are run only where they are
named: the one builds everything twice, the other descends from millions of starts.
"""

import json
import os
import pathlib
import platform
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
ONLY_BY_NAME = {"fit_proof", "full_build"}


def machine():
    name = platform.processor() or platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n"):
        if line.startswith("model name"):
            name = line.split(":", 1)[1].strip()
            break
    load = os.getloadavg()[0]
    return (f"{name}, {os.cpu_count()} logical cores, {len(os.sched_getaffinity(0))} of them ours, "
            f"load {load:.1f} at the start, OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'not set')}")


def run(script, build):
    environment = {**os.environ, "SIZEWISE_BUILD": str(build), "SIZEWISE_SOURCE": str(SOURCE)}
    done = subprocess.run([sys.executable, str(script)], env=environment, stdout=subprocess.PIPE,
                          text=True)
    rows = [json.loads(line) for line in done.stdout.split("\n") if line.startswith("{")]
    if done.returncode != 0 or not rows:
        rows.append({"figure": script.stem, "target": "", "measured": f"exit code {done.returncode}",
                     "met": False})
    return rows


def print_table(rows):
    cells = [["figure", "target", "measured", ""]]
    cells += [[row["figure"], row["target"], row["measured"], "met" if row["met"] else "NOT MET"]
              for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(4)]
    for row in cells:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


def main():
    build, names = pathlib.Path(sys.argv[1]), set(sys.argv[2:])
    scripts = {path.stem.removesuffix("_bench"): path
               for path in sorted((SOURCE / "tests" / "bench").glob("*_bench.py"))}
    unknown = names - set(scripts)
    if unknown:
        sys.exit(f"bench: there is no {', '.join(sorted(unknown))}; there are: {', '.join(scripts)}")
    print(machine())
    chosen = names or set(scripts) - ONLY_BY_NAME
    rows = []
    for name in sorted(chosen):
        print(f"bench: {name}", file=sys.stderr)
        rows += run(scripts[name], build)
    print_table(rows)
    sys.exit(0 if all(row["met"] for row in rows) else 1)


if __name__ == "__main__":
    main()
