#!/usr/bin/env python3
"""What the host itself costs: 200 trials that do nothing, and reading a run of 10,000 results."""

import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import time

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
WORKER = pathlib.Path(__file__).resolve().parent.parent / "integration" / "scripted_worker.py"
SIZEWISE = str(BUILD / "bin" / "sizewise")


def print_figure(figure, seconds, most):
    print(json.dumps({"figure": figure, "target": f"under {most} s", "measured": f"{seconds:.2f} s",
                      "met": seconds < most}))


def words(folder, sizes, tokens):
    return ["--model", "gpt", "--dataset", "text", "--dataset-option", f"path={folder / 'text'}", "--loss",
            "cross_entropy", "--bootstrap", "0", "--run-dir", str(folder / "run"), "--sweep", "grid",
            "--batch-size", "4", "--sweep-option", "sizes=" + ",".join(map(str, sizes)),
            "--sweep-option", "tokens=" + ",".join(map(str, tokens)), "--target-budget", "1e13"]


def run(folder, *arguments):
    environment = {**os.environ, "SIZEWISE_WORKER": str(WORKER), "SCRIPTED_WORKER": str(folder / "script.json")}
    start = time.perf_counter()
    done = subprocess.run([SIZEWISE, *map(str, arguments), "--quiet"], env=environment, check=False,
                          stdout=subprocess.DEVNULL)
    assert done.returncode in (0, 1), done  # 1: so few trials need not identify a law
    return time.perf_counter() - start


def prepare(folder):
    (folder / "text").write_text("words " * 1000)
    (folder / "script.json").write_text("{}")


def time_of_empty_trials(folder):
    prepare(folder)
    seconds = run(folder, "find-optimal", *words(folder, range(16, 96, 8), range(1024, 21504, 1024)), "--jobs", 2)
    assert len(list((folder / "run" / "results").glob("*.json"))) == 200
    return seconds


def time_of_reading(folder):
    prepare(folder)
    run(folder, "plan", *words(folder, range(16, 816, 8), range(1024, 103424, 1024)))
    plan = json.loads((folder / "run" / "plan.json").read_text())
    for trial in plan["rounds"][0]["trials"]:
        result = {"trial": trial["id"], "status": "done", "reason": "", "size": trial["size"], "params": 100,
                  "tokens": trial["tokens"], "loss": 2.5, "train_loss": 2.5, "accuracy": None, "flops": 100,
                  "flops_6nd": 100, "seconds": 1, "epochs": 1, "steps": 1, "warnings": [], "trained_with": "{}"}
        text = json.dumps(result, sort_keys=True, separators=(",", ":"))
        result["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        (folder / "run" / "results" / (trial["id"] + ".json")).write_text(json.dumps(result))
    seconds = run(folder, "report", folder / "run", "--json")
    held = subprocess.run([SIZEWISE, "report", str(folder / "run"), "--json"], capture_output=True, check=True)
    assert json.loads(held.stdout)["trials"]["done"] == 10000
    return seconds


def main():
    for figure, most, measure in (("host: 200 trials that do nothing, 2 workers", 4, time_of_empty_trials),
                                  ("host: reading a run of 10,000 results", 1, time_of_reading)):
        with tempfile.TemporaryDirectory() as folder:
            print_figure(figure, measure(pathlib.Path(folder)), most)


if __name__ == "__main__":
    main()
