#!/usr/bin/env python3
"""Follows a document word by word, as a reader would, in one empty folder and one shell.

In Markdown:

- A block tagged `sh` is run; the first command that fails fails the document.
- `<!-- file: NAME -->` before a block writes the block to that file.
- `<!-- output -->` before a block compares it with what the last `sh` block printed on standard
  output: line by line, every number as good as any other, a line of `...` for any number of lines.
- `<!-- not run: REASON -->` before a `sh` block: it is not run.
- Blocks with other tags are left alone.

The shell has the programs of --prefix on its PATH and --prefix in CMAKE_PREFIX_PATH.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

FENCE = re.compile(r"^(```+)\s*(\w*)\s*$")
MARK = re.compile(r"^<!--\s*(file|output|not run)\s*(?::\s*(.*?))?\s*-->\s*$")
NUMBER = re.compile(r"[-+]?(\d[\d,']*\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
COMPILED = {"cpp", "c", "cmake", "json", "python"}


@dataclasses.dataclass
class Block:
    line: int
    tag: str
    mark: str  # "", "file", "output" or "not run"
    detail: str
    text: str


def blocks_of(text):
    """The fenced blocks of a document, each with the mark that stands before it."""
    blocks, mark, open_block, fence = [], ("", ""), None, ""
    for number, line in enumerate(text.split("\n"), 1):
        if open_block is not None:
            if line.strip() == fence:
                open_block.text = "".join(open_block.text)
                blocks.append(open_block)
                open_block = None
            else:
                open_block.text.append(line + "\n")
            continue
        fenced, marked = FENCE.match(line), MARK.match(line)
        if fenced:
            fence = fenced.group(1)
            open_block = Block(number, fenced.group(2), *mark, [])
            mark = ("", "")
        elif marked:
            mark = (marked.group(1), marked.group(2) or "")
        elif line.strip():
            mark = ("", "")
    if open_block is not None:
        sys.exit(f"the block that starts in line {open_block.line} never ends")
    return blocks


def shape(line):
    """What must agree between a line shown and a line printed."""
    line = NUMBER.sub("0", line)
    line = re.sub(r"[-─━=]{2,}", "-", line)
    return " ".join(line.split())


def agrees(shown, printed):
    """Whether the lines agree in shape; `...` stands for any number of lines."""
    if not shown:
        return not printed
    if shown[0].strip() == "...":
        return any(agrees(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    return bool(printed) and shape(shown[0]) == shape(printed[0]) and agrees(shown[1:], printed[1:])


def lines_of(text):
    return [line for line in text.split("\n") if line.strip()]


def script_for(blocks, work):
    """One bash script for the document; what block i prints goes to work/i.out."""
    parts = ["set -euo pipefail\n"]
    for i, block in enumerate(blocks):
        if block.mark == "file":
            source = work / f"{i}.file"
            source.write_text(block.text)
            target = block.detail
            parts.append(f"mkdir -p \"$(dirname '{target}')\" && cp '{source}' '{target}'\n")
        elif block.tag == "sh" and block.mark != "not run":
            parts.append(f"echo {block.line} > '{work}/line'\n")
            parts.append(f"{{\n{block.text}\n}} > '{work}/{i}.out'\n")
    return "".join(parts)


def check_marks(blocks):
    """Faults of the document itself."""
    for block in blocks:
        if block.mark == "file" and not block.detail:
            yield f"line {block.line}: <!-- file: NAME --> needs a name"
        if block.mark == "not run" and len(block.detail.split()) < 3:
            yield f"line {block.line}: <!-- not run: REASON --> needs a reason"
        if block.tag in COMPILED and block.mark == "" and len(lines_of(block.text)) > 12:
            yield (f"line {block.line}: a program of {len(lines_of(block.text))} lines that nothing "
                   "builds; name its file")


def compare_outputs(blocks, work):
    """A line for each block of output that is not what was printed."""
    printed = None
    for i, block in enumerate(blocks):
        if block.tag == "sh" and block.mark == "":
            printed = (work / f"{i}.out").read_text()
        if block.mark == "output":
            if printed is None:
                yield f"line {block.line}: output before any command"
            elif not agrees(lines_of(block.text), lines_of(printed)):
                yield (f"line {block.line}: shows\n{block.text}\nbut the command before it printed"
                       f"\n{printed}")


def run_document(document, prefix, work):
    """Faults of a document, as texts."""
    shutil.rmtree(work, ignore_errors=True)
    folder = work / "folder"
    folder.mkdir(parents=True)
    blocks = blocks_of(document.read_text())
    faults = list(check_marks(blocks))
    environment = {
        **os.environ,
        "HOME": str(folder),
        "PATH": f"{prefix}/bin:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "CMAKE_PREFIX_PATH": str(prefix),
        "CMAKE_GENERATOR": "Ninja",
        "CMAKE_CXX_COMPILER_LAUNCHER": shutil.which("ccache") or "",
        # The cache stays where it is although HOME does not.
        "CCACHE_DIR": os.environ.get("CCACHE_DIR", os.path.expanduser("~/.cache/ccache")),
    }
    done = subprocess.run(["bash", "-c", script_for(blocks, work)], cwd=folder, env=environment,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        line = (work / "line").read_text().strip() if (work / "line").is_file() else "?"
        printed = [(work / f"{i}.out").read_text() for i, _ in enumerate(blocks)
                   if (work / f"{i}.out").is_file()]
        return [*faults, f"the block of line {line} exits {done.returncode}:\n"
                f"{''.join(printed[-1:])[-4000:]}{done.stderr[-4000:]}"]
    return faults + list(compare_outputs(blocks, work))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("document", type=pathlib.Path)
    parser.add_argument("--prefix", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    options = parser.parse_args()
    faults = run_document(options.document, options.prefix, options.work)
    for fault in faults:
        print(f"{options.document.name}: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
