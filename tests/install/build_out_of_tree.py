#!/usr/bin/env python3
"""Builds a project out of tree against an installed Sizewise, then runs its tests where it has any."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys


def run(command, **arguments):
    print("$", *command, flush=True)
    done = subprocess.run([str(word) for word in command], text=True, **arguments)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode}: {' '.join(map(str, command))}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=pathlib.Path)
    parser.add_argument("--prefix", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--launcher", default="")
    parser.add_argument("--plugin", help="id that `plugin list` must show afterwards")
    options = parser.parse_args()

    # Copied, so that nothing beside the project helps it.
    shutil.rmtree(options.work, ignore_errors=True)
    shutil.copytree(options.project, options.work / "source")
    build = options.work / "build"
    run(["cmake", "-S", options.work / "source", "-B", build, "-G", "Ninja",
         f"-DCMAKE_PREFIX_PATH={options.prefix}", f"-DCMAKE_CXX_COMPILER={options.compiler}",
         f"-DCMAKE_CXX_COMPILER_LAUNCHER={options.launcher}", "-DCMAKE_BUILD_TYPE=Release"])
    run(["cmake", "--build", build])
    environment = {**os.environ, "PATH": f"{options.prefix}/bin:{os.environ['PATH']}"}
    if (build / "CTestTestfile.cmake").is_file():
        run(["ctest", "--test-dir", build, "--output-on-failure"], env=environment)
    if options.plugin:
        listed = run([options.prefix / "bin" / "sizewise", "plugin", "list", "--plugin-dir",
                      build / "plugins"], cwd="/", stdout=subprocess.PIPE)
        if options.plugin not in listed:
            sys.exit(f"plugin list does not show {options.plugin}:\n{listed}")


if __name__ == "__main__":
    main()
