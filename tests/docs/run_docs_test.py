#!/usr/bin/env python3
"""Tests of run_docs.py: a test that cannot fail would let every document pass."""

import pathlib
import tempfile
import unittest

import run_docs


def faults_of(text):
    with tempfile.TemporaryDirectory() as folder:
        document = pathlib.Path(folder) / "document.md"
        document.write_text(text)
        return run_docs.run_document(document, pathlib.Path(folder), pathlib.Path(folder) / "work")


class RunDocs(unittest.TestCase):
    def test_runs_blocks_in_one_shell_and_folder(self):
        self.assertEqual(faults_of(
            "<!-- file: a/b.txt -->\n```text\nhello\n```\n```sh\ncd a\nword=hello\n```\n"
            "```sh\ngrep -q $word b.txt\n```\n"), [])

    def test_reports_the_block_that_fails(self):
        faults = faults_of("```sh\ntrue\n```\n\n```sh\nfalse\ntrue\n```\n")
        self.assertEqual(len(faults), 1)
        self.assertIn("line 5", faults[0])

    def test_leaves_other_blocks_alone(self):
        self.assertEqual(faults_of("```text\nfalse\n```\n```\nfalse\n```\n"), [])

    def test_compares_output_but_not_its_numbers(self):
        text = "```sh\nprintf 'loss 3.25 at 1.2e+09\\nmore\\nend\\n'\n```\n<!-- output -->\n```text\n"
        self.assertEqual(faults_of(text + "loss  2.5 at 7e8\n...\nend\n```\n"), [])
        self.assertEqual(len(faults_of(text + "loss 2.5 at 7e8\nend\n```\n")), 1)
        self.assertEqual(len(faults_of(text + "gain 3.25 at 1.2e+09\n...\n```\n")), 1)

    def test_wants_a_reason_for_what_is_not_run(self):
        self.assertEqual(len(faults_of("<!-- not run -->\n```sh\nfalse\n```\n")), 1)
        self.assertEqual(faults_of("<!-- not run: it takes a day -->\n```sh\nfalse\n```\n"), [])

    def test_wants_long_programs_to_be_built(self):
        program = "```cpp\n" + "int x;\n" * 20 + "```\n"
        self.assertEqual(len(faults_of(program)), 1)
        self.assertEqual(faults_of("<!-- file: x.cpp -->\n" + program), [])


if __name__ == "__main__":
    unittest.main()
