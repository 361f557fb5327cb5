#!/usr/bin/env python3
"""What quantizing a file of 1 GiB takes: time and memory, tensor by tensor."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import numpy

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
ROUNDS = int(os.environ.get("SIZEWISE_BENCH_ROUNDS", "5"))
LAYERS, ROWS, COLUMNS = 16, 4096, 4096  # 1 GiB of float32
LEAST_SPEED, MOST_BESIDE = 300e6, 200e6


def write_weights(path):
    size = ROWS * COLUMNS * 4
    header = {f"layers.{i}.weight": {"dtype": "F32", "shape": [ROWS, COLUMNS], "data_offsets": [i * size, (i + 1) * size]}
              for i in range(LAYERS)}
    text = json.dumps(header).encode()
    random = numpy.random.default_rng(1)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in range(LAYERS):
            file.write((random.standard_normal(ROWS * COLUMNS, dtype=numpy.float32) * numpy.float32(0.02)).tobytes())
    return size


def quantize(weights, output, *words):
    command = [str(BUILD / "tests" / "quantize_file"), str(weights), str(output), *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    shutil.rmtree(output)
    return json.loads(done.stdout)


def report(figure, target, measured, met):
    print(json.dumps({"figure": figure, "target": target, "measured": measured, "met": met}), flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        weights = pathlib.Path(folder) / "weights.safetensors"
        largest = write_weights(weights)
        bytes_in_all = weights.stat().st_size
        for words, promised in [((8, "channel"), True), ((4, "group"), False)]:
            runs = [quantize(weights, pathlib.Path(folder) / "q", *words) for _ in range(ROUNDS)]
            speed = bytes_in_all / min(run["seconds"] for run in runs)
            grew = max(run["grew_bytes"] for run in runs)
            name = f"1 GiB of float32 to int{words[0]} per {words[1]}, 2 threads"
            if promised:
                report(f"{name}: speed", f"at least {LEAST_SPEED / 1e6:.0f} MB/s", f"{speed / 1e6:.0f} MB/s",
                       speed >= LEAST_SPEED)
            most = 4 * largest + MOST_BESIDE
            report(f"{name}: memory", f"at most {most / 1e6:.0f} MB", f"{grew / 1e6:.0f} MB", grew <= most)


if __name__ == "__main__":
    sys.exit(main())
