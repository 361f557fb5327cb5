#!/usr/bin/env python3
"""read_compressed_tensors.py FOLDER OUTPUT: decodes a checkpoint of compressed-tensors with numpy alone and writes
its float weights to a safetensors file.

Written from the description of the format, not from our writer: it shares no code with either, and looks at nothing but
`quantization_config`. A target's codes are `TARGET.weight` (or, where a target names a parameter, the parameter itself).
Where it has static inputs, their scale and zero point are written as the file holds them.
"""

import json
import pathlib
import struct
import sys

import numpy

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1",
         "BOOL": "?", "BF16": "<u2"}


def read(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        size = numpy.dtype(TYPES[entry["dtype"]]).itemsize
        if (begin - 8 - length) % size:
            sys.exit(f"{name} does not begin at a multiple of its element's size")
        tensors[name] = numpy.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def write(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        kind = {"<f4": "F32", "|i1": "I8"}[tensor.dtype.str]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + tensor.nbytes]}
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def unpack(words, bits, count):
    """Rows of words to rows of `count` codes: element i stands at bit i * bits, plus 2^(bits-1)."""
    codes = numpy.zeros((words.shape[0], count), numpy.int32)
    wide = words.astype(numpy.uint32).astype(numpy.uint64)
    for i in range(count):
        word, bit = divmod(i * bits, 32)
        value = wide[:, word] >> numpy.uint64(bit)
        if bit + bits > 32:
            value = value | (wide[:, word + 1] << numpy.uint64(32 - bit))
        codes[:, i] = (value & numpy.uint64((1 << bits) - 1)).astype(numpy.int32) - (1 << (bits - 1))
    return codes


def decode(tensors, name, group):
    weights = group["weights"]
    bits, strategy = weights["num_bits"], weights["strategy"]
    scale = tensors[name + "_scale"]
    zero_point = None if weights["symmetric"] else tensors[name + "_zero_point"]
    if group["format"] == "pack-quantized":
        rows, columns = tensors[name + "_shape"]
        codes = unpack(tensors[name + "_packed"], bits, columns)
        if zero_point is not None and strategy != "tensor":
            zero_point = unpack(zero_point.T, bits, rows).T
    else:
        codes = tensors[name].astype(numpy.int32)
    if strategy == "group":
        scale = numpy.repeat(scale, weights["group_size"], axis=-1)
        zero_point = None if zero_point is None else numpy.repeat(zero_point, weights["group_size"], axis=-1)
    if zero_point is not None:
        codes = codes - zero_point.astype(numpy.int32)
    return codes.astype(numpy.float32) * scale


def main():
    folder, output = map(pathlib.Path, sys.argv[1:])
    config = json.loads((folder / "config.json").read_text())["quantization_config"]
    if config["quant_method"] != "compressed-tensors" or config["quantization_status"] != "compressed":
        sys.exit("not a compressed-tensors checkpoint")
    tensors = read(folder / "model.safetensors")
    decoded = {}
    for group in config["config_groups"].values():
        for target in group["targets"]:
            name = f"{target}.weight" if target else "weight"
            if name + "_scale" not in tensors:
                name = target
            decoded[name] = decode(tensors, name, group)
            inputs = group["input_activations"]
            if inputs is not None and not inputs["dynamic"]:
                prefix = name.removesuffix("weight") if name.endswith("weight") else name + "_"
                for part in ["input_scale", "input_zero_point"]:
                    decoded[prefix + part] = tensors[prefix + part]
    write(output, decoded)


if __name__ == "__main__":
    main()
