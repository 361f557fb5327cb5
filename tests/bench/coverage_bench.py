#!/usr/bin/env python3
"""Whether the 95 % intervals of `sizewise fit --bootstrap` hold the truth of 200 simulated sweeps as
often as they say, and are no wider than they need be."""

import json
import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
SWEEPS, REPLICATES = 200, 1000


def main():
    program = BUILD / "tests" / "coverage"
    plugins = BUILD / "lib" / "sizewise" / "plugins"
    printed = subprocess.run([program, plugins, str(SWEEPS), str(REPLICATES), str(os.cpu_count())],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
    for row in map(json.loads, printed.splitlines()):
        name = f"95 % interval of {row['number']}, noise {row['noise']}"
        share, ratio = row["share"], row["width_ratio"]
        print(json.dumps({"figure": f"{name}: holds the truth", "target": "90 to 98 %",
                          "measured": f"{100 * share:.1f} % of {SWEEPS} sweeps",
                          "met": 0.90 <= share <= 0.98}))
        print(json.dumps({"figure": f"{name}: median width over the delta method's",
                          "target": "at most 1.3", "measured": f"{ratio:.2f}", "met": ratio <= 1.3}))


if __name__ == "__main__":
    main()
