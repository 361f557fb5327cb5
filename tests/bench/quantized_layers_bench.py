#!/usr/bin/env python3
"""How fast quantized layers run, beside float and beside onnxruntime and torchao: all of them in turns on two
threads, and of each the best counts, so that what else the machine does weighs on none."""

import json
import os
import pathlib
import subprocess
import sys
import time

THREADS = 2
os.environ["OMP_NUM_THREADS"] = str(THREADS)

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402
import torchao  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
ROUNDS = int(os.environ.get("SIZEWISE_BENCH_ROUNDS", "5"))
SECONDS = 0.2
WIDE, GROUP = 4096, 128


class Ours:
    """Our layers, in a process that stays."""

    def __init__(self):
        self.process = subprocess.Popen([str(BUILD / "tests" / "quantized_layers")], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.runs = self.process.stdout.readline().strip()

    def contender(self, name):
        def least():
            self.process.stdin.write(name + "\n")
            self.process.stdin.flush()
            return float(self.process.stdout.readline())
        return least

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(call):
    def least():
        call()
        best, end, runs = float("inf"), time.perf_counter() + SECONDS, 0
        while runs < 5 or time.perf_counter() < end:
            start = time.perf_counter()
            call()
            best, runs = min(best, time.perf_counter() - start), runs + 1
        return best * 1e6
    return least


def session(nodes, constants):
    shape = ["rows", WIDE]
    graph = helper.make_graph(
        nodes, "layer", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18),
                                                    helper.make_opsetid("com.microsoft", 1)])
    model.ir_version = 9
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def onnx_dynamic_int8(weight):
    scale = (np.abs(weight).max(0) / 127).astype(np.float32)
    codes = np.round(weight / scale).astype(np.int8)
    return session([helper.make_node("DynamicQuantizeLinear", ["x"], ["codes", "step", "zero"]),
                    helper.make_node("MatMulInteger", ["codes", "w", "zero"], ["sums"]),
                    helper.make_node("Cast", ["sums"], ["floats"], to=TensorProto.FLOAT),
                    helper.make_node("Mul", ["step", "scale"], ["both"]),
                    helper.make_node("Mul", ["floats", "both"], ["y"])], {"w": codes, "scale": scale})


def onnx_int4(weight):
    groups = weight.T.reshape(WIDE, WIDE // GROUP, GROUP)
    scale = (np.abs(groups).max(-1) / 7).astype(np.float32)
    codes = np.clip(np.round(groups / scale[..., None]) + 8, 0, 15).astype(np.uint8)
    packed = codes[..., 0::2] | (codes[..., 1::2] << 4)
    node = helper.make_node("MatMulNBits", ["x", "w", "scale"], ["y"], domain="com.microsoft", K=WIDE, N=WIDE,
                            bits=4, block_size=GROUP, accuracy_level=4)
    return session([node], {"w": packed, "scale": scale.reshape(-1)})


def torchao_int8():
    """Compiled, as its users run it."""
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_
    layer = torch.nn.Sequential(torch.nn.Linear(WIDE, WIDE, bias=False)).eval()
    quantize_(layer, Int8DynamicActivationInt8WeightConfig())
    return torch.compile(layer)


def peers():
    generator = np.random.default_rng(1)
    weight = (generator.standard_normal((WIDE, WIDE)) * 0.02).astype(np.float32)
    contenders = {}
    int8, int4, torchao_layer = onnx_dynamic_int8(weight), onnx_int4(weight), torchao_int8()
    for rows in (1, 64):
        x = generator.standard_normal((rows, WIDE)).astype(np.float32)
        tensor = torch.from_numpy(x)
        contenders[f"onnxruntime int8 {rows}"] = timed(lambda x=x: int8.run(None, {"x": x}))
        contenders[f"onnxruntime int4 {rows}"] = timed(lambda x=x: int4.run(None, {"x": x}))
        contenders[f"torchao int8 {rows}"] = timed(lambda tensor=tensor: torchao_layer(tensor))
    return contenders


def row(figure, target, met, measured):
    print(json.dumps({"figure": figure, "target": target, "measured": measured, "met": met}), flush=True)


def faster(times, figure, float_name, our_name, least):
    ratio = times[float_name] / times[our_name]
    row(f"{figure}: times as fast as float", f"at least {least}", ratio >= least,
        f"{ratio:.2f} ({times[our_name]:.0f} us, {times[float_name]:.0f})")


def not_slower(times, figure, our_name, peer, most=1.0):
    ratio = times[our_name] / times[peer]
    row(f"{figure}: time over that of {peer}", f"at most {most}", ratio <= most,
        f"{ratio:.2f} ({times[our_name]:.0f} us, {times[peer]:.0f})")


def main():
    torch.set_num_threads(THREADS)
    ours = Ours()
    print(f"quantized_layers: {ours.runs}; onnxruntime {onnxruntime.__version__}, torchao {torchao.__version__}, "
          f"onnx {onnx.__version__}", file=sys.stderr)
    names = ["float_1", "float_64", "bfloat16_64", "int8_1", "int8_64", "int4_1", "int4_64", "mlp_float",
             "mlp_int8"]
    contenders = {name: ours.contender(name) for name in names} | peers()
    times = dict.fromkeys(contenders, float("inf"))
    with torch.inference_mode():
        for _ in range(ROUNDS):
            for name, least in contenders.items():
                times[name] = min(times[name], least())
    ours.close()
    level = ours.runs.split(" ")[0]
    faster(times, f"4096 x 4096, int8 dynamic, 1 row, {level}", "float_1", "int8_1", 3)
    faster(times, f"4096 x 4096, int8 dynamic, 64 rows, {level}", "float_64", "int8_64", 8)
    faster(times, f"4096 x 4096, int4 groups of 128, 1 row, {level}", "float_1", "int4_1", 4)
    not_slower(times, "4096 x 4096, int4 groups of 128, 64 rows", "int4_64", "bfloat16_64", 1.3)
    faster(times, f"784-512-512-10, int8 dynamic, 1 row, {level}", "mlp_float", "mlp_int8", 1.8)
    for rows in (1, 64):
        for peer in ("onnxruntime", "torchao"):
            not_slower(times, f"4096 x 4096, int8 dynamic, {rows} rows", f"int8_{rows}", f"{peer} int8 {rows}")
        not_slower(times, f"4096 x 4096, int4 groups of 128, {rows} rows", f"int4_{rows}",
                   f"onnxruntime int4 {rows}")


if __name__ == "__main__":
    main()
