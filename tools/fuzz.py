#!/usr/bin/env python3
"""fuzz.py SOURCE BUILD SECONDS JOBS: runs every fuzz target of a build for so long.

Inputs that reach new code are kept in BUILD/corpus. An input that breaks a target is kept in
BUILD/crashes; copy it to tests/fuzz/corpus/TARGET with the mending change, where ctest replays it.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys


def fuzz(program, source, build, seconds):
    """Runs one target; returns its name, how many inputs it ran, and the fault's text or ''."""
    name = program.name.removesuffix("_fuzz")
    corpus, crashes = build / "corpus" / name, build / "crashes"
    corpus.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    command = [program, f"-max_total_time={seconds}", "-max_len=16384", "-timeout=10",
               "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={crashes}/{name}-",
               corpus, source / "tests" / "fuzz" / "corpus" / name]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    runs = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    fault = done.stderr[-6000:] if done.returncode != 0 else ""
    return name, int(runs.group(1)) if runs else 0, fault


def main():
    source, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    seconds, jobs = int(sys.argv[3]), int(sys.argv[4])
    programs = sorted((build / "tests").glob("*_fuzz"))
    if not programs:
        sys.exit(f"fuzz: there are no fuzz targets in {build}/tests")
    failed = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(fuzz, program, source, build, seconds) for program in programs]
        for future in running:
            name, runs, fault = future.result()
            print(f"fuzz: {name:<12} {runs:>12,} inputs  {'FAULT' if fault else 'no fault'}",
                  file=sys.stderr, flush=True)
            if fault:
                print(fault, file=sys.stderr)
                failed.append(name)
    if failed:
        sys.exit(f"fuzz: faults in {', '.join(failed)}; inputs are in {build}/crashes")


if __name__ == "__main__":
    main()
