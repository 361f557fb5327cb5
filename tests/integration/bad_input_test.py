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
        for kind in ("model", "dataset", "loss", "sweep", "fit"):
            changes = {kind: "nonsense"} if kind != "dataset" else {"dataset": "nonsense", "dataset-option": None}
            self.refused("find-optimal", *self.experiment(**changes), parts=["nonsense", kind])

    def test_a_plugin_of_another_kind(self):
        self.refused("find-optimal", *self.experiment(model="text"), parts=["text", "model"])

    def test_no_plugin_at_all(self):
        self.refused("find-optimal", *self.experiment(model=None), parts=["no model is chosen", "--model ID", "gpt"])

    def test_an_unknown_option(self):
        self.refused("find-optimal", *self.experiment(), "--model-option", "layer=2", parts=["layer", "layers"])

    def test_an_option_of_a_wrong_type(self):
        self.refused("find-optimal", *self.experiment(), "--model-option", "layers=many",
                     parts=["layers", "many", "integer"])

    def test_an_option_out_of_range(self):
        self.refused("find-optimal", *self.experiment(), "--sweep-option", "sizes_per_budget=1",
                     parts=["sizes_per_budget", "1", "3 to 64"])

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
            self.refused("find-optimal", *self.experiment(budgets=value), parts=["budgets"])

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
        self.refused("find-optimal", *self.experiment(), parts=["Read-only file system", "--run-dir", str(self.run_dir)])
        self.assertFalse(self.run_dir.exists())

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
