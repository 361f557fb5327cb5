"""The program with the real worker and the shipped plugins, on budgets of a second."""
import json
import random
import struct
import subprocess

import harness


class Real(harness.Folder):
    def setUp(self):
        super().setUp()
        self.environment.pop("SIZEWISE_WORKER", None)
        self.text.write_bytes(bytes(random.Random(1).choices(b"abcdefgh \n", k=20000)))

    def data(self, **options):
        options = {"path": self.text, "context": 16, **options}
        return [word for name, value in options.items() for word in ("--dataset-option", f"{name}={value}")]

    def words(self, *more, model="gpt", dataset="text", loss="cross_entropy", data=None):
        return ["--model", model, "--dataset", dataset, *(data if data is not None else self.data()),
                "--loss", loss, "--batch-size", "4", *more]

    def experiment(self, *more, **keywords):
        return self.words("--budgets", "1e8,2e8,4e8", "--run-dir", self.run_dir, "--bootstrap", "10",
                          "--model-option", "layers=1", *more, **keywords)


class Training(Real):
    def test_ten_kills_change_nothing(self):
        undisturbed = self.folder / "undisturbed"
        words = self.experiment()
        words[words.index("--run-dir") + 1] = undisturbed
        done = subprocess.run([harness.SIZEWISE, "find-optimal", *map(str, words)], env=self.environment,
                              capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)  # such small budgets need not identify a law
        expected = self.sorted_runs(undisturbed)
        self.assertGreater(len(expected), 10)
        chance = random.Random(7)
        for _ in range(10):
            process = subprocess.Popen([harness.SIZEWISE, "find-optimal", *map(str, self.experiment()), "--quiet"],
                                       env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0.5, 4))
            except subprocess.TimeoutExpired:
                pass
            process.kill()
            process.wait()
        done = subprocess.run([harness.SIZEWISE, "find-optimal", *map(str, self.experiment()), "--json"],
                              env=self.environment, capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertEqual(self.sorted_runs(), expected)
        for row in self.rows():
            # Checkpoint-free trials still leave their curve.
            self.assertTrue((self.run_dir / "metrics" / (row["trial"] + ".jsonl")).is_file())

    def test_a_recommendation_recounted_costs_the_budget(self):
        done = subprocess.run([harness.SIZEWISE, "find-optimal", *map(str, self.experiment("--json"))],
                              env=self.environment, capture_output=True, text=True, check=False)
        answer = json.loads(done.stdout)
        for made in answer["recommendations"]:
            recounted = self.folder / "recounted"
            again = self.sizewise("plan", *self.words("--sweep", "grid", "--sweep-option", f"sizes={made['size']}",
                                                      "--sweep-option", f"tokens={made['tokens']}",
                                                      "--model-option", "layers=1", "--run-dir", recounted), "--json")
            trial = json.loads(again.stdout)["rounds"][0][0]
            self.assertEqual(trial["params"], made["params"])
            self.assertLess(abs(trial["flops"] / made["budget_flops"] - 1), 0.01)

    def test_a_trained_model_evaluates_to_the_same_loss(self):
        model = self.folder / "model"
        trained = json.loads(self.sizewise("train", *self.words("--size", "16", "--tokens", "6400", "--output", model,
                                                                "--threads", "1"), "--json").stdout)
        self.assertEqual({path.name for path in model.iterdir()}, {"model.safetensors", "model.json"})
        measured = json.loads(self.sizewise("evaluate", model, "--threads", "1", "--json").stdout)
        self.assertEqual(measured["loss"], trained["loss"])
        named = json.loads(self.sizewise("evaluate", model, "--dataset", "text", *self.data(), "--threads", "1",
                                         "--json").stdout)
        self.assertEqual(named["loss"], trained["loss"])
        self.refused("train", *self.words("--size", "16", "--tokens", "6400", "--output", model),
                     parts=["holds a model already", "--output"])

    def test_the_same_seed_gives_the_same_bits(self):
        loss = [json.loads(self.sizewise("train", *self.words("--size", "16", "--tokens", "3200", "--threads", "1",
                                                              "--output", self.folder / str(run), "--seed", seed),
                                         "--json").stdout)["loss"] for run, seed in ((1, 3), (2, 3), (3, 4))]
        self.assertEqual(loss[0], loss[1])
        self.assertNotEqual(loss[0], loss[2])


class BadData(Real):
    def refused(self, *arguments, parts, **keywords):
        done = super().refused(*arguments, parts=parts, **keywords)
        self.assertFalse(self.run_dir.exists(), "nothing is written")
        return done

    def find(self, *more, parts, **keywords):
        self.refused("find-optimal", *self.experiment(*more, **keywords), parts=parts)

    def test_a_dataset_that_is_missing(self):
        nowhere = self.folder / "nowhere.txt"
        self.refused("find-optimal", *self.words("--budgets", "1e8", "--run-dir", self.run_dir,
                                                 data=self.data(path=nowhere)),
                     parts=[f"{nowhere} does not exist", "set the option path"])
        self.refused("train", *self.words("--size", "16", "--tokens", "640", "--output", self.folder / "model",
                                          data=self.data(path=nowhere)), parts=[f"{nowhere} does not exist"])
        self.assertFalse((self.folder / "model").exists())

    def test_a_dataset_that_is_empty(self):
        self.text.write_text("")
        self.find(parts=["text.txt holds no bytes", "set the option path"])

    def test_a_dataset_that_is_shorter_than_a_sample(self):
        self.text.write_text("short")
        self.find(parts=["text.txt: 5 tokens", "at least 17, the context", "give more data"])

    def test_images_that_are_truncated(self):
        images, labels = self.folder / "images", self.folder / "labels"
        images.write_bytes(struct.pack(">IIII", 0x803, 100, 28, 28) + bytes(28 * 28 * 10))
        labels.write_bytes(struct.pack(">II", 0x801, 100) + bytes(100))
        data = ["--dataset-option", f"images={images}", "--dataset-option", f"labels={labels}"]
        self.refused("find-optimal", *self.words("--budgets", "1e8", "--run-dir", self.run_dir, model="mlp",
                                                 dataset="idx_images", data=data),
                     parts=["images: expected 78400 bytes", "found 7840", "give a whole IDX file"])

    def test_a_model_whose_output_does_not_fit_the_loss(self):
        self.find(parts=["does not fit the loss", "'mse'", "[2, 16, 256]", "allowed: floating-point numbers",
                         "--loss cross_entropy"],
                  loss="mse")
        self.refused("train", *self.words("--size", "16", "--tokens", "640", "--output", self.folder / "model",
                                          loss="mse"),
                     parts=["[4, 16, 256]", "allowed: floating-point numbers", "--loss cross_entropy"])
        self.assertFalse((self.folder / "model").exists())

    def test_a_model_that_does_not_fit_the_data(self):
        self.refused("find-optimal", *self.words("--budgets", "1e8", "--run-dir", self.run_dir, model="cnn"),
                     parts=["inputs of 1 dimensions", "allowed: images", "--dataset idx_images"])

    def test_a_device_that_is_not_there(self):
        self.find("--device", "cuda:77", parts=["'device' is \"cuda:77\"", "--device cpu"])

    def test_a_size_that_the_model_does_not_have(self):
        self.refused("train", *self.words("--size", "17", "--tokens", "6400", "--output", self.folder / "model"),
                     parts=["--size is 17", "the nearest is 16"])
        self.assertFalse((self.folder / "model").exists())

    def test_less_data_than_one_batch(self):
        self.refused("train", *self.words("--size", "16", "--tokens", "16", "--output", self.folder / "model"),
                     parts=["16", "batch"])
        self.assertFalse((self.folder / "model").exists())

    def test_less_data_than_a_sample(self):
        self.refused("train", *self.words("--size", "16", "--tokens", "1", "--output", self.folder / "model"),
                     parts=["--tokens is 1", "less than one batch: 4 samples of 16 tokens", "--tokens 64"])

    def test_a_batch_larger_than_the_data(self):
        words = self.words("--size", "16", "--tokens", "6400", "--output", self.folder / "model")
        words[words.index("--batch-size") + 1] = "5000"
        self.refused("train", *words, parts=["5000 samples", "training split", "--batch-size"])

    def test_a_full_disk_leaves_no_empty_folder(self):
        shim = harness.BUILD / "tests" / "libdisk_faults.so"
        model = self.folder / "model"
        for room, file in ((0, "model.safetensors"), (20000, "model.safetensors"), (58000, "model.json")):
            with self.subTest(bytes=room):
                self.environment.update(LD_PRELOAD=str(shim), DISK_FAULTS_UNDER=str(model),
                                        DISK_FAULTS_BYTES=str(room))
                self.refused("train", *self.words("--size", "16", "--tokens", "640", "--output", model),
                             parts=[file + " cannot be written: No space left on device", "make room"])
                self.assertFalse(model.exists())

    def test_a_full_disk_leaves_no_half_of_a_model_and_no_parents(self):
        there = self.folder / "there"
        there.mkdir()
        for model in (there, self.folder / "a" / "b" / "model"):
            self.environment.update(LD_PRELOAD=str(harness.BUILD / "tests" / "libdisk_faults.so"),
                                    DISK_FAULTS_UNDER=str(model), DISK_FAULTS_BYTES="58000")
            self.refused("train", *self.words("--size", "16", "--tokens", "640", "--output", model),
                         parts=["model.json cannot be written: No space left on device"])
        self.assertEqual(list(there.iterdir()), [])
        self.assertFalse((self.folder / "a").exists())

    def test_a_read_only_folder_for_the_model(self):
        shim = harness.BUILD / "tests" / "libdisk_faults.so"
        model = self.folder / "model"
        self.environment.update(LD_PRELOAD=str(shim), DISK_FAULTS_UNDER=str(model), DISK_FAULTS_READ_ONLY="1")
        self.refused("train", *self.words("--size", "16", "--tokens", "640", "--output", model),
                     parts=["Read-only file system", str(model)])
        self.assertFalse(model.exists())

    def test_tokens_that_are_truncated_or_damaged(self):
        tokens = self.folder / "tokens.bin"
        for content, part in ((b"", "holds no bytes"), (b"odd", "found 3 bytes"), (bytes(20), "10 tokens split into 9"),
                              (b"\xff" * 4000, "the token at position 0 is 65535; allowed: 0 to 255")):
            tokens.write_bytes(content)
            self.refused("find-optimal", *self.words("--budgets", "1e8", "--run-dir", self.run_dir, dataset="tokens",
                                                     data=["--dataset-option", f"path={tokens}", "--dataset-option",
                                                           "context=16", "--dataset-option", "vocabulary=256"]),
                         parts=["tokens.bin", part])

    def test_flags_of_train_that_are_missing(self):
        self.refused("train", *self.words("--size", "16"), parts=["--tokens is missing"])

    def test_a_folder_without_a_model(self):
        self.refused("evaluate", self.folder, parts=["holds no model"])

    def test_an_evaluation_of_what_does_not_go_together(self):
        model = self.folder / "model"
        self.sizewise("train", *self.words("--size", "16", "--tokens", "640", "--output", model))
        before = {path: path.read_bytes() for path in model.iterdir()}
        for more, parts in ((["--dataset", "nonsense"], ["no dataset plugin 'nonsense'", "idx_images, text, tokens"]),
                            (["--batch-size", "0"], ["--batch-size is '0'; allowed: an integer, at least 1"]),
                            (["--loss", "mse"], ["'mse'", "[4, 16, 256]", "--loss cross_entropy"]),
                            (["--dataset", "text", *self.data(path="nowhere")], ["nowhere does not exist"]),
                            (["--dataset", "text", *self.data(context=32)], ["input_shape is [16]", "given has [32]"])):
            with self.subTest(more):
                self.refused("evaluate", model, *more, parts=parts)
        self.assertEqual({path: path.read_bytes() for path in model.iterdir()}, before)

    def test_a_model_that_is_damaged(self):
        model = self.folder / "model"
        self.sizewise("train", *self.words("--size", "16", "--tokens", "640", "--output", model))
        weights = model / "model.safetensors"
        whole = weights.read_bytes()
        for damaged in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
            weights.write_bytes(damaged)
            self.refused("evaluate", model, parts=["model.safetensors"])
        weights.write_bytes(whole)
        (model / "model.json").write_text("{")
        self.refused("evaluate", model, parts=["model.json is damaged", "train the model again"])


if __name__ == "__main__":
    harness.main()
