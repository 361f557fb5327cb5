#!/usr/bin/env python3
"""How fast weights become codes on two threads (megabytes of float32 a second), and their memory."""

import json
import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
MEGABYTES_PER_SECOND = {
    "int8_channel": 300, "int8_auto": 100, "int4_g16": 300, "bfloat16": 300,
    "int8_clipped": 20, "int8_tensor_clipped": 20, "int4_g32_auto_clipped": 20}
TIMES_THE_WEIGHT = 3.0


def main():
    done = subprocess.run([BUILD / "tests" / "weight_codes_timings", "--benchmark_format=json"],
                          check=True, stdout=subprocess.PIPE, text=True)
    for row in json.loads(done.stdout)["benchmarks"]:
        name = row["name"].split("/")[1]
        target, speed = MEGABYTES_PER_SECOND[name], row["bytes_per_second"] / 1e6
        print(json.dumps({"figure": f"codes: {name}", "target": f"{target} MB/s or more",
                          "measured": f"{speed:.0f} MB/s", "met": speed >= target}))
        memory = row["memory_of_weight"]
        print(json.dumps({"figure": f"codes: memory of {name}",
                          "target": f"{TIMES_THE_WEIGHT:.0f} times the weight or less",
                          "measured": f"{memory:.2f} times", "met": memory <= TIMES_THE_WEIGHT}))


if __name__ == "__main__":
    main()
