#!/usr/bin/env python3
"""check_command_line.py SIZEWISE DOCUMENT: the document and `sizewise --help` name the same commands
and, under each command's heading or the common one, the same flags."""

import pathlib
import re
import subprocess
import sys

FLAG = re.compile(r"--[a-z][a-z0-9-]*")
COMMON = "Flags of every command"


def help_of(program, *words):
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"sizewise {' '.join(words)} --help exits {done.returncode}: {done.stderr}")
    return done.stdout


def commands_of(program):
    """The commands that `sizewise --help` lists: indented words at the start of a line."""
    return re.findall(r"^ {2,4}([a-z][a-z-]+)\s", help_of(program), re.MULTILINE)


def sections_of(document):
    """Heading -> text, for headings of the second and third level."""
    # Examples show flags of other commands too.
    text = re.sub(r"^```sh$.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"^##+ (.*)$", text, flags=re.MULTILINE)
    return {heading.strip("` "): text for heading, text in zip(parts[1::2], parts[2::2])}


def main():
    program, document = sys.argv[1], pathlib.Path(sys.argv[2])
    sections, faults = sections_of(document), []
    shared = set().union(*(FLAG.findall(text) for heading, text in sections.items()
                           if heading.startswith("Flags of")), set())
    commands = commands_of(program)
    if not commands:
        sys.exit("`sizewise --help` lists no commands")
    all_flags = set()
    for command in commands:
        text = help_of(program, command)
        # A command with commands of its own names them, as in "sizewise plugin list --help".
        for word in re.findall(rf"sizewise {command} ([a-z]+) --help", text):
            text += help_of(program, command, word)
        flags = set(FLAG.findall(text))
        all_flags |= flags
        text = sections.get(f"sizewise {command}")
        if text is None:
            faults.append(f"no section 'sizewise {command}'")
            continue
        for flag in sorted(flags - set(FLAG.findall(text)) - shared):
            faults.append(f"sizewise {command}: {flag} is not described")
        for flag in sorted(set(FLAG.findall(text)) - flags - {"--version"}):
            faults.append(f"sizewise {command}: there is no {flag}")
    for heading, text in sections.items():
        if heading.startswith("sizewise ") and heading.split()[1] not in commands:
            faults.append(f"section '{heading}': there is no such command")
    for flag in sorted(shared - all_flags - {"--version"}):
        faults.append(f"shared flags: no command has {flag}")
    print("\n".join(f"{document.name}: {fault}" for fault in faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
