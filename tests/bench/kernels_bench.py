#!/usr/bin/env python3
"""The integer products by themselves, at the processor level that is used, beside a product of floats and a plain
read of as many bytes, on two threads."""

import json
import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
# 4096 x 4096, one row, with the coding of its inputs: times as fast as floats.
TIMES_AS_FAST = {"int8/{level}/1": 3.0, "int4/{level}/1/128": 4.0}
BYTES = {"int8/{level}/1": "read_bytes/16777216", "int4/{level}/1/128": "read_bytes/8388608"}
REPORTED = ["quantize/{level}/784", "small_layers/{level}", "int8/{level}/64", "int4/{level}/1/32", "int4/{level}/64/128",
            "unpack/{level}"]


def main():
    done = subprocess.run([BUILD / "tests" / "kernels_bench", "--benchmark_format=json"], check=True,
                          stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "2"})
    answer = json.loads(done.stdout)
    level = answer["context"]["level used"].split(":")[0]
    times = {row["name"].removesuffix("/real_time"): row["least_us"] for row in answer["benchmarks"]}
    for pattern, least in TIMES_AS_FAST.items():
        name = pattern.format(level=level)
        ratio = times["multiply_floats"] / times[name]
        promised = "vnni" in level
        print(json.dumps({"figure": f"kernels: {name}, 4096 x 4096, beside floats",
                          "target": f"at least {least:.0f}x" if promised else "reported",
                          "measured": f"{ratio:.2f}x ({times[name]:.0f} us; reading its bytes {times[BYTES[pattern]]:.0f} us)",
                          "met": not promised or ratio >= least}))
    for pattern in REPORTED:
        name = pattern.format(level=level)
        print(json.dumps({"figure": f"kernels: {name}", "target": "reported", "measured": f"{times[name]:.1f} us",
                          "met": True}))


if __name__ == "__main__":
    main()
