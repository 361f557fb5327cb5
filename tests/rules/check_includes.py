#!/usr/bin/env python3
"""check_includes.py SOURCE: who may include what.

- SDK headers: the standard library, nlohmann's forward declarations, each other; LibTorch only in
  the headers of the kinds that use it.
- The SDK knows nothing of the host; a stage of the host and a layer of the worker include the SDK
  and what stands to their left. What leads through all of them (the sources above the folders) may
  include any, and nobody includes that.
- What never links LibTorch (core, cli, fits, sweeps) includes none of it, nor SDK headers that do.
- Boost.DLL is used where plugins are loaded, <iostream> in no library.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")')
TORCH = re.compile(r"^(torch|ATen|c10)/")
TORCH_HEADERS = {"model.hpp", "dataset.hpp", "loss.hpp", "quantizer.hpp", "tensor_map.hpp"}
# The folders of each part, in the order of the data.
ORDERS = {
    "host/core/src/": ["tables", "loading", "planning", "running", "fitting", "reporting"],
    "host/worker/src/": ["kernels", "training", "checkpoint", "contract", "serving"],
}
WITHOUT_TORCH = ["host/core", "host/cli", "host/worker/src/kernels", "plugins/fits", "plugins/sweeps"]
STANDARD = re.compile(r"^[a-z0-9_]+(\.h)?$")


def included(path):
    for number, line in enumerate(path.read_text().split("\n"), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1)[1:-1]


def sdk_header_allows(header, name):
    if name == "iostream":
        return False
    if STANDARD.match(name) or name == "nlohmann/json_fwd.hpp":
        return True
    if name.startswith("sizewise/"):
        return (header.parent / pathlib.Path(name).name).is_file()
    if TORCH.match(name):
        return header.name in TORCH_HEADERS or name == "torch/version.h"
    return False


def faults_of_sdk(source):
    for header in sorted((source / "sdk/include/sizewise").iterdir()):
        for number, name in included(header):
            if not sdk_header_allows(header, name):
                yield header, number, f"an SDK header may not include <{name}>"


def order_fault(source, where, name):
    """What is wrong with `name` in a source that lies in a part with an order; else None."""
    for part, folders in ORDERS.items():
        own, other = where.removeprefix(part).split("/")[0], name.split("/")[0]
        if not where.startswith(part) or own not in folders:
            continue
        if "/" not in name and (source / part / name).is_file():
            return f'{own} may not include "{name}", which leads through all folders of {part}'
        if "/" in name and other in folders[folders.index(own) + 1:]:
            return f'{own} may not include "{name}": {other} is to its right'
    return None


def fault_of(source, path, where, name):
    folders = [folder for order in ORDERS.values() for folder in order]
    if name == "iostream" and not where.startswith("samples/") and path.name != "main.cpp":
        return "no <iostream> in libraries"
    if where.startswith(tuple(WITHOUT_TORCH)):
        header = name.removeprefix("sizewise/")
        if TORCH.match(name) or (header != name and header in TORCH_HEADERS):
            return f"this part never links LibTorch, so not <{name}>"
    if where.startswith("sdk/") and "/" in name and name.split("/")[0] in folders:
        return f'the SDK knows nothing of the host, so not "{name}"'
    if name.startswith("boost/dll") and not where.startswith("host/core/src/loading/"):
        return f"only host/core/src/loading uses Boost.DLL, so not <{name}>"
    return order_fault(source, where, name)


def faults(source):
    yield from faults_of_sdk(source)
    seen = 0
    for path in sorted([*source.glob("**/*.cpp"), *source.glob("**/*.hpp")]):
        where = str(path.relative_to(source))
        if where.startswith(("sdk/", "host/", "plugins/", "samples/")):
            seen += 1
            for number, name in included(path):
                if fault := fault_of(source, path, where, name):
                    yield path, number, fault
    if seen < 100:
        yield source, 0, f"only {seen} sources were found"


def main():
    source = pathlib.Path(sys.argv[1]).resolve()
    found = list(faults(source))
    for path, number, text in found:
        print(f"{path.relative_to(source)}:{number}: {text}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
