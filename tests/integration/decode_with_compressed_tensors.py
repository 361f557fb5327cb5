#!/usr/bin/env python3
"""decode_with_compressed_tensors.py FOLDER OUTPUT: decodes a checkpoint with the package compressed-tensors and writes
its float weights to a safetensors file.

Twice: by the compressors, weight by weight, as its converters do; and, for linear layers and embeddings, through modules
that get their quantization from the config and their tensors from the file, as transformers does. Both must agree. Where
the package is not installed, the exit code is 77.
"""

import json
import pathlib
import sys

try:
    import compressed_tensors
except ImportError:
    sys.exit(77)
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.compressors.base import decompress_module
from compressed_tensors.quantization import QuantizationConfig, apply_quantization_config
from safetensors.torch import load_file, save_file


def parts(tensors, prefix, scheme):
    compressor = BaseCompressor.get_value_from_registry(scheme.format)
    return compressor, {name: tensors[prefix + name] for name in compressor.compression_param_names(scheme)}


class Node(torch.nn.Module):
    """A place in the tree of modules."""


def shape_of(part):
    return part["weight_shape"].tolist() if "weight_shape" in part else list(part["weight"].shape)


def build(tensors, config, embeddings):
    """A model of the linear layers and embeddings that the config names."""
    root, layers = Node(), {}
    for scheme in config.config_groups.values():
        for target in scheme.targets:
            prefix = f"{target}." if target else ""
            if prefix + "weight_scale" not in tensors:
                continue  # a parameter of another name than "weight", which the package does not know
            part = parts(tensors, prefix, scheme)[1]
            rows, columns = shape_of(part) if len(shape_of(part)) == 2 else (0, 0)
            if rows == 0:
                continue
            node = root
            *path, last = target.split(".")
            for step in path:
                if not hasattr(node, step):
                    node.add_module(step, Node())
                node = getattr(node, step)
            layer = (torch.nn.Embedding(rows, columns) if target in embeddings
                     else torch.nn.Linear(columns, rows, bias=False))
            node.add_module(last, layer)
            layers[target] = (layer, prefix)
    return root, layers


def main():
    folder, output = map(pathlib.Path, sys.argv[1:])
    content = json.loads((folder / "config.json").read_text())
    config = QuantizationConfig.model_validate(content["quantization_config"])
    tensors = load_file(folder / "model.safetensors")
    decoded = {}
    for scheme in config.config_groups.values():
        for target in scheme.targets:
            prefix = f"{target}." if target else ""
            if prefix + "weight_scale" in tensors:
                compressor, part = parts(tensors, prefix, scheme)
                decoded[prefix + "weight"] = compressor.decompress(part, scheme)["weight"].contiguous()
                inputs = scheme.input_activations
                if inputs is not None and not inputs.dynamic:
                    # What a code of the input stands for, as the package's own arithmetic has it.
                    from compressed_tensors.quantization.lifecycle.forward import dequantize
                    codes = torch.arange(-128, 128, dtype=torch.int8)
                    decoded[prefix + "input_codes"] = dequantize(
                        codes, tensors[prefix + "input_scale"], tensors[prefix + "input_zero_point"], inputs)

    embeddings = {entry["name"].removesuffix(".weight") for entry in content["sizewise"]["weights"]
                  if entry["kind"] == "embedding"}
    root, layers = build(tensors, config, embeddings)
    apply_quantization_config(root, config, show_progress=False)
    for target, (layer, prefix) in layers.items():
        if not hasattr(layer, "quantization_scheme"):
            sys.exit(f"the config does not reach {target}")
        for name in [name for name, _ in layer.named_parameters(recurse=False)]:
            delattr(layer, name)
        for name, tensor in tensors.items():
            if name.startswith(prefix) and "." not in name[len(prefix):]:
                layer.register_parameter(name[len(prefix):], torch.nn.Parameter(tensor, requires_grad=False))
        decompress_module(layer)
        if not torch.equal(layer.weight, decoded[prefix + "weight"]):
            sys.exit(f"{target}: the module's weight is another than the compressor's")
    save_file(decoded, output)


if __name__ == "__main__":
    main()
