#!/usr/bin/env python3
"""check_first_errors.py COMPILER FLAGS_FILE FOLDER: compiles FOLDER/all.cpp and holds the first error in
each case's own file to the sentence that its author shall read."""

import pathlib
import re
import subprocess
import sys

SENTENCES = {
    "accepted": None,
    "count_parameters": "Net has no num_params(). Did you mean count_parameters()? Rename it to num_params().",
    "mutable_num_params": "num_params() of Net must be const and return an integer",
    "no_num_params": "Net has no num_params(). Add `int64_t num_params() const",
    "private_constructor": "Net needs a public constructor from (int64_t size)",
    "wrong_base": "Net must derive publicly from torch::nn::Module",
    "wrong_forward": "Net needs `torch::Tensor forward(const torch::Tensor& input)`",
    "wrong_kind": 'the macro in this source and "kind" in plugin.json name different kinds of plugin',
}


def first_errors(text):
    """The first error of each file, by the file's stem."""
    errors = {}
    for path, message in re.findall(r"^([^:\s]+):\d+:\d+: (?:fatal )?error: (.*)$", text, re.MULTILINE):
        errors.setdefault(pathlib.Path(path).stem, message.replace('\\"', '"'))
    return errors


def main():
    compiler, flags, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    limit = ["-ferror-limit=0"] if "clang" in compiler else []
    done = subprocess.run([compiler, "@" + flags, *limit, str(folder / "all.cpp")],
                          capture_output=True, text=True, errors="replace")
    errors = first_errors(done.stderr)
    faults = []
    for case, sentence in SENTENCES.items():
        said = errors.get(case)
        if sentence is None and said is not None:
            faults.append(f"{case}.cpp should compile and does not: {said}")
        elif sentence is not None and sentence not in (said or ""):
            faults.append(f"{case}.cpp should say first\n    {sentence}\n  and says\n    {said}")
    if faults:
        sys.exit("\n".join(faults) + "\n\n" + done.stderr[:4000])


if __name__ == "__main__":
    main()
