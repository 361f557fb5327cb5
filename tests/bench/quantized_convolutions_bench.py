#!/usr/bin/env python3
"""Quantized convolutions 3x3 against the float ones of LibTorch and against onnxruntime's static int8 ones.
All run in turns on two threads, float in and float out, and each side's best counts. The Python that runs this
needs numpy, onnx and onnxruntime."""

import json
import os
import pathlib
import subprocess
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

BUILD = pathlib.Path(os.environ["SIZEWISE_BUILD"])
ROUNDS = int(os.environ.get("SIZEWISE_BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("SIZEWISE_BENCH_SECONDS", "1.5"))
THREADS, FLOAT_TARGET = 2, 6.0
LAYERS = {  # images, channels, outputs, size, groups: those of quantized_convolutions.cpp
    "256->256 28x28 batch 8": (8, 256, 256, 28, 1), "64->64 56x56 batch 8": (8, 64, 64, 56, 1),
    "256->256 28x28 batch 1": (1, 256, 256, 28, 1), "depthwise 256 28x28 batch 8": (8, 256, 256, 28, 256)}


def session(images, channels, outputs, size, groups):
    """QuantizeLinear, QLinearConv with a scale for each output, DequantizeLinear."""
    random = numpy.random.default_rng(0)
    codes = random.integers(-127, 128, (outputs, channels // groups, 3, 3)).astype(numpy.int8)
    constants = {
        "input_scale": numpy.float32(0.03), "input_zero": numpy.uint8(120), "codes": codes,
        "scales": numpy.full(outputs, 0.001, numpy.float32), "zeros": numpy.zeros(outputs, numpy.int8),
        "output_scale": numpy.float32(0.1), "output_zero": numpy.uint8(128), "bias": numpy.ones(outputs, numpy.int32)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "input_scale", "input_zero"], ["coded"]),
        helper.make_node("QLinearConv", ["coded", "input_scale", "input_zero", "codes", "scales", "zeros",
                                         "output_scale", "output_zero", "bias"], ["sums"], pads=[1] * 4, group=groups),
        helper.make_node("DequantizeLinear", ["sums", "output_scale", "output_zero"], ["y"])]
    graph = helper.make_graph(
        nodes, "layer", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [images, channels, size, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [images, outputs, size, size])],
        [numpy_helper.from_array(numpy.asarray(value), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def peer_times():
    times = {}
    for name, layer in LAYERS.items():
        images, channels, _, size, _ = layer
        run = session(*layer)
        values = {"x": numpy.random.default_rng(1).standard_normal((images, channels, size, size)).astype(numpy.float32)}
        run.run(None, values)
        best, end = float("inf"), time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            start = time.perf_counter()
            run.run(None, values)
            best = min(best, time.perf_counter() - start)
        times[name] = best * 1e6
    return times


def our_times():
    done = subprocess.run([str(BUILD / "tests" / "quantized_convolutions"), str(THREADS), str(SECONDS)], check=True,
                          stdout=subprocess.PIPE, text=True)
    return {row["layer"]: row for row in map(json.loads, done.stdout.splitlines())}


def least(rounds):
    """The best of each number of equal dictionaries."""
    return {key: value if isinstance(value, str) else min(each[key] for each in rounds)
            for key, value in rounds[0].items()}


def report(figure, target, measured, met):
    print(json.dumps({"figure": figure, "target": target, "measured": measured, "met": met}), flush=True)


def main():
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(our_times())
        theirs.append(peer_times())
    peer = least(theirs)
    for name in LAYERS:
        row = least([each[name] for each in ours])
        depthwise = name.startswith("depthwise")
        for kind in ["static", "dynamic"]:
            ratio = row["float"] / row[kind]
            report(f"{kind} int8 convolution 3x3 {name} against float ({row['route']}; {row['level']})",
                   "reported" if depthwise else f"at least {FLOAT_TARGET:.0f}x",
                   f"{ratio:.2f}x ({row[kind]:.0f} us against {row['float']:.0f} us)",
                   depthwise or ratio >= FLOAT_TARGET)
        report(f"static int8 convolution 3x3 {name} against onnxruntime {onnxruntime.__version__}", "not slower",
               f"{peer[name] / row['static']:.2f}x ({row['static']:.0f} us against {peer[name]:.0f} us)",
               row["static"] <= peer[name])
        others = ", ".join(f"{kind} {row[kind]:.0f} us" for kind in row
                           if kind not in ["layer", "level", "route", "float", "static", "dynamic"])
        report(f"other ways of the convolution 3x3 {name}", "reported", others, True)


if __name__ == "__main__":
    main()
