"""What the integration tests share: the program, a scripted worker, folders that go away."""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("SIZEWISE_BUILD", HERE.parent.parent / "build"))
SIZEWISE = BUILD / "bin" / "sizewise"
PLUGINS = BUILD / "lib" / "sizewise" / "plugins"
SCRIPTED_WORKER = HERE / "scripted_worker.py"
TIMES = ("seconds",)  # columns of runs.csv that differ between runs


def wait_until(happens, timeout=30):
    """Waits until happens() is true; gives up in silence, for the test then fails by itself."""
    end = time.monotonic() + timeout
    while not happens() and time.monotonic() < end:
        time.sleep(0.01)


class Folder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="sizewise-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.run_dir = self.folder / "run"
        self.text = self.folder / "text.txt"
        self.text.write_text("The quick brown fox jumps over the lazy dog. " * 400)
        self.environment = dict(os.environ)
        self.environment.pop("SIZEWISE_PLUGIN_PATH", None)

    def sizewise(self, *arguments, code=0, timeout=120, **keywords):
        """Runs the program; fails unless it exits with `code`."""
        done = subprocess.run([SIZEWISE, *map(str, arguments)], env=self.environment, cwd=self.folder,
                              capture_output=True, text=True, timeout=timeout, check=False, **keywords)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        self.assertNotIn("terminate called", done.stderr)
        return done

    def refused(self, *arguments, parts, code=2, json_too=False):
        """The program refuses in one message that holds all parts and what to do next, and gives no result."""
        done = self.sizewise(*arguments, code=code)
        self.assertEqual(done.stderr.count("sizewise: error:"), 1, done.stderr)
        self.assertRegex(done.stderr, r"sizewise: error: \S.*\n  \S", "what to do next is said")
        for leak in ("json.exception", "std::", "Traceback", "terminate called", "what():", "Exception raised from"):
            self.assertNotIn(leak, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        if not json_too:
            self.assertEqual(done.stdout, "")
        return done

    def rows(self, run_dir=None):
        with open((run_dir or self.run_dir) / "runs.csv", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def sorted_runs(self, run_dir=None):
        """runs.csv as sorted lines, times aside."""
        rows = self.rows(run_dir)
        return sorted(",".join(value for name, value in row.items() if name not in TIMES) for row in rows)


class Scripted(Folder):
    """A test whose worker follows a script."""

    # Optima near 1e4 to 1e5 parameters for the budgets below.
    LAW = {"E": 1.5, "A": 60.0, "B": 90.0, "alpha": 0.4, "beta": 0.3}
    BUDGETS = "1e10,4e10,1.6e11"

    def setUp(self):
        super().setUp()
        self.environment["SIZEWISE_WORKER"] = str(SCRIPTED_WORKER)
        self.environment["SCRIPTED_WORKER"] = str(self.folder / "script.json")
        self.count = self.folder / "count"
        self.script()

    def script(self, **changes):
        script = {"law": self.LAW, "params_per_size": [20, 4], "count": str(self.count), **changes}
        (self.folder / "script.json").write_text(json.dumps(script))

    def fault(self, **fields):
        return {"method": "train", "mark": str(self.folder / "mark"), **fields}

    def started(self):
        """How many trials began."""
        return len(self.count.read_text().splitlines()) if self.count.exists() else 0

    def experiment(self, run_dir=None, budgets=None, **changes):
        flags = {"model": "gpt", "dataset": "text", "dataset-option": f"path={self.text}", "loss": "cross_entropy",
                 "budgets": budgets or self.BUDGETS, "run-dir": run_dir or self.run_dir, "bootstrap": 20,
                 "batch-size": 4, **changes}
        return [word for name, value in flags.items() if value is not None for word in ("--" + name, str(value))]

    def find_optimal(self, *more, code=0, **changes):
        done = self.sizewise("find-optimal", *self.experiment(**changes), "--json", *more, code=code)
        return json.loads(done.stdout)


def main():
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
