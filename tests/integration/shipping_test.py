"""`sizewise find-optimal --quantizer`: the recommended model is trained and quantized, with a scripted worker."""
import json
import signal
import subprocess

import harness


class Shipping(harness.Scripted):
    def setUp(self):
        super().setUp()
        self.requests_file = self.folder / "requests"
        self.script()

    def script(self, **changes):
        super().script(**{"quantized": str(self.folder / "requests"), **changes})

    def requests(self):
        return [json.loads(line) for line in self.requests_file.read_text().splitlines()] \
            if self.requests_file.exists() else []

    def trained(self, made):
        """How often the recommended model was trained."""
        trials = self.count.read_text().splitlines()
        return trials.count(f"{made['size']} {made['tokens']}")

    def test_trains_the_recommended_size_and_quantizes_it(self):
        answer = self.find_optimal("--quantizer", "static", "--quantizer-option", "bits=4",
                                   "--calibration-batches", "6")
        made = answer["recommendation"]
        self.assertEqual(self.trained(made), 1)
        model, quantized = self.run_dir / "model", self.run_dir / "quantized"
        facts = json.loads((model / "model.json").read_text())
        self.assertEqual((facts["size"], facts["result"]["tokens"]), (made["size"], made["tokens"]))
        self.assertEqual((answer["model"]["size"], answer["model"]["tokens"]), (made["size"], made["tokens"]))
        self.assertEqual((answer["model"]["folder"], answer["model"]["reused"]), (str(model), False))
        self.assertEqual(answer["model"]["loss"], facts["result"]["loss"])
        asked, = self.requests()
        self.assertEqual((asked["checkpoint"], asked["output"]), (str(model), str(quantized)))
        self.assertEqual((asked["quantizer"]["options"]["bits"], asked["calibration_batches"]), (4, 6))
        self.assertEqual(asked["dataset"]["options"]["path"], str(self.text))
        self.assertTrue(asked["evaluate"])
        self.assertEqual({path.name for path in quantized.iterdir()},
                         {"model.safetensors", "config.json", "model.json"})
        self.assertEqual((answer["quantization"]["success"], answer["quantization"]["quantizer"]), (True, "static"))
        self.assertEqual(answer["quantization"]["evaluation"]["quantized"]["loss"], 1.51)
        stored = json.loads((self.run_dir / "outcome.json").read_text())
        self.assertEqual(stored["quantization"], answer["quantization"])
        report = json.loads(self.sizewise("report", self.run_dir, "--json").stdout)
        self.assertEqual((report["quantization"], report["model"]), (answer["quantization"], answer["model"]))

    def test_a_config_file_names_the_quantizer_and_flags_go_before_it(self):
        config = self.folder / "config.json"
        config.write_text(json.dumps({"quantizer": {"plugin": "static", "options": {"bits": 4}},
                                      "calibration_batches": 6}))
        self.find_optimal("--config", config)
        self.find_optimal("--config", config, "--quantizer-option", "bits=8", "--calibration-batches", "3")
        self.find_optimal("--config", config, "--quantizer", "dynamic")
        self.assertEqual([(asked["quantizer"]["path"].split("/")[-1], asked["quantizer"]["options"]["bits"],
                           asked["calibration_batches"]) for asked in self.requests()],
                         [("static.so", 4, 6), ("static.so", 8, 3), ("dynamic.so", 8, 6)])
        config.write_text(json.dumps({"quantizer": 8}))
        self.refused("find-optimal", *self.experiment(), "--config", config, parts=[str(config), "quantizer"])

    def test_shows_both_models_to_people(self):
        done = self.sizewise("find-optimal", *self.experiment(), "--quantizer", "dynamic")
        for part in ("Trained size ", "Quantizer dynamic: ", "ratio 4.00", "ms per batch"):
            self.assertIn(part, done.stdout)
        self.assertIn("training the recommended size", done.stderr)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        self.assertIn("Quantizer dynamic: ", self.sizewise("report", self.run_dir).stdout)

    def test_without_a_quantizer_nothing_is_trained_for_it(self):
        answer = self.find_optimal()
        self.assertEqual((answer["quantization"], answer["model"]), (None, None))
        self.assertFalse((self.run_dir / "model").exists())

    def test_only_the_first_target_is_shipped(self):
        answer = self.find_optimal("--quantizer", "dynamic", "--target-budget", "7e11", "--target-budget", "5e12")
        self.assertEqual([made["budget_flops"] for made in answer["recommendations"]], [7e11, 5e12])
        self.assertEqual(answer["model"]["tokens"], answer["recommendations"][0]["tokens"])

    def test_a_rerun_makes_nothing_again(self):
        first = self.find_optimal("--quantizer", "dynamic")
        started = self.started()
        again = self.find_optimal("--quantizer", "dynamic")
        self.assertEqual((self.started(), len(self.requests())), (started, 1))
        self.assertEqual(again["quantization"], first["quantization"])
        self.assertEqual(again["model"], {**first["model"], "reused": True})

    def test_another_quantizer_takes_the_same_model_and_the_same_run(self):
        self.find_optimal()
        started = self.started()
        self.find_optimal("--quantizer", "dynamic")
        self.assertEqual(self.started(), started + 1)
        answer = json.loads(self.sizewise("run", self.run_dir, "--quantizer", "static", "--json").stdout)
        self.assertEqual((answer["quantization"]["quantizer"], answer["model"]["reused"]), ("static", True))
        self.find_optimal("--quantizer", "static", "--quantizer-option", "bits=4")
        self.find_optimal("--quantizer", "static", "--quantizer-option", "bits=4", "--calibration-batches", "3")
        self.assertEqual(self.started(), started + 1)
        self.assertEqual([(asked["quantizer"]["path"].split("/")[-1], asked["quantizer"]["options"]["bits"],
                           asked["calibration_batches"]) for asked in self.requests()],
                         [("dynamic.so", 8, 32), ("static.so", 8, 32), ("static.so", 4, 32), ("static.so", 4, 3)])

    def test_what_is_not_whole_is_made_again(self):
        made = self.find_optimal("--quantizer", "dynamic")["recommendation"]
        model, quantized = self.run_dir / "model", self.run_dir / "quantized"
        expected = {path: path.read_bytes() for path in (*model.iterdir(), *quantized.iterdir())}
        record = json.loads((self.run_dir / "quantization.json").read_text())
        damaged = json.dumps({**record, "result": {}}).encode()
        for number, (path, change) in enumerate(((quantized / "model.safetensors", b"x"),
                                                 (quantized / "config.json", None), (quantized / "model.json", None),
                                                 (self.run_dir / "quantization.json", b"{"),
                                                 (self.run_dir / "quantization.json", damaged))):
            if change is None:
                path.unlink()
            else:
                path.write_bytes(change)
            self.assertTrue(self.find_optimal("--quantizer", "dynamic")["model"]["reused"])
            self.assertEqual(len(self.requests()), number + 2, path)
        for number, (path, change) in enumerate(((model / "model.safetensors", b"x"), (model / "model.json", b"{}"),
                                                 (model / "model.json", None))):
            if change is None:
                path.unlink()
            else:
                path.write_bytes(change)
            self.assertFalse(self.find_optimal("--quantizer", "dynamic")["model"]["reused"])
            self.assertEqual(self.trained(made), number + 2, path)
        self.assertEqual({path: path.read_bytes() for path in (*model.iterdir(), *quantized.iterdir())}, expected)
        self.assertEqual(len(self.requests()), 6, "the weights were the same again")

    def test_a_law_that_is_not_identified_trains_nothing_and_says_so(self):
        done = self.sizewise("find-optimal", *self.experiment(budgets="1e10,1.01e10"), "--json", "--quantizer",
                             "dynamic", code=1)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["quantization"], answer["model"]), (None, None))
        self.assertIn("nothing is trained for quantizer 'dynamic' and quantized: the law is not identified",
                      done.stderr)
        self.assertTrue(any("the law is not identified" in text for text in answer["warnings"]))
        self.assertFalse((self.run_dir / "model").exists())

    def test_a_quantizer_is_refused_before_a_trial_is_trained(self):
        for more, parts in ((["--quantizer", "dynamik"], ["did you mean 'dynamic'?"]),
                            (["--quantizer", "dynamic", "--quantizer-option", "bits=3"], ["'bits'", "is 3"]),
                            (["--quantizer", "dynamic", "--quantizer-option", "bit=4"], ["unknown option 'bit'"]),
                            (["--quantizer-option", "bits=4"], ["--quantizer-option is given, but no quantizer"]),
                            (["--calibration-batches", "4"], ["calibration batches are given, but no quantizer"]),
                            (["--quantizer", "static", "--calibration-batches", "0"], ["--calibration-batches is '0'"])):
            self.refused("find-optimal", *self.experiment(), *more, parts=parts)
        self.script(faults=[{"method": "quantizer", "kind": "error", "code": "configuration",
                             "message": "group_size is 40; allowed: multiples of 16"}])
        self.refused("find-optimal", *self.experiment(), "--quantizer", "dynamic", "--quantizer-option", "group_size=40",
                     parts=["group_size is 40; allowed: multiples of 16"])
        self.assertEqual(self.started(), 0)
        self.assertFalse(self.run_dir.exists())

    def test_a_quantization_that_fails_takes_nothing_from_the_answer(self):
        self.script(quantization={"success": False, "layers": [], "bytes": None, "evaluation": None,
                                  "errors": [{"code": "quantization", "message": "layer 'head' is odd",
                                              "suggestion": "leave it out"}]})
        done = self.sizewise("find-optimal", *self.experiment(), "--quantizer", "dynamic", "--json", code=1)
        answer = json.loads(done.stdout)
        self.assertTrue(answer["recommendation"])
        self.assertEqual(answer["quantization"]["errors"][0]["message"], "layer 'head' is odd")
        self.assertFalse((self.run_dir / "quantized").exists())
        self.script()
        self.assertTrue(self.find_optimal("--quantizer", "dynamic")["quantization"]["success"])

    def test_a_worker_that_dies_at_it_takes_nothing_from_the_answer(self):
        self.script(faults=[{"method": "quantize", "kind": "segv"}])
        done = self.sizewise("find-optimal", *self.experiment(), "--quantizer", "dynamic", "--json", code=1)
        answer = json.loads(done.stdout)
        self.assertTrue(answer["recommendation"])
        self.assertEqual(answer["quantization"]["success"], False)
        self.assertIn("SIGSEGV", answer["quantization"]["errors"][0]["message"])

    def test_a_recommended_model_that_diverges_is_not_quantized(self):
        made = self.find_optimal()["recommendation"]
        self.script(faults=[{"method": "train", "size": made["size"], "kind": "diverge", "least_flops": 1e12}])
        done = self.sizewise("find-optimal", *self.experiment(), "--quantizer", "dynamic", "--json", code=1)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["recommendation"], made)
        self.assertEqual((answer["model"], answer["quantization"]["success"]), (None, False))
        self.assertIn("diverged: the loss is NaN", answer["quantization"]["errors"][0]["message"])
        self.assertEqual(self.requests(), [])
        self.assertFalse((self.run_dir / "model").exists())

    def test_ctrl_c_during_it_leaves_nothing_half_made_and_says_how_to_continue(self):
        self.find_optimal()
        self.script(seconds=30)
        process = subprocess.Popen([harness.SIZEWISE, "find-optimal", *map(str, self.experiment()), "--quantizer",
                                    "dynamic", "--quantizer-option", "bits=4"], env=self.environment, cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        harness.wait_until((self.run_dir / "model").is_dir)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn(f"sizewise run {self.run_dir} --quantizer dynamic --quantizer-option bits=4", err)
        self.assertFalse((self.run_dir / "model").exists())
        self.script()
        self.assertTrue(json.loads(self.sizewise("run", self.run_dir, "--quantizer", "dynamic", "--quantizer-option",
                                                 "bits=4", "--json").stdout)["quantization"]["success"])

    def test_a_run_is_shipped_from_another_folder(self):
        self.text.rename(self.folder / "near.txt")
        words = self.experiment(**{"dataset-option": "path=near.txt"})
        self.sizewise("find-optimal", *words)
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        done = subprocess.run([harness.SIZEWISE, "run", self.run_dir, "--quantizer", "dynamic", "--json"],
                              env=self.environment, cwd=elsewhere, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(json.loads(done.stdout)["quantization"]["success"])
        self.assertEqual(self.requests()[0]["folder"], str(self.folder), "relative paths of options start there")


if __name__ == "__main__":
    harness.main()
