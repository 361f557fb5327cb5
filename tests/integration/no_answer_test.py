"""Runs that end without a recommendation: what they say, and with which exit code."""
import json

import harness


class NoLoss(harness.Scripted):
    """Nothing was trained to a loss that a law can be fitted to."""

    DIVERGES = {"method": "train", "kind": "diverge"}

    def grid(self):
        return ["--sweep", "grid", "--sweep-option", "sizes=32,64", "--sweep-option", "tokens=20000"]

    def check_no_loss(self, answer, trials):
        """The answer to a run of so many trials, none of which has a loss."""
        self.assertEqual(answer["fit"]["status"], "not_identified")
        self.assertEqual([reason["code"] for reason in answer["fit"]["reasons"]], ["no_loss"])
        self.assertIn(f"none of {trials} trials", answer["fit"]["reasons"][0]["message"])
        self.assertIsNone(answer["recommendation"])
        self.assertEqual(answer["recommendations"], [])
        self.assertEqual(answer["fit"]["optima"], [])
        self.assertFalse(answer["interrupted"])

    def test_where_all_trials_diverge_nothing_is_recommended(self):
        self.script(faults=[self.DIVERGES])
        answer = self.find_optimal(code=1)
        planned = answer["trials"]["planned"]
        self.assertEqual(answer["trials"], {"planned": planned, "done": 0, "diverged": planned, "failed": 0,
                                            "reused": 0})
        self.check_no_loss(answer, planned)
        self.assertEqual(answer["advice"], [f"{planned} of {planned} trials diverged: lower --learning-rate, "
                                            "or lengthen --warmup"])
        self.assertEqual({row["status"] for row in self.rows()}, {"diverged"})
        self.assertEqual({row["loss"] for row in self.rows()}, {""})

    def test_where_a_whole_grid_diverges_nothing_is_recommended(self):
        self.script(faults=[self.DIVERGES])
        self.check_no_loss(self.find_optimal(*self.grid(), code=1), 2)

    def test_where_only_pilots_are_done_nothing_is_recommended(self):
        self.script(faults=[{**self.DIVERGES, "least_flops": 8e9}])
        answer = self.find_optimal(code=1)
        self.assertEqual({row["status"] for row in self.rows()}, {"pilot", "diverged"})
        self.assertGreater(answer["trials"]["done"], 0)
        self.check_no_loss(answer, answer["trials"]["planned"])
        self.assertTrue(any("diverged: lower --learning-rate" in line for line in answer["advice"]))

    def test_people_read_the_reason_and_what_to_do_next(self):
        self.script(faults=[self.DIVERGES])
        said = self.sizewise("find-optimal", *self.experiment(), *self.grid(), code=1).stdout
        self.assertIn("Status: NOT identified", said)
        self.assertIn("none of 2 trials trained to a loss that can be fitted", said)
        self.assertIn("What to do next\n  - 2 of 2 trials diverged: lower --learning-rate", said)
        self.assertNotIn("For a budget of", said)

    def test_running_it_again_trains_nothing_and_says_the_same(self):
        self.script(faults=[self.DIVERGES])
        self.find_optimal(*self.grid(), code=1)
        started = self.started()
        answer = json.loads(self.sizewise("run", self.run_dir, "--json", code=1).stdout)
        self.assertEqual(self.started(), started)
        self.check_no_loss(answer, 2)
        self.assertIn("2 of 2 trials diverged", answer["advice"][0])
        reported = json.loads(self.sizewise("report", self.run_dir, "--json", code=1).stdout)
        self.check_no_loss(reported, 2)
        self.assertEqual(reported["advice"], answer["advice"])

    def test_its_directory_holds_no_law_to_predict_with(self):
        self.script(faults=[self.DIVERGES])
        self.find_optimal(*self.grid(), code=1)
        self.refused("predict", self.run_dir, "--budget", "1e12", code=1,
                     parts=["there is no law", "none of 2 trials trained to a loss", "--force cannot help"])
        self.refused("fit", self.run_dir, parts=["none of 2 rows can be used", "2 (status is diverged)"])


class Report(harness.Scripted):
    """What `report` says of runs that are not whole, and the code that it exits with."""

    SIZES = (32, 64, 128, 256)

    def grid(self, sizes=SIZES, code=0):
        return self.find_optimal("--sweep", "grid", "--sweep-option", "sizes=" + ",".join(map(str, sizes)),
                                 "--sweep-option", "tokens=20000,80000,320000,1280000", budgets="1e9", code=code,
                                 **{"target-budget": "1e12"})

    def report(self, code):
        return json.loads(self.sizewise("report", self.run_dir, "--json", code=code).stdout)

    def everything(self):
        """The files of the run, to the byte."""
        return {path: path.read_bytes() for path in self.run_dir.rglob("*") if path.is_file()}

    def result(self):
        """The file of a trial's result."""
        return min((self.run_dir / "results").glob("*.json"))

    def test_failed_trials_beside_a_recommendation_exit_with_0(self):
        self.script(faults=[{"method": "train", "kind": "error", "size": 64}])
        self.grid(sizes=(16, *self.SIZES))
        report = self.report(code=0)
        self.assertEqual((report["trials"]["done"], report["trials"]["failed"]), (16, 4))
        self.assertIsNotNone(report["recommendation"])
        self.assertTrue(any("failed: refused by the script" in text for text in report["warnings"]))

    def test_failed_trials_without_a_recommendation_exit_with_1(self):
        self.script(faults=[{"method": "train", "kind": "error", "size": 64}])
        self.grid(sizes=(32, 64), code=1)
        report = self.report(code=1)
        self.assertIsNone(report["recommendation"])
        self.assertTrue(any("4 of 8 trials failed" in line and "--retry-failed" in line for line in report["advice"]))

    def test_a_lost_result_makes_a_run_unfinished(self):
        self.grid()
        lost = self.result()
        lost.unlink()
        before = self.everything()
        report = self.report(code=0)
        self.assertTrue(report["interrupted"])
        self.assertEqual((report["trials"]["planned"], report["trials"]["done"]), (16, 15))
        self.assertIsNone(report["recommendation"], "of a law that was fitted to more trials than there are")
        self.assertIn(f"sizewise run {self.run_dir}", self.sizewise("report", self.run_dir).stderr)
        self.assertEqual(self.everything(), before, "report writes nothing")
        started = self.started()
        self.sizewise("run", self.run_dir)
        self.assertEqual(self.started(), started + 1)
        self.assertIsNotNone(self.report(code=0)["recommendation"])

    def test_a_damaged_result_is_named_and_left_where_it_is(self):
        self.grid()
        damaged = self.result()
        damaged.write_text("{")
        before = self.everything()
        done = self.sizewise("report", self.run_dir, "--json")
        self.assertIn(f"{damaged.name}: it is damaged", done.stderr)
        self.assertTrue(json.loads(done.stdout)["interrupted"])
        self.assertEqual(self.everything(), before, "report writes nothing")


if __name__ == "__main__":
    harness.main()
