"""`sizewise quantize` with a worker that follows a script: what is asked of it, and what is refused first."""
import json
import signal
import subprocess

import harness

FILES = {"model.safetensors", "config.json", "model.json"}


class Quantize(harness.Scripted):
    def setUp(self):
        super().setUp()
        self.requests_file = self.folder / "requests"
        self.script()
        self.model = self.folder / "model"
        self.output = self.folder / "q"
        self.sizewise("train", "--model", "gpt", "--size", 16, "--dataset", "text", "--dataset-option",
                      f"path={self.text}", "--loss", "cross_entropy", "--tokens", 6400, "--output", self.model)
        self.weights = self.folder / "weights.safetensors"
        self.weights.write_bytes(b"weights")

    def script(self, **changes):
        super().script(**{"quantized": str(self.folder / "requests"), **changes})

    def words(self, *more, source=None, quantizer="dynamic", output=None):
        return ["quantize", source or self.model, "--quantizer", quantizer, "--output", output or self.output, *more]

    def requests(self):
        return [json.loads(line) for line in self.requests_file.read_text().splitlines()] \
            if self.requests_file.exists() else []

    def nothing_was_done(self):
        self.assertEqual(self.requests(), [])
        self.assertFalse(self.output.exists())


class Asks(Quantize):
    def test_the_request_holds_everything_and_the_answer_is_printed(self):
        before = {path.name: path.read_bytes() for path in self.model.iterdir()}
        done = self.sizewise(*self.words("--quantizer-option", "bits=4", "--include", "blocks.*", "--include", "head",
                                         "--exclude", "*.norm", "--calibration-batches", 5, "--batch-size", 7,
                                         "--threads", 3, "--json"))
        asked, = self.requests()
        self.assertEqual(asked["method"], "quantize")
        self.assertEqual((asked["checkpoint"], asked["output"]), (str(self.model), str(self.output)))
        self.assertEqual((asked["include"], asked["exclude"]), (["blocks.*", "head"], ["*.norm"]))
        self.assertEqual((asked["calibration_batches"], asked["batch_size"], asked["threads"]), (5, 7, 3))
        self.assertTrue(asked["evaluate"])
        self.assertTrue(asked["quantizer"]["path"].endswith("/dynamic.so"))
        self.assertEqual((asked["quantizer"]["options"]["bits"], asked["quantizer"]["options"]["clip"]), (4, False))
        self.assertEqual(set(asked["model"]), {"path"})
        self.assertTrue(asked["model"]["path"].endswith("/gpt.so"))
        self.assertEqual(asked["dataset"]["options"]["path"], str(self.text))
        self.assertTrue(asked["loss"]["path"].endswith("/cross_entropy.so"))
        answer = json.loads(done.stdout)
        self.assertLessEqual({"quantizer", "options", "success", "errors", "warnings", "layers", "skipped", "bytes",
                              "calibration", "evaluation"}, set(answer))
        self.assertEqual((answer["quantizer"], answer["options"]["bits"]), ("dynamic", 4))
        self.assertEqual(answer["layers"][0]["sqnr_db"], 42.5)
        self.assertEqual(answer["evaluation"]["quantized"]["loss"], 1.51)
        self.assertEqual(answer["output"], str(self.output))
        self.assertEqual({path.name for path in self.output.iterdir()}, FILES)
        self.assertEqual({path.name: path.read_bytes() for path in self.model.iterdir()}, before)

    def test_defaults(self):
        self.sizewise(*self.words("--no-evaluation"))
        asked, = self.requests()
        self.assertEqual((asked["calibration_batches"], asked["evaluate"]), (32, False))
        self.assertEqual((asked["include"], asked["exclude"]), ([], []))
        self.assertNotIn("batch_size", asked)

    def test_another_dataset_and_loss_go_before_the_models(self):
        other = self.folder / "other.txt"
        other.write_text("other words " * 1000)
        self.sizewise(*self.words("--dataset", "text", "--dataset-option", f"path={other}", "--loss", "mse"))
        asked, = self.requests()
        self.assertEqual(asked["dataset"]["options"]["path"], str(other))
        self.assertTrue(asked["loss"]["path"].endswith("/mse.so"))

    def test_the_command_line_goes_before_the_file_and_the_file_before_the_defaults(self):
        config = self.folder / "config.json"
        config.write_text(json.dumps({"quantizer": {"plugin": "static", "options": {"bits": 4, "observer": "mse"}},
                                      "include": ["a"], "exclude": ["b"], "calibration_batches": 9,
                                      "evaluate": False}))
        self.sizewise("quantize", self.model, "--config", config, "--output", self.output)
        self.sizewise("quantize", self.model, "--config", config, "--output", self.folder / "second",
                      "--quantizer-option", "bits=8", "--include", "c", "--calibration-batches", 3)
        self.sizewise("quantize", self.model, "--config", config, "--output", self.folder / "third",
                      "--quantizer", "dynamic")
        first, second, third = self.requests()
        self.assertEqual([first["quantizer"]["options"][name] for name in ("bits", "observer", "granularity")],
                         [4, "mse", "channel"])
        self.assertEqual((first["include"], first["exclude"], first["calibration_batches"], first["evaluate"]),
                         (["a"], ["b"], 9, False))
        self.assertEqual([second["quantizer"]["options"][name] for name in ("bits", "observer")], [8, "mse"])
        self.assertEqual((second["include"], second["exclude"], second["calibration_batches"]), (["c"], ["b"], 3))
        self.assertTrue(third["quantizer"]["path"].endswith("/dynamic.so"))
        self.assertEqual(third["quantizer"]["options"]["bits"], 8, "the file's options are of its quantizer")

    def test_weights_alone(self):
        done = self.sizewise(*self.words(source=self.weights, quantizer="per_channel"), "--json")
        asked, = self.requests()
        self.assertEqual((asked["method"], asked["weights"]), ("quantize_weights", str(self.weights)))
        self.assertEqual(set(asked), {"method", "folder", "weights", "quantizer", "output", "include", "exclude", "threads"})
        answer = json.loads(done.stdout)
        self.assertEqual((answer["calibration"], answer["evaluation"]), (None, None))
        self.assertEqual({path.name for path in self.output.iterdir()}, FILES - {"model.json"})

    def test_people_read_a_table_within_80_columns(self):
        done = self.sizewise(*self.words())
        for part in ("Quantizer dynamic", "layer kind", "head  linear", "small: it has 4 inputs", "ratio 4.00",
                     "ms per batch", "1.51000"):
            self.assertIn(part, done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_warnings_go_to_standard_error(self):
        self.script(quantization={"warnings": ["the moving average depends on the order of batches"]})
        done = self.sizewise(*self.words("--quiet"))
        self.assertEqual(done.stderr, "sizewise: warning: the moving average depends on the order of batches\n")

    def test_says_how_far_it_is(self):
        self.script(seconds=4)
        self.assertIn("calibrate  2/2", self.sizewise(*self.words("--json")).stderr)

    def test_a_quantized_folder_is_evaluated_like_any_other(self):
        self.sizewise(*self.words())
        self.assertEqual(json.loads(self.sizewise("evaluate", self.output, "--json").stdout)["loss"], 1.0)

    def test_a_quantization_that_fails_says_why_writes_nothing_and_exits_with_1(self):
        self.script(quantization={"success": False, "layers": [], "bytes": None, "calibration": None,
                                  "evaluation": None,
                                  "errors": [{"code": "quantization", "message": "layer 'head' has 64 inputs",
                                              "suggestion": "use group_size 64"}]})
        done = self.sizewise(*self.words(), code=1)
        self.assertIn("failed; nothing was written\n  - layer 'head' has 64 inputs\n    use group_size 64\n", done.stdout)
        self.assertFalse(self.output.exists())
        answer = json.loads(self.sizewise(*self.words("--json"), code=1).stdout)
        self.assertEqual((answer["success"], answer["output"]), (False, None))
        self.assertEqual(answer["errors"][0]["suggestion"], "use group_size 64")

    def test_an_error_of_kind_quantization_exits_with_1_too(self):
        self.script(faults=[{"method": "quantize", "kind": "error", "code": "quantization"}])
        self.refused(*self.words(), parts=["refused by the script"], code=1)
        self.assertFalse(self.output.exists())


class Refuses(Quantize):
    def refused(self, *arguments, parts, **keywords):
        super().refused(*arguments, parts=parts, **keywords)
        self.nothing_was_done()

    def test_what_is_missing(self):
        self.refused("quantize", self.model, "--output", self.output,
                     parts=["no quantizer is chosen", "--quantizer ID; there are: dynamic, per_channel, static"])
        self.refused("quantize", self.model, "--quantizer", "dynamic", parts=["--output is missing"])
        self.refused("quantize", "--quantizer", "dynamic", parts=["the model's folder or the file of weights"])

    def test_a_quantizer_or_an_option_that_is_not_there(self):
        self.refused(*self.words(quantizer="dynamik"), parts=["'dynamik'", "did you mean 'dynamic'?"])
        self.refused(*self.words(quantizer="gpt"), parts=["gpt", "quantizer"])
        self.refused(*self.words("--quantizer-option", "bit=4"), parts=["unknown option 'bit'", "did you mean 'bits'"])
        self.refused(*self.words("--quantizer-option", "bits=3"), parts=["'bits'", "is 3", "one of 8, 4"])
        self.refused(*self.words("--quantizer-option", "scheme=odd"), parts=["odd", "symmetric, asymmetric, auto"])
        self.refused(*self.words("--quantizer-option", "observer=mse"), parts=["unknown option 'observer'"])

    def test_numbers_that_are_not_allowed(self):
        for flag in ("--calibration-batches", "--batch-size"):
            self.refused(*self.words(flag, "0"), parts=[f"{flag} is '0'; allowed: an integer, at least 1"])
        self.refused(*self.words("--threads", "0"), parts=["--threads is '0'; allowed: an integer, 1 to 4096"])
        self.refused(*self.words("--include", ""), parts=["--include is empty"])

    def test_a_source_that_is_not_there_or_holds_no_model(self):
        nothing = self.folder / "nothing"
        self.refused(*self.words(source=nothing), parts=[f"there is no file or folder '{nothing}'", "file of weights"])
        nothing.mkdir()
        self.refused(*self.words(source=nothing), parts=[f"{nothing} holds no model", "sizewise train"])
        (nothing / "model.safetensors").write_bytes(b"weights")
        self.refused(*self.words(source=nothing),
                     parts=["holds weights, but no model", f"name the file: {nothing}/model.safetensors"])

    def test_facts_that_are_damaged(self):
        facts = self.model / "model.json"
        for text in ("", "[]", '{"model": 5}', '{"model": 5, "loss": 5, "dataset": 5}'):
            facts.write_text(text)
            self.refused(*self.words(), parts=["model.json", "train the model again"])

    def test_what_is_quantized_already(self):
        quantized = self.folder / "quantized"
        self.sizewise(*self.words(output=quantized))
        self.requests_file.unlink()
        self.refused(*self.words(source=quantized), parts=["quantized is quantized already; give the float model"])
        self.refused(*self.words(source=quantized / "model.safetensors", quantizer="per_channel"),
                     parts=["model.safetensors is quantized already; give the float model"])

    def test_an_output_that_holds_a_model_or_is_a_file(self):
        for name in sorted(FILES):
            taken = self.folder / ("taken-" + name)
            taken.mkdir()
            (taken / name).write_text("of somebody")
            self.refused(*self.words(output=taken), parts=["holds a model already", "--output"])
            self.assertEqual((taken / name).read_text(), "of somebody")
        self.refused(*self.words(output=self.model), parts=["holds a model already"])
        self.refused(*self.words(output=self.text), parts=["text.txt is a file"])
        (self.folder / "model.safetensors").write_bytes(b"weights")
        self.refused(*self.words(source=self.folder / "model.safetensors", output=self.folder),
                     parts=["holds a model already"])

    def test_what_weights_alone_cannot_be_used_for(self):
        for more in (("--dataset", "text", "--dataset-option", f"path={self.text}"), ("--loss", "mse"),
                     ("--model", "gpt"), ("--calibration-batches", "3"), ("--batch-size", "3")):
            self.refused(*self.words(*more, source=self.weights), parts=[more[0] + " is given", "file of weights"])

    def test_a_config_file_that_is_wrong(self):
        config = self.folder / "config.json"
        for text, parts in (("{", ["config.json", "line 1"]), ('{"quantiser": 1}', ["did you mean 'quantizer'?"]),
                            ('{"include": "fc1"}', ["'include' is \"fc1\"; allowed: a list of texts"]),
                            ('{"calibration_batches": 0}', ["'calibration_batches' is 0", "1 to"])):
            config.write_text(text)
            self.refused(*self.words("--config", config), parts=parts)
        self.refused(*self.words("--config", self.folder / "none.json"), parts=["none.json"])


class Faults(Quantize):
    def test_a_worker_that_dies_leaves_nothing(self):
        self.script(faults=[{"method": "quantize", "kind": "segv"}])
        self.refused(*self.words(), parts=["SIGSEGV", "quantizer 'dynamic'"])
        self.assertFalse(self.output.exists())

    def test_an_answer_that_is_not_the_protocols(self):
        for result in ({}, {"quantizer": "dynamic", "options": {}, "success": True},
                       {"quantizer": 5, "options": {}, "success": True}):
            self.script(faults=[{"method": "quantize", "kind": "answer", "result": result}])
            self.refused(*self.words(), parts=["the worker's answer to `quantize` is not as the protocol says"])
            self.assertFalse(self.output.exists())

    def test_a_folder_that_another_program_writes_into(self):
        self.output.mkdir()
        with subprocess.Popen(["flock", self.output, "sleep", "30"]) as other:
            harness.wait_until(lambda: subprocess.run(["flock", "-n", self.output, "true"], check=False).returncode)
            self.refused(*self.words(), parts=["another program writes into"])
            other.kill()

    def test_ctrl_c_leaves_nothing_of_it(self):
        self.script(seconds=60)
        process = subprocess.Popen([harness.SIZEWISE, *map(str, self.words())], env=self.environment, cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        harness.wait_until(self.requests_file.exists)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out), (130, ""), err)
        self.assertIn("Stopped: nothing was saved.", err)
        self.assertFalse(self.output.exists())

    def test_a_read_only_disk(self):
        self.environment.update(LD_PRELOAD=str(harness.BUILD / "tests" / "libdisk_faults.so"),
                                DISK_FAULTS_UNDER=str(self.output), DISK_FAULTS_READ_ONLY="1")
        self.refused(*self.words(), parts=["Read-only file system", str(self.output)])
        self.assertFalse(self.output.exists())


if __name__ == "__main__":
    harness.main()
