#!/usr/bin/env python3
"""A worker that follows a script instead of training: for tests of the host.

It speaks docs/worker-protocol.md. SCRIPTED_WORKER names a JSON file:
  {"seconds": 0.0,            time that a trial takes
   "law": {"E": 1.7, "A": 400, "B": 400, "alpha": 0.34, "beta": 0.28},
   "params_per_size": [p1, p2],   params = p1 * size + p2 * size^2
   "flops_per_param": 6,          flops_per_unit = that * params
   "makes_models": false,         whether it must make a model to count its parameters
   "dataset": {...},              fields of DatasetInfo that differ from the ones below
   "fingerprint": "...",
   "faults": [{"method": "train", "size": 8, "kind": "segv", "times": 1, "mark": FILE}],
   "count": FILE,                 a line is appended for every trial that begins
   "quantized": FILE,             and here for every quantization: its request and the working folder
   "quantization": {...}}         fields of its answer that differ from the ones below; without success
                                  nothing is written
A trial with an output folder writes files there as a real one does, a quantization too.
A fault of `train` with "least_flops" strikes trials of that many FLOPs or more: those after a sweep's pilots.
Kinds of fault: segv, exit0, hang, garbage, flood, error (with "code" and "message"), diverge,
huge_frame, wrong_id, orphan (starts a program and dies), slow (waits "seconds", then answers), answer (with
"result"). `times` needs `mark`, a file that counts across restarts.
"""
import hashlib
import json
import math
import os
import pathlib
import signal
import struct
import subprocess
import sys
import time

INFO = {"unit": "token", "units_per_sample": 8, "train_samples": 100000, "validation_samples": 100,
        "input_shape": [8], "input_type": "int64", "target_shape": [8], "target_type": "int64",
        "vocabulary": 256, "context": 8}

QUANTIZATION = {"success": True, "errors": [], "warnings": [],
                "layers": [{"name": "head", "kind": "linear", "bits": 8, "scheme": "symmetric",
                            "granularity": "channel", "group_size": 0, "activation": "dynamic", "sqnr_db": 42.5,
                            "kernel": "scripted"}],
                "skipped": [{"name": "small", "reason": "it has 4 inputs"}],
                "bytes": {"float": 4000, "quantized": 1000, "ratio": 4.0},
                "calibration": {"batches": 32, "units": 256, "observer": "minmax"},
                "evaluation": {"float": {"loss": 1.5, "accuracy": 0.5, "seconds_per_batch": 0.002},
                               "quantized": {"loss": 1.51, "accuracy": 0.49, "seconds_per_batch": 0.001}}}


def plugin_facts(plugin):
    return {"plugin": pathlib.Path(plugin["path"]).stem, "version": "1.0", "options": plugin["options"]}


def read_exactly(descriptor, size):
    data = b""
    while len(data) < size:
        part = os.read(descriptor, size - len(data))
        if not part:
            sys.exit(0)
        data += part
    return data


class Refusal(Exception):
    """What a request is refused with."""


class Worker:
    def __init__(self, read_fd, write_fd):
        self.read_fd, self.write_fd = read_fd, write_fd
        with open(os.environ["SCRIPTED_WORKER"], encoding="utf-8") as file:
            self.script = json.load(file)

    def send(self, frame):
        data = json.dumps(frame).encode()
        data = struct.pack("<I", len(data)) + data
        while data:
            data = data[os.write(self.write_fd, data):]

    def params(self, size):
        linear, square = self.script.get("params_per_size", [100, 0])
        return linear * size + square * size * size

    def flops_per_unit(self, size):
        return self.script.get("flops_per_param", 6) * self.params(size)

    def flops_of(self, trial):
        return self.flops_per_unit(trial["size"]) * trial["tokens"]

    def fault_for(self, method, params):
        for fault in self.script.get("faults", []):
            if fault["method"] != method or fault.get("size", params.get("size")) != params.get("size"):
                continue
            if method == "train" and self.flops_of(params) < fault.get("least_flops", 0):
                continue
            if "times" in fault:
                with open(fault["mark"], "a+", encoding="utf-8") as mark:
                    mark.seek(0)
                    if len(mark.read()) >= fault["times"]:
                        continue
                    mark.write("x")
            return fault
        return None

    def misbehave(self, fault, request):
        kind = fault["kind"]
        print("about to " + kind, flush=True)
        if kind == "segv":
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGSEGV)
        elif kind == "exit0":
            os._exit(0)
        elif kind == "hang":
            time.sleep(3600)
        elif kind == "garbage":
            os.write(self.write_fd, struct.pack("<I", 7) + b"not {js")
        elif kind == "huge_frame":
            os.write(self.write_fd, b"\xff\xff\xff\xff" + b"x" * 100)
        elif kind == "wrong_id":
            self.send({"id": request["id"] + 1000, "result": {}})
        elif kind == "flood":
            for _ in range(fault.get("mebibytes", 1)):
                os.write(1, (b"x" * 63 + b"\n") * 16384)
            return False
        elif kind == "error":
            self.send({"id": request["id"], "error": {"code": fault.get("code", "plugin"),
                                                       "message": fault.get("message", "refused by the script"),
                                                       "suggestion": "change the script"}})
        elif kind == "orphan":
            print("orphan", subprocess.Popen(["sleep", "3600"]).pid, flush=True)
            os._exit(1)
        elif kind == "answer":
            self.send({"id": request["id"], "result": fault["result"]})
        elif kind == "slow":
            time.sleep(fault["seconds"])
            return False
        elif kind == "diverge":
            return False
        return True

    def train(self, request, diverge):
        params = request["params"]
        size, tokens = params["size"], params["tokens"]
        if "count" in self.script:
            with open(self.script["count"], "a", encoding="utf-8") as count:
                count.write(f"{size} {tokens}\n")
        steps = 4 if self.script.get("seconds", 0) > 0 else 1
        for step in range(1, steps + 1):
            time.sleep(self.script.get("seconds", 0) / steps)
            self.send({"id": request["id"], "event": "progress", "step": step, "steps": steps,
                       "tokens": tokens * step // steps, "tokens_total": tokens, "loss": 3.0,
                       "tokens_per_second": 1000.0})
        law = self.script.get("law", {"E": 1.7, "A": 400, "B": 400, "alpha": 0.34, "beta": 0.28})
        n = self.params(size)
        loss = law["E"] + law["A"] / n ** law["alpha"] + law["B"] / tokens ** law["beta"]
        print(f"trained size {size} on {tokens}", flush=True)
        result = {"status": "diverged" if diverge else "done", "reason": "the loss is NaN" if diverge else "",
                  "params": n, "tokens": tokens, "loss": None if diverge else loss,
                  "train_loss": loss, "accuracy": None, "flops": self.flops_of(params),
                  "flops_6nd": 6 * n * tokens, "seconds": self.script.get("seconds", 0),
                  "epochs": tokens / (self.info()["units_per_sample"] * self.info()["train_samples"]),
                  "steps": steps, "warnings": self.script.get("warnings", [])}
        if params.get("output") and not diverge:
            self.save_model(params, result)
        return result

    def save_model(self, params, result):
        folder = pathlib.Path(params["output"])
        weights = f"weights of {params['size']} and {params['tokens']}".encode()
        (folder / "model.safetensors").write_bytes(weights)
        facts = {"model": plugin_facts(params["model"]), "size": params["size"], "params": result["params"],
                 "dataset": {**plugin_facts(params["dataset"]), "info": self.info(),
                             "fingerprint": self.script.get("fingerprint", "scripted")},
                 "loss": plugin_facts(params["loss"]), "recipe": params["recipe"], "result": result,
                 "weights_sha256": hashlib.sha256(weights).hexdigest()}
        (folder / "model.json").write_text(json.dumps(facts))

    def quantize(self, request):
        """Of a model's folder or of weights alone."""
        params = request["params"]
        if "quantized" in self.script:
            with open(self.script["quantized"], "a", encoding="utf-8") as requests:
                requests.write(json.dumps({"method": request["method"], "folder": os.getcwd(), **params}) + "\n")
        for done in (1, 2):
            self.send({"id": request["id"], "event": "progress", "stage": "calibrate", "done": done, "total": 2})
            time.sleep(self.script.get("seconds", 0) / 2)
        facts = plugin_facts(params["quantizer"])
        answer = {"quantizer": facts["plugin"], "options": facts["options"], **QUANTIZATION,
                  **self.script.get("quantization", {})}
        if request["method"] == "quantize_weights":
            answer.update(calibration=None, evaluation=None)
        if answer["success"]:
            folder = pathlib.Path(params["output"])
            (folder / "model.safetensors").write_text("codes by " + json.dumps(facts))
            (folder / "config.json").write_text('{"quantization_config": {}}')
            if "checkpoint" in params:
                (folder / "model.json").write_text((pathlib.Path(params["checkpoint"]) / "model.json").read_text())
        return answer

    def info(self):
        return {**INFO, **self.script.get("dataset", {})}

    def invert(self, params):
        spec = params["size"]
        step = spec.get("multiple_of", spec.get("multipleOf", 1))
        sizes = range(spec["minimum"], min(spec["maximum"], spec["minimum"] + 100000 * step) + 1, step)
        if self.script.get("makes_models") and max(params["params"]) > params["largest_params"]:
            raise Refusal(f"a model of {max(params['params']):.3g} parameters would have to be made")
        return [min(sizes, key=lambda size: abs(math.log(self.params(size) / target))) for target in params["params"]]

    def answer(self, request):
        method, params = request["method"], request["params"]
        fault = self.fault_for(method, params)
        if fault and self.misbehave(fault, request):
            return
        if method == "hello":
            result = {"protocol": self.script.get("protocol", 1), "version": "scripted", "torch": "none",
                      "device_names": ["cpu"]}
        elif method == "dataset":
            result = {"info": self.info(), "fingerprint": self.script.get("fingerprint", "scripted")}
        elif method == "describe":
            result = {"sizes": [{"size": size, "params": self.params(size),
                                 "flops_per_unit": self.flops_per_unit(size) if params.get("count_flops") else None}
                                for size in params["sizes"]]}
        elif method == "invert":
            result = {"sizes": self.invert(params)}
        elif method == "train":
            result = self.train(request, bool(fault) and fault["kind"] == "diverge")
        elif method == "evaluate":
            result = {"loss": 1.0, "accuracy": None, "units": 10, "seconds_per_batch": 0.1, "bytes": 100}
        elif method == "quantizer":
            result = {}
        elif method in ("quantize", "quantize_weights"):
            result = self.quantize(request)
        elif method == "shutdown":
            self.send({"id": request["id"], "result": {}})
            sys.exit(0)
        else:
            self.send({"id": request["id"], "error": {"code": "internal", "message": "unknown method " + method}})
            return
        self.send({"id": request["id"], "result": result})

    def run(self):
        while True:
            length = struct.unpack("<I", read_exactly(self.read_fd, 4))[0]
            request = json.loads(read_exactly(self.read_fd, length))
            try:
                self.answer(request)
            except Refusal as refusal:
                self.send({"id": request["id"], "error": {"code": "configuration", "message": str(refusal)}})


if __name__ == "__main__":
    arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    Worker(int(arguments["--read-fd"]), int(arguments["--write-fd"])).run()
