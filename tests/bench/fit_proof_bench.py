#!/usr/bin/env python3
"""Whether any of 4,096 random starts finds an objective lower than the fit's, by more than 1e-9 of it: on
every published table that SIZEWISE_REFERENCE_DATA holds, and on 1,000 random sweeps. Takes long; it is run
only where it is named."""

import concurrent.futures
import csv
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
PROGRAM = str(BUILD / "tests" / "fit_timings")
STARTS, SWEEPS = 4096, 1000


def proofs(words):
    done = subprocess.run([PROGRAM, *map(str, words)], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def is_positive(text):
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def published_tables(data):
    """The (name, lines) of every experiment of every table that has params, tokens and loss."""
    for path in sorted(pathlib.Path(data).glob("scaling/*.csv")):
        with path.open() as file:
            rows = list(csv.DictReader(file))
        if not rows or not {"params", "tokens", "loss"} <= set(rows[0]):
            continue
        rows = [row for row in rows if all(is_positive(row[key]) for key in ("params", "tokens", "loss"))]
        rows.sort(key=lambda row: row.get("experiment", ""))
        for name, group in itertools.groupby(rows, key=lambda row: row.get("experiment", "")):
            lines = [f"{row['params']} {row['tokens']} {row['loss']}\n" for row in group]
            if len({line.rsplit(" ", 1)[0] for line in lines}) > 5:
                yield f"{path.stem} {name}".strip(), lines


def is_exact(proof):
    """Whether the residuals found are rounding alone, as of noise-free tables: there is nothing lower to find."""
    return proof["found"] <= proof["rows"] * (16 * sys.float_info.epsilon) ** 2


def report(figure, found):
    lower = [proof for proof in found if proof["lower"] > 0 and not is_exact(proof)]
    worst = max((1 - proof["lowest"] / proof["found"] for proof in lower), default=0.0)
    print(json.dumps({"figure": f"proof of the minimum: {figure}, {STARTS} random starts each",
                      "target": "none lower by 1e-9",
                      "measured": f"{len(lower)} of {len(found)} tables, worst {worst:.1e}",
                      "met": bool(found) and not lower}), flush=True)


def main():
    jobs = []
    with tempfile.TemporaryDirectory() as folder:
        data = os.environ.get("SIZEWISE_REFERENCE_DATA")
        for number, (_, lines) in enumerate(published_tables(data) if data else []):
            table = pathlib.Path(folder) / f"{number}.txt"
            table.write_text("".join(lines))
            jobs += [["prove", table, delta, STARTS] for delta in ("1e-3", "1e-4", "inf")]
        parts = [["prove_sweeps", first, first + 20, STARTS] for first in range(0, SWEEPS, 20)]
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            of_tables = list(itertools.chain.from_iterable(pool.map(proofs, jobs)))
            of_sweeps = list(itertools.chain.from_iterable(pool.map(proofs, parts)))
    if data:
        report("published tables, approach3 with delta 1e-3 and 1e-4, and vpnls", of_tables)
    report("random sweeps", of_sweeps)


if __name__ == "__main__":
    main()
