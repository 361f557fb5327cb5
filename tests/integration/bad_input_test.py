"""Bad input from the command line: one message, exit 2, nothing half-written."""
import json
import os
import pathlib
import subprocess

import harness


class BadInput(harness.Scripted):
    def refused(self, *arguments, parts, **keywords):
        done = super().refused(*arguments, parts=parts, **keywords)
        self.assertFalse(self.run_dir.exists(), "nothing is written")
        self.assertFalse((self.folder / "sizewise-runs").exists(), "nothing is written")
        return done

    def test_an_unknown_plugin(self):
        for kind, known in (("model", "cnn, gpt, mlp"), ("dataset", "idx_images, text, tokens"),
                            ("loss", "cross_entropy, mse"), ("sweep", "grid, isoflop"),
                            ("fit", "approach2, approach3")):
            changes = {kind: "nonsense"} if kind != "dataset" else {"dataset": "nonsense", "dataset-option": None}
            self.refused("find-optimal", *self.experiment(**changes),
                         parts=[f"there is no {kind} plugin 'nonsense'", "there are: ", known])

    def test_a_plugin_file_that_is_not_there(self):
        done = self.sizewise("find-optimal", *self.experiment(model="/nowhere/mine.so"), code=2)
        self.assertIn("/nowhere/mine.so: it cannot be opened: No such file or directory", done.stderr)
        self.assertFalse(self.run_dir.exists())

    def test_a_plugin_of_another_kind(self):
        self.refused("find-optimal", *self.experiment(model="text"),
                     parts=["'text' is a dataset plugin; a model plugin is needed", "sizewise plugin list"])

    def test_no_plugin_at_all(self):
        self.refused("find-optimal", *self.experiment(model=None), parts=["no model is chosen", "--model ID", "gpt"])

    def test_an_unknown_option(self):
        self.refused("find-optimal", *self.experiment(), "--model-option", "layer=2",
                     parts=["unknown option 'layer' of plugin 'gpt'", "did you mean 'layers' (integer, 1 to 128"])

    def test_an_option_of_a_wrong_type(self):
        self.refused("find-optimal", *self.experiment(), "--model-option", "layers=many",
                     parts=["option 'layers' of plugin 'gpt' is many;", "allowed: integer, 1 to 128"])

    def test_an_option_out_of_range(self):
        self.refused("find-optimal", *self.experiment(), "--sweep-option", "sizes_per_budget=1",
                     parts=["option 'sizes_per_budget' of plugin 'isoflop' is 1;", "allowed: integer, 3 to 64"])
        self.refused("find-optimal", *self.experiment(), "--dataset-option", "validation_fraction=2",
                     parts=["'validation_fraction' of plugin 'text' is 2;", "allowed: number, 0.0001 to 0.9"])

    def test_an_unknown_flag(self):
        self.refused("find-optimal", *self.experiment(), "--budget", "1e9", parts=["--budget", "--budgets"])

    def test_a_recipe_out_of_range(self):
        for flag, value, parts in (("learning-rate", "-1", ["--learning-rate is -1", "0 to 1000"]),
                                   ("schedule", "triangle", ["--schedule", "triangle", "cosine"]),
                                   ("batch-size", "0", ["--batch-size is 0", "1 to"]),
                                   ("bootstrap", "99999999", ["--bootstrap", "0 to 1000000"]),
                                   ("seed", "x", ["--seed is 'x'", "for example: --seed"]),
                                   ("jobs", "0", ["--jobs is '0'", "for example: --jobs 1"])):
            self.refused("find-optimal", *self.experiment(**{flag: value}), parts=parts)

    def test_budgets_that_are_none(self):
        for value in ("0", "-1e9", "many", "1e9:1e8:3", "nan"):
            self.refused("find-optimal", *self.experiment(budgets=value),
                         parts=[f"--budgets is '{value}'", "allowed: positive numbers", "for example: --budgets 1e9"])

    def test_no_budgets(self):
        words = self.experiment()
        at = words.index("--budgets")
        self.refused("find-optimal", *words[:at], *words[at + 2:], parts=["budgets", "--budgets 1e9"])

    def test_a_budget_too_small_for_one_batch_names_the_least_that_would_do(self):
        done = self.refused("find-optimal", *self.experiment(budgets="1000,1e10"),
                            parts=["1000 FLOPs", "too small for one batch", "at least"])
        least = done.stderr.split("at least ")[1].split(" ")[0]
        self.sizewise("plan", *self.experiment(budgets=str(1.01 * float(least))))

    def test_a_budget_that_only_repeats_the_data(self):
        self.refused("find-optimal", *self.experiment(budgets="1e10,1e11,1e22"),
                     parts=["1e+22 FLOPs", "passes over the training data", "800000 tokens", "--budgets"])

    def test_a_batch_larger_than_the_data(self):
        self.refused("find-optimal", *self.experiment(**{"batch-size": 100001}),
                     parts=["100001 samples", "100000 samples of the training split", "--batch-size 100000"])

    def test_an_option_that_is_set_twice(self):
        self.refused("find-optimal", *self.experiment(), "--dataset-option", "path=elsewhere",
                     parts=["--dataset-option sets 'path' twice", "elsewhere"])

    def test_a_path_that_is_not_utf8(self):
        done = subprocess.run([os.fsencode(harness.SIZEWISE), b"find-optimal", *map(os.fsencode, self.experiment()),
                               b"--plugin-dir", b"caf\xe9"], env=self.environment, cwd=self.folder,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(b"is not UTF-8", done.stderr)

    def test_a_working_folder_that_is_not_utf8(self):
        folder = os.path.join(os.fsencode(self.folder), b"caf\xe9")
        os.mkdir(folder)
        done = subprocess.run([harness.SIZEWISE, "find-optimal", *map(str, self.experiment())], env=self.environment,
                              cwd=folder, capture_output=True, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(b"is not UTF-8", done.stderr)
        self.assertFalse(self.run_dir.exists())

    def test_a_worker_that_is_no_worker(self):
        nothing = self.folder / "nothing"
        nothing.write_text("#!/bin/sh\necho cannot find libtorch\nexit 7\n")
        nothing.chmod(0o755)
        self.refused("find-optimal", *self.experiment(worker=nothing),
                     parts=["exited with status 7", "its log ends: cannot find libtorch"])

    def test_answers_that_are_not_the_protocol(self):
        for method, result, part in (("dataset", {"info": {"train_samples": 5}}, "fingerprint"),
                                     ("describe", {"sizes": []}, "asked for"),
                                     ("invert", {"sizes": [7]}, "none of the model's")):
            with self.subTest(method):
                self.script(faults=[{"method": method, "kind": "answer", "result": result}])
                done = self.refused("find-optimal", *self.experiment(), parts=["`" + method + "`", part])
                self.assertNotIn("json.exception", done.stderr)
                self.assertNotIn("isoflop", done.stderr)

    def test_a_grid_trial_of_less_than_a_batch(self):
        self.refused("find-optimal", *self.experiment(), "--sweep", "grid", "--sweep-option", "sizes=64",
                     "--sweep-option", "tokens=8", parts=["less than one batch of 32"])

    def test_a_grid_size_that_the_model_does_not_have(self):
        self.refused("find-optimal", *self.experiment(), "--sweep", "grid", "--sweep-option", "sizes=63",
                     "--sweep-option", "tokens=8000", parts=["63", "the nearest is"])

    def test_a_grid_without_its_options(self):
        self.refused("find-optimal", *self.experiment(), "--sweep", "grid", parts=["sizes", "grid"])

    def test_a_worker_that_is_not_there(self):
        self.refused("find-optimal", *self.experiment(worker="/nowhere/worker"), parts=["/nowhere/worker"])

    def test_a_plugin_folder_that_is_not_there(self):
        self.refused("find-optimal", *self.experiment(), "--plugin-dir", "/nowhere", parts=["/nowhere"])

    def test_a_config_file_that_is_damaged_or_has_unknown_fields(self):
        config = self.folder / "config.json"
        for text, parts in (("{", ["config.json"]), ('{"modell": "gpt"}', ["modell", "model"]),
                            ('{"recipe": {"batchsize": 3}}', ["batchsize", "batch_size"]),
                            ('{"budgets": [0]}', ["budgets"])):
            config.write_text(text)
            self.refused("find-optimal", *self.experiment(), "--config", config, parts=parts)

    def test_a_config_file_with_a_wrong_type_or_a_value_out_of_range(self):
        config = self.folder / "config.json"
        for text, parts in (('{"budgets": "many"}', ["'budgets' is \"many\"", "a list of positive numbers, in FLOPs"]),
                            ('{"model": 5}', ["'model' is 5", "a JSON object"]),
                            ('[]', ["'experiment' is []", "a JSON object"]),
                            ('{"recipe": {"batch_size": "x"}}', ["'batch_size' is \"x\"", "an integer, 1 to"]),
                            ('{"recipe": {"batch_size": 0}}', ["'batch_size' is 0", "an integer, 1 to"])):
            config.write_text(text)
            self.refused("find-optimal", *self.experiment(), "--config", config,
                         parts=["config.json", "; allowed: ", "correct it", *parts])

    def test_a_config_file_that_is_not_there(self):
        self.refused("find-optimal", "--config", self.folder / "nowhere.json", parts=["nowhere.json"])

    def test_a_fit_that_names_no_size_is_refused_before_training(self):
        self.refused("find-optimal", *self.experiment(fit=harness.BUILD / "tests" / "plugins" / "good_fit.so"),
                     parts=["good_fit", "power", "names no best size", "approach3"])
        self.assertEqual(self.started(), 0)

    def test_errors_are_json_too_where_asked(self):
        done = self.refused("find-optimal", *self.experiment(model="nonsense"), "--json", parts=["nonsense"],
                            json_too=True)
        error = json.loads(done.stdout)["error"]
        self.assertEqual(error["code"], "configuration")
        self.assertIn("nonsense", error["message"])

    def test_a_run_directory_that_cannot_be_made(self):
        done = self.sizewise("find-optimal", *self.experiment(run_dir=self.text / "run"), code=2)
        self.assertIn("text.txt", done.stderr)
        self.assertEqual(done.stderr.count("sizewise: error:"), 1)

    def test_a_run_directory_that_is_a_file(self):
        before = self.text.read_bytes()
        super().refused("find-optimal", *self.experiment(run_dir=self.text), parts=["text.txt is a file", "--run-dir"])
        super().refused("run", self.text, parts=["text.txt is no run directory", "find-optimal"])
        self.assertEqual(self.text.read_bytes(), before)

    def test_plan_refuses_what_find_optimal_does(self):
        for changes, part in (({"model": "nonsense"}, "there is no model plugin 'nonsense'"),
                              ({"budgets": "1000,1e10"}, "1000 FLOPs is too small for one batch"),
                              ({"batch-size": 0}, "--batch-size is 0")):
            self.refused("plan", *self.experiment(**changes), parts=[part])


class BadTable(harness.Folder):
    """More of these stand in tests/unit/host/cli/bad_table_test.cpp."""

    def table(self, text):
        path = self.folder / "table.csv"
        path.write_text(text)
        return path

    def fit(self, text, *more, parts):
        table = self.table(text)
        before = sorted(self.folder.iterdir())
        self.refused("fit", table, *more, parts=parts)
        self.assertEqual(sorted(self.folder.iterdir()), before, "nothing is written")

    def test_an_unknown_column(self):
        self.fit("N,D,loss\n1e6,1e7,3\n", "--columns", "params=N,tokens=DD",
                 parts=["table.csv: --columns tokens=DD: there is no column 'DD'", "the columns are N, D, loss",
                        "did you mean 'D'?"])
        self.fit("N,D,loss\n1e6,1e7,3\n", parts=["no number column 'params'", "N, D, loss", "--columns params=NAME"])

    def test_an_unknown_column_of_a_condition(self):
        self.fit("params,tokens,loss\n1e6,1e7,3\n", "--where", "source=1",
                 parts=["no number column 'source'", "its columns are params, tokens, loss"])

    def test_a_cell_of_a_wrong_type(self):
        self.fit("params,tokens,loss\n1e6,1e7,3\n1e6,many,3\n",
                 parts=["table.csv, line 3, column 'tokens': 'many' is not a number", "correct the cell"])

    def test_a_table_that_is_truncated(self):
        self.fit("params,tokens,loss\n1e6,1e7,3\n1e6,1e8", parts=["line 3: the row has 2 cells, the header 3"])

    def test_a_table_that_is_empty_or_missing(self):
        self.fit("", parts=["table.csv: the table is empty", "give a CSV file with a header"])
        self.refused("fit", self.folder / "nowhere.csv", parts=["nowhere.csv' cannot be read: No such file"])
        self.refused("fit", self.folder, parts=[f"the folder '{self.folder}' holds no runs.csv"])


class BrokenDisk(harness.Scripted):
    """The system's refusals come from a library that stands before the C library."""

    def setUp(self):
        super().setUp()
        self.shim = pathlib.Path(os.environ.get("SIZEWISE_DISK_FAULTS", harness.BUILD / "tests" / "libdisk_faults.so"))

    def break_disk(self, **settings):
        self.environment["LD_PRELOAD"] = str(self.shim)
        self.environment["DISK_FAULTS_UNDER"] = str(self.run_dir)
        for name, value in settings.items():
            self.environment["DISK_FAULTS_" + name.upper()] = str(value)

    def mend_disk(self):
        for name in [name for name in self.environment if name.startswith("DISK_FAULTS_")] + ["LD_PRELOAD"]:
            self.environment.pop(name, None)

    def test_a_read_only_folder(self):
        self.break_disk(read_only=1)
        self.refused("find-optimal", *self.experiment(),
                     parts=["Read-only file system", "choose another folder", str(self.run_dir)])
        self.assertFalse(self.run_dir.exists())
        self.assertEqual(self.started(), 0)

    def test_a_run_that_became_read_only_is_refused_and_can_be_read(self):
        self.sizewise("plan", *self.experiment())
        before = sorted(self.run_dir.rglob("*"))
        self.break_disk(read_only=1)
        self.refused("run", self.run_dir, parts=[str(self.run_dir), "cannot be written: Read-only file system"])
        self.sizewise("report", self.run_dir)
        self.assertEqual(sorted(self.run_dir.rglob("*")), before)
        self.assertEqual(self.started(), 0)

    def test_a_disk_that_fills_at_any_moment_loses_nothing(self):
        self.find_optimal(run_dir=self.folder / "undisturbed")
        expected = self.sorted_runs(self.folder / "undisturbed")
        for room in (0, 100, 3000, 5000, 7000):
            with self.subTest(bytes=room):
                self.break_disk(bytes=room)
                self.refused("find-optimal", *self.experiment(), parts=["No space left on device", "make room"])
                self.mend_disk()
                self.assertEqual([path.name for path in self.run_dir.rglob(".writing-*")], [])
                for path in self.run_dir.rglob("*.json"):
                    json.loads(path.read_text())
        self.find_optimal()
        self.assertEqual(self.sorted_runs(), expected)

    def test_too_few_open_files(self):
        words = [str(word) for word in self.experiment()]
        done = subprocess.run(["bash", "-c", 'ulimit -n 16; exec "$@"', "-", harness.SIZEWISE, "find-optimal", *words],
                              env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 2), done.stderr)
        self.assertLessEqual(done.stderr.count("sizewise: error:"), 1)


if __name__ == "__main__":
    harness.main()
