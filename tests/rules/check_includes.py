#!/usr/bin/env python3
"""check_includes.py SOURCE: who may include what.

- SDK headers: the standard library, nlohmann's forward declarations, each other; LibTorch only in
  the headers of the kinds that use it.
- The SDK knows nothing of the host; a stage of the host includes the SDK and stages to its left.
- What never links LibTorch (core, cli, fits, sweeps) includes none of it.
- No <iostream> in a library.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")')
TORCH = re.compile(r"^(torch|ATen|c10)/")
TORCH_HEADERS = {"model.hpp", "dataset.hpp", "loss.hpp", "quantizer.hpp", "tensor_map.hpp"}
STAGES = ["tables", "loading", "planning", "running", "fitting", "reporting"]
# Beside those to its left: tables are read where a run is recorded and where a law is fitted.
WITHOUT_TORCH = ["host/core", "host/cli", "plugins/fits", "plugins/sweeps"]
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


def stage_of(name):
    first = name.split("/")[0]
    return STAGES.index(first) if first in STAGES and "/" in name else None


def faults(source):
    for header in sorted((source / "sdk/include/sizewise").iterdir()):
        for number, name in included(header):
            if not sdk_header_allows(header, name):
                yield header, number, f"an SDK header may not include <{name}>"
    for path in sorted([*source.glob("**/*.cpp"), *source.glob("**/*.hpp")]):
        where = str(path.relative_to(source))
        if not where.startswith(("sdk/", "host/", "plugins/", "samples/")):
            continue
        for number, name in included(path):
            if name == "iostream" and not where.startswith("samples/") and path.name != "main.cpp":
                yield path, number, "no <iostream> in libraries"
            if TORCH.match(name) and where.startswith(tuple(WITHOUT_TORCH)):
                yield path, number, f"this part never links LibTorch, so not <{name}>"
            if where.startswith("sdk/") and stage_of(name) is not None:
                yield path, number, f'the SDK knows nothing of the host, so not "{name}"'
            if where.startswith("host/core/src/"):
                own, other = stage_of(where.removeprefix("host/core/src/")), stage_of(name)
                if own is not None and other is not None and other > own:
                    yield (path, number,
                           f'stage {STAGES[own]} may not include "{name}": {STAGES[other]} is to '
                           "its right")


def main():
    source = pathlib.Path(sys.argv[1]).resolve()
    found = list(faults(source))
    for path, number, text in found:
        print(f"{path.relative_to(source)}:{number}: {text}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
