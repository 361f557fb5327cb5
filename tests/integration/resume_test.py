"""Runs that are killed, shared, damaged or changed behind their back."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import harness


class Resume(harness.Scripted):
    def start(self, *more, arguments=None):
        words = arguments or ["find-optimal", *self.experiment(), "--json"]
        return subprocess.Popen([harness.SIZEWISE, *words, *more], env=self.environment, cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_for_results(self, number, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if (self.run_dir / "results").is_dir() and len(self.results()) >= number:
                return
            time.sleep(0.005)
        self.fail("no results came")

    def results(self):
        return sorted((self.run_dir / "results").glob("*.json"))

    def everything(self):
        """The files of the run, to the byte; the lock tells who opened it last."""
        return {path: path.read_bytes() for path in self.run_dir.rglob("*") if path.is_file() and path.name != "lock"}

    def finished(self, directory):
        answer = self.find_optimal(run_dir=directory)
        return answer, self.sorted_runs(directory)

    def test_ten_kills_change_nothing(self):
        self.script(seconds=0.05)
        expected = self.finished(self.folder / "undisturbed")[1]
        self.count.unlink()
        seed = int(os.environ.get("SIZEWISE_TEST_SEED", "20"))
        chance = random.Random(seed)
        kills = 0
        while kills < 10:
            process = self.start("--quiet")
            try:
                process.wait(chance.uniform(0.1, 1.2))
            except subprocess.TimeoutExpired:
                pass
            process.kill()
            process.communicate()
            kills += 1
        answer, runs = self.finished(self.run_dir)
        self.assertEqual(runs, expected)
        self.assertEqual(answer["trials"]["done"], answer["trials"]["planned"])
        # At most the two trials that a kill interrupted began again.
        self.assertLessEqual(self.started(), len(runs) + 2 * kills)
        self.assertFalse(list((self.run_dir / "results").glob(".*")), "nothing half-written")

    def test_a_kill_leaves_no_worker(self):
        self.script(seconds=30)
        process = self.start()
        end = time.monotonic() + 30
        while self.started() == 0 and time.monotonic() < end:
            time.sleep(0.01)
        process.kill()
        process.communicate()
        time.sleep(0.3)
        left = [path for path in pathlib.Path("/proc").glob("[0-9]*/environ") if self.owned(path)]
        self.assertEqual(left, [])

    def owned(self, path):
        try:
            return str(self.folder).encode() in path.read_bytes()
        except OSError:
            return False

    def test_ctrl_c_stops_cleanly_and_says_how_to_continue(self):
        self.script(seconds=0.3)
        process = self.start()
        self.wait_for_results(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assertIn(f"sizewise run {self.run_dir}", err)
        self.assertTrue(json.loads(out)["interrupted"])
        self.assertEqual(len(self.rows()), len(self.results()))
        done = len(self.results())
        self.script()
        answer = json.loads(self.sizewise("run", self.run_dir, "--json").stdout)
        self.assertEqual(answer["trials"]["reused"], done)

    def test_ctrl_c_then_run_ends_with_the_trials_of_a_run_undisturbed(self):
        expected = self.finished(self.folder / "undisturbed")[1]
        trials = {row["trial"] for row in self.rows(self.folder / "undisturbed")}
        self.script(seconds=0.3)
        process = self.start(arguments=["find-optimal", *self.experiment()])
        self.wait_for_results(3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        self.assertRegex(err, rf"Stopped: \d+ of \d+ trials have a result. Continue with: sizewise run {self.run_dir}")
        before = {row["trial"] for row in self.rows()}
        self.assertLess(before, trials, "it was stopped midway")
        self.script()
        self.count.unlink()
        self.sizewise("run", self.run_dir)
        self.assertEqual({row["trial"] for row in self.rows()}, trials)
        self.assertEqual(self.sorted_runs(), expected)
        self.assertEqual(self.started(), len(trials) - len(before), "nothing is trained twice")

    def test_ctrl_c_is_heard_while_a_worker_counts(self):
        self.script(faults=[{"method": "describe", "kind": "hang"}])
        process = self.start()
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        self.assertTrue(json.loads(out)["interrupted"])
        self.assertFalse(self.run_dir.exists())

    def test_ctrl_c_between_rounds_keeps_what_was_trained(self):
        self.sizewise("plan", *self.experiment())
        self.script(faults=[{"method": "invert", "kind": "hang"}])
        process = self.start(arguments=["run", self.run_dir, "--json"])
        planned = len(json.loads((self.run_dir / "plan.json").read_text())["rounds"][0]["trials"])
        self.wait_for_results(planned)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(json.loads(out)["trials"]["done"], planned)
        self.assertEqual(len(self.rows()), planned)

    def test_an_edited_experiment_is_refused(self):
        self.find_optimal()
        experiment = self.run_dir / "experiment.json"
        whole = experiment.read_text()
        for before, after in (('"seed": 0', '"seed": 7'), ('"batch_size": 4', '"batch_size": 8')):
            self.assertIn(before, whole)
            experiment.write_text(whole.replace(before, after))
            for arguments in (["run", self.run_dir], ["report", self.run_dir]):
                self.refused(*arguments, parts=["experiment.json was changed", "restore the file"])
        experiment.write_text(json.dumps(json.loads(whole)))
        self.sizewise("run", self.run_dir)

    def test_of_two_programs_that_begin_at_once_one_trains(self):
        self.script(seconds=0.05)
        processes = [self.start("--quiet") for _ in range(2)]
        ended = [process.communicate(timeout=120) for process in processes]
        codes = sorted(process.returncode for process in processes)
        self.assertEqual(codes, [0, 2], ended)
        refused = next(err for process, (_, err) in zip(processes, ended) if process.returncode == 2)
        self.assertRegex(refused, "another program .*" + str(self.run_dir))
        self.assertEqual(self.started(), len(self.rows()))

    def test_a_second_program_on_the_same_directory_is_refused(self):
        self.script(seconds=0.3)
        process = self.start()
        self.wait_for_results(1)
        self.refused("run", self.run_dir, parts=["another program", str(process.pid), str(self.run_dir)])
        process.kill()
        process.communicate()
        self.script()
        self.sizewise("run", self.run_dir)

    def test_another_experiment_is_refused_naming_the_first_difference(self):
        self.find_optimal()
        before = self.everything()
        for flag, value, part in (("seed", "7", "recipe.seed is 7, the run's is 0"),
                                  ("budgets", "1e10,5e10", "budgets is [10000000000.0,50000000000.0]"),
                                  ("learning-rate", "0.1", "recipe.learning_rate is 0.1")):
            self.refused("find-optimal", *self.experiment(**{flag: value}), parts=["another experiment", part])
            self.assertEqual(self.everything(), before, "nothing is written")

    def test_a_folder_that_is_no_run_is_left_alone(self):
        self.run_dir.mkdir()
        (self.run_dir / "thesis.tex").write_text("precious")
        self.refused("find-optimal", *self.experiment(), parts=["thesis.tex", "--run-dir"])
        self.refused("run", self.run_dir, parts=["no run directory"])
        self.refused("run", self.folder / "nowhere", parts=["there is no such folder"])
        self.assertEqual([path.name for path in self.run_dir.iterdir()], ["thesis.tex"])

    def test_damaged_results_are_set_aside_and_trained_again(self):
        self.find_optimal()
        expected = self.sorted_runs()
        results = self.results()
        whole = results[0].read_bytes()
        results[0].write_bytes(whole[: len(whole) // 2])
        results[1].write_text(re.sub(r'"loss": \d', '"loss": 9', results[1].read_text()))
        results[2].write_bytes(b"")
        shutil.copy(results[4], results[3])
        started = self.started()
        done = self.sizewise("run", self.run_dir, "--json")
        damaged = sorted(path.name for path in (self.run_dir / "results").glob("*.damaged-*"))
        self.assertEqual(len(damaged), 4, done.stderr)
        self.assertEqual(done.stderr.count("set aside"), 4)
        self.assertEqual(self.started(), started + 4)
        self.assertEqual(self.sorted_runs(), expected)

    def test_a_changed_plan_is_refused(self):
        self.find_optimal()
        plan = self.run_dir / "plan.json"
        whole = plan.read_text()
        for before, after in (('"tokens": ', '"tokens": 1'), ('"threads": 1', '"threads": 2')):
            plan.write_text(whole.replace(before, after, 1))
            self.refused("run", self.run_dir, parts=["plan.json", "changed"])
        plan.write_text(whole[:100])
        self.refused("run", self.run_dir, parts=["plan.json", "not a plan"])

    def test_a_changed_plugin_stops_the_run_until_accepted(self):
        plugins = self.folder / "plugins"
        plugins.mkdir()
        shutil.copy(harness.PLUGINS / "gpt.so", plugins)
        model = plugins / "gpt.so"
        self.find_optimal(model=model)
        with open(model, "ab") as file:
            file.write(b"\0")
        self.refused("run", self.run_dir, parts=["model plugin", "SHA-256", "--accept-changes"])
        done = self.sizewise("run", self.run_dir, "--accept-changes")
        self.assertIn("accepted", done.stderr)
        self.sizewise("run", self.run_dir)

    def test_a_run_is_continued_from_any_folder(self):
        plugins = self.folder / "plugins"
        plugins.mkdir()
        shutil.copy(harness.PLUGINS / "gpt.so", plugins / "mine.so")
        self.sizewise("plan", *self.experiment(model="plugins/mine.so", **{"dataset-option": "path=text.txt"}))
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        done = subprocess.run([harness.SIZEWISE, "run", self.run_dir], env=self.environment, cwd=elsewhere,
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_changed_data_stop_the_run_until_accepted(self):
        self.find_optimal()
        self.script(fingerprint="other")
        self.refused("run", self.run_dir, parts=["fingerprint", "other", "--accept-changes"])
        self.sizewise("run", self.run_dir, "--accept-changes")

    def test_runs_csv_is_derived(self):
        self.find_optimal()
        expected = (self.run_dir / "runs.csv").read_bytes()
        (self.run_dir / "runs.csv").write_text("nonsense")
        self.sizewise("run", self.run_dir)
        self.assertEqual((self.run_dir / "runs.csv").read_bytes(), expected)


class DeadWorkers(harness.Scripted):
    def test_a_trial_whose_worker_dies_is_tried_once_more(self):
        for kind in ("segv", "exit0", "garbage"):
            with self.subTest(kind):
                mark = self.folder / ("mark-" + kind)
                self.script(faults=[self.fault(kind=kind, times=1, mark=str(mark))])
                done = self.sizewise("find-optimal", *self.experiment(run_dir=self.folder / kind), "--json")
                answer = json.loads(done.stdout)
                self.assertEqual(answer["trials"]["failed"], 0)
                self.assertIn("is tried once more", done.stderr)
        self.assertIn("signal 11 (SIGSEGV)", "".join(self.all_warnings("segv")))
        self.assertIn("its log ends: about to segv", "".join(self.all_warnings("segv")))

    def all_warnings(self, name):
        return json.loads((self.folder / name / "outcome.json").read_text())["warnings"]

    def test_a_trial_whose_worker_dies_twice_has_failed_and_the_rest_goes_on(self):
        self.find_optimal(run_dir=self.folder / "first")
        size = sorted({int(row["size"]) for row in self.rows(self.folder / "first")})[0]
        self.script(faults=[{"method": "train", "kind": "segv", "size": size}])
        answer = self.find_optimal()
        self.assertGreater(answer["trials"]["failed"], 0)
        self.assertGreater(answer["trials"]["done"], 10)
        failed = [row for row in self.rows() if row["status"] == "failed"]
        self.assertEqual({row["size"] for row in failed}, {str(size)})
        self.script()
        answer = json.loads(self.sizewise("run", self.run_dir, "--retry-failed", "--json").stdout)
        self.assertEqual(answer["trials"]["failed"], 0)

    def test_where_every_trial_fails_the_reason_is_said(self):
        self.script(faults=[{"method": "train", "kind": "error", "message": "no memory left"}])
        done = self.sizewise("find-optimal", *self.experiment(), code=1)
        self.assertRegex(done.stdout, r"all \d+ trials failed; trial \w+ \(size \d+\):\s+no memory left")
        self.assertIn(f"sizewise run {self.run_dir} --retry-failed", " ".join(done.stdout.split()))
        again = json.loads(self.sizewise("report", self.run_dir, "--json", code=1).stdout)
        self.assertEqual(again["fit"]["status"], "not_identified")

    def test_a_worker_that_dies_before_the_sweep_leaves_no_run(self):
        self.script(faults=[{"method": "describe", "kind": "segv"}])
        done = self.refused("find-optimal", *self.experiment(), parts=["SIGSEGV", "`describe`"])
        self.assertNotIn("isoflop", done.stderr)
        self.assertFalse(self.run_dir.exists())

    def test_a_worker_that_dies_once_outside_a_trial_is_replaced(self):
        for method in ("dataset", "describe", "invert"):
            with self.subTest(method):
                self.script(faults=[{"method": method, "kind": "segv", "times": 1,
                                     "mark": str(self.folder / ("mark-" + method))}])
                answer = self.find_optimal(run_dir=self.folder / method)
                self.assertTrue(any("another one is asked" in text for text in answer["warnings"]))

    def test_a_flood_on_standard_output_does_no_harm(self):
        self.script(faults=[{"method": "train", "kind": "flood", "mebibytes": 20}])
        self.find_optimal()
        largest = max(path.stat().st_size for path in (self.run_dir / "logs").iterdir())
        self.assertLessEqual(largest, 65536)


if __name__ == "__main__":
    harness.main()
