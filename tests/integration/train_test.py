"""Training one model: stopped, shared, and too large for the machine."""
import json
import re
import resource
import signal
import subprocess
import time

import harness


class Train(harness.Folder):
    def setUp(self):
        super().setUp()
        self.environment.pop("SIZEWISE_WORKER", None)
        self.model = self.folder / "model"
        self.before = self.files()

    def files(self):
        return sorted(path.relative_to(self.folder) for path in self.folder.rglob("*"))

    def words(self, *more, size=16, tokens=640):
        return ["train", "--model", "gpt", "--size", str(size), "--dataset", "text", "--dataset-option",
                f"path={self.text}", "--dataset-option", "context=16", "--loss", "cross_entropy", "--batch-size", "4",
                "--tokens", str(tokens), "--threads", "1", "--output", str(self.model), *more]

    def start(self, *more, **changes):
        process = subprocess.Popen([harness.SIZEWISE, *self.words(*more, **changes)], env=self.environment,
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        process.kill()
        process.communicate()

    def start_long(self, *more):
        """A training that would take hours, and has said how far it is."""
        process = self.start(*more, tokens=10**9)
        self.assertRegex(process.stderr.readline(), r"\d+ %  0/1 trials  loss \d")
        return process

    def check_stopped(self, process):
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(out, "")
        self.assertIn("Stopped: nothing was saved.", err)
        self.assertEqual(self.files(), self.before)

    def test_ctrl_c_leaves_nothing(self):
        process = self.start_long()
        self.assertTrue(self.model.is_dir())
        process.send_signal(signal.SIGINT)
        self.check_stopped(process)

    def test_the_systems_request_to_end_leaves_nothing(self):
        process = self.start_long("--json")
        process.send_signal(signal.SIGTERM)
        self.check_stopped(process)

    def test_ctrl_c_spares_a_folder_that_was_there(self):
        self.model.mkdir()
        (self.model / "notes.txt").write_text("precious")
        self.before = self.files()
        process = self.start_long()
        process.send_signal(signal.SIGINT)
        self.check_stopped(process)
        self.assertEqual((self.model / "notes.txt").read_text(), "precious")

    def test_ctrl_c_spares_what_others_put_into_the_folder(self):
        process = self.start_long()
        (self.model / "notes.txt").write_text("precious")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assertEqual([path.name for path in self.model.iterdir()], ["notes.txt"])

    def test_after_ctrl_c_the_same_command_trains(self):
        process = self.start_long()
        process.send_signal(signal.SIGINT)
        self.check_stopped(process)
        self.sizewise(*self.words())
        self.assertEqual({path.name for path in self.model.iterdir()}, {"model.safetensors", "model.json"})

    def test_a_second_training_into_the_same_folder_is_refused_and_the_first_succeeds(self):
        first = self.start("--json", tokens=6400)
        harness.wait_until(self.model.is_dir)
        time.sleep(0.2)
        first.send_signal(signal.SIGSTOP)  # it cannot end before the second begins
        self.refused(*self.words(), parts=["another program", str(self.model), "--output"])
        first.send_signal(signal.SIGCONT)
        out, err = first.communicate(timeout=60)
        self.assertEqual(first.returncode, 0, err)
        self.assertEqual({path.name for path in self.model.iterdir()}, {"model.safetensors", "model.json"})
        measured = json.loads(self.sizewise("evaluate", self.model, "--threads", "1", "--json").stdout)
        self.assertEqual(measured["loss"], json.loads(out)["loss"])

    def test_a_model_beyond_the_machines_memory_is_refused_before_it_is_made(self):
        began = time.monotonic()
        done = self.refused(*self.words("--model-option", "layers=64", size=16384),
                            parts=["--size 16384", "this machine's memory holds", "choose a smaller --size"])
        self.assertLess(time.monotonic() - began, 30)
        said = re.search(r"a model of (\S+) parameters.*training of (\S+) at most", done.stderr)
        self.assertAlmostEqual(float(said[1]), 2.06e11, delta=1e9)  # 64 layers of 12 width^2
        self.assertGreater(float(said[1]), float(said[2]))
        kibibytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertLess(kibibytes, 2 << 20, "of any program that these tests have started")
        self.assertEqual(self.files(), self.before)


class ScriptedTrain(harness.Scripted):
    """With a worker that would answer anything, and writes down what it is asked to train."""

    def words(self, size):
        return ["train", "--model", "gpt", "--size", size, "--dataset", "text", "--dataset-option",
                f"path={self.text}", "--loss", "cross_entropy", "--tokens", 6400, "--output", self.folder / "model"]

    def test_a_model_beyond_the_machines_memory_is_never_trained(self):
        self.script(params_per_size=[10**12, 0])
        self.refused(*self.words(16), parts=["--size 16 makes a model of 1.6e+13 parameters", "memory holds"])
        self.assertEqual(self.started(), 0)
        self.assertFalse((self.folder / "model").exists())

    def test_what_is_refused_leaves_no_folder(self):
        for flag, value, parts in (("--model", "nonsense", ["no model plugin 'nonsense'", "cnn, gpt, mlp"]),
                                   ("--size", "17", ["--size is 17", "the nearest is 16"]),
                                   ("--tokens", "many", ["--tokens is 'many'; allowed: an integer, at least 1"]),
                                   ("--model-option", "layer=2", ["unknown option 'layer'", "'layers' (integer, 1"]),
                                   ("--model-option", "layers=0", ["'layers' of plugin 'gpt' is 0; allowed: integer"]),
                                   ("--learning-rate", "-1", ["--learning-rate is -1", "0 to 1000"]),
                                   ("--batch-size", "100001", ["100001 samples", "100000 samples of the training"])):
            with self.subTest(flag + " " + value):
                words = self.words(16)
                if flag in words:
                    words[words.index(flag) + 1] = value
                else:
                    words += [flag, value]
                self.refused(*words, parts=parts)
                self.assertFalse((self.folder / "model").exists())
        self.assertEqual(self.started(), 0)

    def test_a_training_that_diverges_saves_nothing_and_exits_with_1(self):
        self.script(faults=[{"method": "train", "kind": "diverge"}])
        done = self.sizewise(*self.words(16), "--json", code=1)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["status"], answer["output"]), ("diverged", None))
        self.assertFalse((self.folder / "model").exists())

    def test_a_worker_that_dies_leaves_nothing(self):
        self.script(faults=[{"method": "train", "kind": "segv"}])
        self.refused(*self.words(16), parts=["SIGSEGV", "size 16"])
        self.assertFalse((self.folder / "model").exists())

    def test_ctrl_c_before_the_training_begins_leaves_nothing(self):
        self.script(faults=[{"method": "describe", "kind": "hang"}])
        process = subprocess.Popen([harness.SIZEWISE, *map(str, self.words(16))], env=self.environment,
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        harness.wait_until((self.folder / "model").is_dir)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(self.started(), 0)
        self.assertFalse((self.folder / "model").exists())


if __name__ == "__main__":
    harness.main()
