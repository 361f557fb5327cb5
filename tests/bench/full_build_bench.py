#!/usr/bin/env python3
"""How long everything takes to build from nothing, without ccache, and after one .cpp was touched."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

BUILD, SOURCE = pathlib.Path(os.environ["SIZEWISE_BUILD"]), pathlib.Path(os.environ["SIZEWISE_SOURCE"])


def seconds_of(command, **arguments):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **arguments)
    return time.perf_counter() - start


def torch_folder():
    for line in (BUILD / "CMakeCache.txt").read_text().split("\n"):
        if line.startswith("SIZEWISE_TORCH_CONFIG_DIR:"):
            return line.split("=", 1)[1]
    raise SystemExit(f"{BUILD} was built without LibTorch")


def report(figure, target_seconds, seconds):
    print(json.dumps({"figure": figure, "target": f"at most {target_seconds} s",
                      "measured": f"{seconds:.0f} s", "met": seconds <= target_seconds}), flush=True)


def main():
    environment = {**os.environ, "CCACHE_DISABLE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cmake", "--preset", "dev", "-B", folder, f"-DTorch_DIR={torch_folder()}"],
                       cwd=SOURCE, check=True, stdout=subprocess.DEVNULL)
        build = ["cmake", "--build", folder, "--parallel", "2"]
        report("full build, 2 jobs", 480, seconds_of(build, env=environment))
        slowest = 0.0
        for name in ("host/core/src/running/wire.cpp", "plugins/models/gpt/gpt.cpp"):
            os.utime(SOURCE / name)
            slowest = max(slowest, seconds_of(build, env=environment))
        report("rebuild after touching one .cpp", 30, slowest)


if __name__ == "__main__":
    main()
