#!/usr/bin/env python3
"""How fast we train, against the same models in eager PyTorch: both run in turns, and each side's best
counts, so that what else the machine does weighs on neither."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import time

import torch

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = int(os.environ.get("SIZEWISE_BENCH_ROUNDS", "5"))
SECONDS = 1.0
STEP_TARGET, SWEEP_TARGET = 0.9, 1.3
WIDTHS, STEPS, BATCH, CONTEXT = [16, 24, 32, 48, 48, 32, 24, 16], 60, 16, 64


def eager(*words):
    command = [sys.executable, str(HERE / "eager_training.py"), *map(str, words)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def our_step(name):
    command = [str(BUILD / "tests" / "training_steps"), f"--benchmark_filter=^{name}/",
               f"--benchmark_min_time={SECONDS / 10}", "--benchmark_repetitions=10", "--benchmark_format=json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return min(run["real_time"] for run in json.loads(done.stdout)["benchmarks"] if run["run_type"] == "iteration")


class Worker:
    """A worker of one thread, as the host starts it."""

    def __init__(self):
        requests, self.to_worker = os.pipe()
        self.from_worker, answers = os.pipe()
        self.process = subprocess.Popen(
            [str(BUILD / "bin" / "sizewise-worker"), "--read-fd", str(requests), "--write-fd", str(answers)],
            pass_fds=[requests, answers])
        os.close(requests)
        os.close(answers)

    def call(self, method, params):
        frame = json.dumps({"id": 1, "method": method, "params": params}).encode()
        os.write(self.to_worker, struct.pack("<I", len(frame)) + frame)
        while True:
            answer = json.loads(self.read(struct.unpack("<I", self.read(4))[0]))
            if "error" in answer:
                sys.exit(answer["error"]["message"])
            if "result" in answer:
                return answer["result"]

    def read(self, count):
        data = b""
        while len(data) < count:
            part = os.read(self.from_worker, count - len(data))
            if not part:
                sys.exit("the worker ended")
            data += part
        return data

    def close(self):
        os.close(self.to_worker)
        self.process.wait()
        os.close(self.from_worker)


def our_sweep(corpus):
    plugins = BUILD / "lib" / "sizewise" / "plugins"
    setting = {
        "model": {"path": str(plugins / "gpt.so")}, "loss": {"path": str(plugins / "cross_entropy.so")},
        "dataset": {"path": str(plugins / "text.so"),
                    "options": {"path": str(corpus), "context": CONTEXT, "validation_fraction": 0.01}},
        "recipe": {"batch_size": BATCH}, "threads": 1}
    waiting = [{**setting, "size": width, "tokens": STEPS * BATCH * CONTEXT} for width in WIDTHS]
    workers = [Worker() for _ in range(os.cpu_count())]
    for worker in workers:  # what a process pays once stays out of the measurement
        worker.call("train", {**setting, "size": WIDTHS[0], "tokens": BATCH * CONTEXT})

    def work(worker):
        while waiting:
            worker.call("train", waiting.pop())

    start = time.perf_counter()
    threads = [threading.Thread(target=work, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    for worker in workers:
        worker.close()
    return seconds


def report(figure, target, measured, met):
    print(json.dumps({"figure": figure, "target": target, "measured": measured, "met": met}), flush=True)


def main():
    for name in ["mlp", "gpt"]:
        pairs = [(our_step(name), eager("step", name, SECONDS)) for _ in range(ROUNDS)]
        ours, theirs = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
        report(f"training step of {name} against eager PyTorch", f"at most {STEP_TARGET}x",
               f"{ours / theirs:.2f}x ({ours:.0f} us against {theirs:.0f} us)", ours <= STEP_TARGET * theirs)
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder) / "corpus.txt"
        corpus.write_bytes((HERE.parent.parent / "README.md").read_bytes() * 40)
        pairs = [(our_sweep(corpus), eager("sweep", ",".join(map(str, WIDTHS)), STEPS)) for _ in range(ROUNDS)]
    ours, theirs = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    steps = len(WIDTHS) * STEPS
    report("sweep of small gpt models: steps a second against eager PyTorch", f"at least {SWEEP_TARGET}x",
           f"{theirs / ours:.2f}x ({steps / ours:.0f} against {steps / theirs:.0f}, PyTorch {torch.__version__})",
           theirs >= SWEEP_TARGET * ours)


if __name__ == "__main__":
    main()
