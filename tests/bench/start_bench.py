#!/usr/bin/env python3
"""How long `sizewise` takes where no model is needed: the median of 25 starts, warm."""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
TARGET_SECONDS = 0.030

# A law with E = 1.7, A = 400, B = 400, alpha = beta = 0.34 on a grid: enough rows for any fit.
TABLE = "params,tokens,loss\n" + "".join(
    f"{n},{d},{1.7 + 400 / n**0.34 + 400 / d**0.34!r}\n"
    for n in (1e6, 3e6, 1e7, 3e7, 1e8) for d in (1e8, 3e8, 1e9, 3e9, 1e10))


def seconds_of(command):
    seconds = []
    for _ in range(25):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main():
    program = str(BUILD / "bin" / "sizewise")
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "runs.csv"
        table.write_text(TABLE)
        for name, words in [("--version", ["--version"]), ("plugin list", ["plugin", "list"]),
                            ("fit", ["fit", str(table), "--fit", "approach3"])]:
            median = seconds_of([program, *words])
            print(json.dumps({"figure": f"start: sizewise {name}", "target": "under 30 ms",
                              "measured": f"{median * 1e3:.1f} ms", "met": median < TARGET_SECONDS}))


if __name__ == "__main__":
    main()
