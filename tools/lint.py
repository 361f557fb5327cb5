#!/usr/bin/env python3
"""lint.py BUILD_FOLDER [--changed | FILE...]: clang-tidy over the project's own sources.

Nine tenths of what clang-tidy costs are the headers of libraries, so sources with one configuration
and one compile command are checked in groups, as one translation unit; where sources cannot stand in
one unit, the group is halved. Sources that include LibTorch are checked only
where changed: against where this branch left main, or against the commit before where it is main.
With --changed no source is checked that has not changed. FILEs that are named are checked, each alone. A verdict is kept in BUILD_FOLDER/clean under a key that
covers the source, every header of the project that it reaches, its command and the configuration.
"""

import concurrent.futures
import hashlib
import itertools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent
TIDY, CLANG = "clang-tidy-19", "clang++-19"
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
LOCATION = re.compile(r"^(/[^:\n]+):\d+:\d+: (?:warning|error):", re.MULTILINE)
TORCH = re.compile(r"^(torch|ATen|c10)/")


def git(*arguments):
    done = subprocess.run(["git", "-C", str(SOURCE), *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def changed_files():
    """Paths that differ from where this branch left main, committed or not."""
    head = git("rev-parse", "HEAD")
    base = ""
    for name in ("origin/main", "main"):
        base = git("merge-base", "HEAD", name)
        if base and base != head:
            break
    if not base or base == head:
        base = git("rev-parse", "HEAD~1") or head
    names = git("diff", "--name-only", base) + "\n" + git("ls-files", "-o", "--exclude-standard")
    return {SOURCE / name for name in names.split("\n") if name}


class Includes:
    """The headers of the project that a file reaches, and whether it reaches LibTorch."""

    def __init__(self):
        self.direct = {}

    def names_in(self, path):
        if path not in self.direct:
            self.direct[path] = INCLUDE.findall(path.read_text(errors="replace"))
        return self.direct[path]

    def reach(self, source, folders):
        seen, torch, open_files = {source}, False, [source]
        while open_files:
            path = open_files.pop()
            for name in self.names_in(path):
                torch = torch or bool(TORCH.match(name))
                for folder in [path.parent, *folders]:
                    header = folder / name
                    if header.is_file():
                        header = pathlib.Path(os.path.normpath(header))
                        if header not in seen:
                            seen.add(header)
                            open_files.append(header)
                        break
        return seen, torch


def entries(build):
    """The compile commands of our own C++ sources, one a source."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if path.suffix == ".cpp" and SOURCE in path.parents and build not in path.parents:
            found.setdefault(path, entry)
    return found


def project_folders(command):
    """Include folders of a compile command that lie in the project."""
    words = shlex.split(command)
    folders = [word[2:] for word in words if word.startswith("-I") and len(word) > 2]
    folders += [words[i + 1] for i, word in enumerate(words[:-1]) if word == "-isystem"]
    paths = [pathlib.Path(folder) for folder in folders]
    return [path for path in paths if SOURCE in path.parents]


def configuration_files(path):
    return [folder / ".clang-tidy" for folder in path.parents
            if (folder == SOURCE or SOURCE in folder.parents) and (folder / ".clang-tidy").is_file()]


class Source:
    """One source with all that its verdict depends on."""

    def __init__(self, path, entry, headers, torch):
        self.path, self.headers, self.torch, self.folder = path, headers, torch, entry["directory"]
        words = entry.get("arguments") or shlex.split(entry["command"])
        if "ccache" in words[0]:
            words = words[1:]
        words = words[: words.index("-o")] if "-o" in words else words
        self.flags = [word for word in words if word not in ("-c", str(path), entry["file"])]
        self.configuration = configuration_files(path)
        digest = hashlib.sha256(repr(self.flags).encode())
        for file in [*self.configuration, *sorted(headers)]:
            digest.update(str(file.relative_to(SOURCE)).encode() + file.read_bytes())
        self.key = digest.hexdigest()

    def group(self):
        return (tuple(self.flags), tuple(self.configuration), self.torch)


class Linter:
    def __init__(self, folder, keep):
        self.folder, self.keep, self.number = folder, keep, itertools.count()

    def check(self, sources):
        """Findings of sources that can stand in one unit; elsewhere, of halves of them."""
        if len(sources) > 1 and not self.stands_in_one_unit(sources):
            return self.halves(sources)
        findings = self.tidy(sources)
        named = {pathlib.Path(os.path.normpath(name)) for name in LOCATION.findall(findings)}
        for source in sources:
            if not findings or (named and not named & source.headers):
                (self.keep / source.key).touch()
        return [findings] if findings else []

    def halves(self, sources):
        middle = len(sources) // 2
        return self.check(sources[:middle]) + self.check(sources[middle:])

    def stands_in_one_unit(self, sources):
        self.write_unit(sources, unit := self.unit_folder())
        flags = [flag for flag in sources[0].flags[1:] if not flag.startswith("-W")]
        command = [CLANG, "-w", "-fsyntax-only", *flags, str(unit / "unit.cpp")]
        return subprocess.run(command, capture_output=True, cwd=sources[0].folder).returncode == 0

    def unit_folder(self):
        unit = self.folder / str(next(self.number))
        unit.mkdir(parents=True)
        return unit

    def write_unit(self, sources, unit):
        """A folder with one unit that includes the sources, its command and its configuration."""
        text = "".join(f'#include "{source.path}"\n' for source in sources)
        (unit / "unit.cpp").write_text(text)
        arguments = [*sources[0].flags, "-c", str(unit / "unit.cpp")]
        (unit / "compile_commands.json").write_text(json.dumps(
            [{"directory": sources[0].folder, "file": str(unit / "unit.cpp"),
              "arguments": arguments}]))
        done = subprocess.run([TIDY, "--dump-config", str(sources[0].path), "--"],
                              capture_output=True, text=True, check=True)
        # The dump names options that clang-tidy then refuses to read.
        kept = [line for line in done.stdout.splitlines() if "HungarianPrefix" not in line]
        (unit / ".clang-tidy").write_text("\n".join(kept) + "\n")

    def tidy(self, sources):
        """What clang-tidy says about the sources as one unit; empty where they are clean."""
        self.write_unit(sources, unit := self.unit_folder())
        command = [
            TIDY, "--quiet", "-p", str(unit), "--checks=-bugprone-suspicious-include",
            rf"--header-filter=^{re.escape(str(SOURCE))}/.*\.(h|hpp|cpp)$",
            "--extra-arg=-Wno-ignored-gch", "--extra-arg=-Wno-unknown-warning-option",
            str(unit / "unit.cpp")]
        done = subprocess.run(command, capture_output=True, text=True)
        return "" if done.returncode == 0 else done.stdout + done.stderr


def gather(build):
    """Every source of ours that the build compiles."""
    includes = Includes()
    for path, entry in entries(build).items():
        command = entry.get("command") or shlex.join(entry["arguments"])
        reached, torch = includes.reach(path, project_folders(command))
        headers = {header for header in reached if SOURCE in header.parents}
        yield Source(path, entry, headers, torch)


def groups_of(sources, size):
    by_key = {}
    for source in sources:
        by_key.setdefault(source.group(), []).append(source)
    for members in by_key.values():
        # Equal shares: two groups of 7 rather than one of 12 and one of 2.
        count = -(-len(members) // size)
        for i in range(count):
            yield members[i * len(members) // count:(i + 1) * len(members) // count]


def select(sources, wanted, only_changed, keep):
    """Sources to check, how many are known to be clean, how many are left out as unchanged."""
    if wanted:
        return [source for source in sources if source.path in wanted], 0, 0
    changed = changed_files()
    due = [source for source in sources
           if source.path in changed or not (source.torch or only_changed)]
    todo = [source for source in due if not (keep / source.key).exists()]
    return todo, len(due) - len(todo), len(sources) - len(due)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    only_changed = "--changed" in sys.argv[2:]
    wanted = {pathlib.Path(name).resolve() for name in sys.argv[2:] if name != "--changed"}
    keep = build / "clean"
    keep.mkdir(exist_ok=True)
    todo, known, unchanged = select(list(gather(build)), wanted, only_changed, keep)
    jobs, findings = int(os.environ.get("SIZEWISE_JOBS", os.cpu_count())), []
    with tempfile.TemporaryDirectory(dir=build) as folder:
        linter = Linter(pathlib.Path(folder), keep)
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            groups = sorted(groups_of(todo, 1 if wanted else 24), key=lambda group: -len(group))
            for found in pool.map(linter.check, groups):
                findings += found
    for text in findings:
        print(text, flush=True)
    print(f"lint: {len(todo)} checked, {known} known to be clean, {unchanged} left out as "
          "unchanged", file=sys.stderr)
    if findings:
        names = sorted({os.path.relpath(name, SOURCE) for name in LOCATION.findall("".join(findings))})
        sys.exit("lint: findings in " + ", ".join(names))


if __name__ == "__main__":
    main()
