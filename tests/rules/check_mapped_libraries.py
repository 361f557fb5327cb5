#!/usr/bin/env python3
"""check_mapped_libraries.py SIZEWISE: commands that need no model map no LibTorch, not even for a
moment: the loader's own record of every file that it opened."""

import pathlib
import subprocess
import sys
import tempfile

TABLE = "params,tokens,loss\n" + "".join(
    f"{n},{d},{1.7 + 400 / n**0.34 + 400 / d**0.34!r}\n"
    for n in (1e6, 3e6, 1e7, 3e7, 1e8) for d in (1e8, 3e8, 1e9, 3e9, 1e10))


def opened_by(command, folder):
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True,
                   env={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(folder / "loader")})
    return "".join(path.read_text() for path in folder.glob("loader.*"))


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        table = folder / "runs.csv"
        table.write_text(TABLE)
        for words in (["--version"], ["plugin", "list"], ["fit", str(table), "--fit", "approach3"]):
            opened = opened_by([program, *words], folder)
            if "libsizewise_sdk" not in opened:
                sys.exit("the loader's record names no library of ours; this check sees nothing")
            for library in ("libtorch", "libc10"):
                if library in opened:
                    sys.exit(f"sizewise {' '.join(words)} opens {library}")


if __name__ == "__main__":
    main()
