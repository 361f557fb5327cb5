#!/usr/bin/env python3
"""check_sources.py SOURCE: what no source may hold, and how long it may be."""

import pathlib
import re
import subprocess
import sys

LONGEST = 400
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b|not (yet )?implemented")
SILENCED = re.compile(r"GTEST_SKIP|DISABLED_|EXPECT_TRUE\(true\)|SUCCEED\(\)")
REASON = re.compile(r"NOLINT[A-Z]*(\([^)]*\))?(:| --)|NOLINTEND")
ONE_MACHINE = re.compile(r"/(root|home)/\w")


def sources(source):
    """What git knows or could know; all files where there is no git."""
    done = subprocess.run(
        ["git", "-C", str(source), "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True)
    names = done.stdout.split("\n") if done.returncode == 0 else [
        str(path.relative_to(source)) for path in source.glob("**/*")]
    suffixes = {".cpp", ".hpp", ".h", ".c", ".py", ".sh", ".cmake", ".in", ".md", ".json", ".txt", ""}
    for name in names:
        path = source / name
        if name and path.is_file() and path.suffix in suffixes and "corpus" not in path.parts and path.name != pathlib.Path(__file__).name:
            yield path


def faults_in(path):
    try:
        lines = path.read_text().split("\n")
    except UnicodeDecodeError:
        return
    is_code = path.suffix in {".cpp", ".hpp", ".h", ".c", ".py", ".sh", ".cmake"}
    if is_code and len(lines) > LONGEST + 1:
        yield 1, f"{len(lines) - 1} lines; at most {LONGEST}"
    for number, line in enumerate(lines, 1):
        if is_code and UNFINISHED.search(line):
            yield number, "unfinished work belongs in an issue"
        if is_code and SILENCED.search(line):
            yield number, "a test that is skipped or cannot fail"
        if is_code and "NOLINT" in line and not REASON.search(line):
            yield number, "a silenced check needs its reason behind a colon"
        if ONE_MACHINE.search(line):
            yield number, "a path of one machine, or the host of a registry"


def main():
    source = pathlib.Path(sys.argv[1]).resolve()
    count = 0
    for path in sources(source):
        for number, text in faults_in(path):
            print(f"{path.relative_to(source)}:{number}: {text}")
            count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
