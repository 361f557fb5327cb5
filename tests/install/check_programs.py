#!/usr/bin/env python3
"""check_programs.py PREFIX BUILD: the installed programs run from any folder, find the same plugins
as the build tree, and nothing of the install points into the build tree."""

import json
import os
import pathlib
import subprocess
import sys

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


def plugins_of(tree):
    done = subprocess.run([tree / "bin" / "sizewise", "plugin", "list", "--json"], cwd="/",
                          env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{tree}: plugin list exits {done.returncode}: {done.stderr}")
    listed = json.loads(done.stdout)["plugins"]
    for plugin in listed:
        if not pathlib.Path(plugin["path"]).resolve().is_relative_to(tree.resolve()):
            sys.exit(f"{tree}: lists a plugin of elsewhere: {plugin['path']}")
    return {(plugin["kind"], plugin["id"]) for plugin in listed}


def check_run_paths(prefix, build):
    for path in prefix.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) != b"\x7fELF":
                    continue
            dynamic = subprocess.run(["readelf", "-d", path], capture_output=True, text=True,
                                     check=True).stdout
            for line in dynamic.split("\n"):
                if "PATH" not in line:
                    continue
                for entry in line.split("[")[1].rstrip("]").split(":"):
                    inside = pathlib.Path(os.path.normpath(entry)).is_relative_to(build)
                    # LibTorch may stand in a virtual environment below the build folder.
                    if inside and "torch" not in pathlib.Path(entry).parts:
                        sys.exit(f"{path}: its run path {entry} points into the build tree")


def main():
    prefix, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    installed, built = plugins_of(prefix), plugins_of(build)
    if not installed or installed != built:
        sys.exit(f"the install lists {sorted(installed)}, the build tree {sorted(built)}")
    check_run_paths(prefix, build)
    print(f"{len(installed)} plugins")


if __name__ == "__main__":
    main()
