"""find-optimal from the command line, with a worker that follows a known law."""
import json
import math
import unittest

import harness


class FindOptimal(harness.Scripted):
    def test_recommends_the_optimum_of_the_law(self):
        answer = self.find_optimal()
        self.assertEqual(answer["fit"]["status"], "identified")
        self.assertEqual(answer["trials"]["planned"], answer["trials"]["done"])
        made = answer["recommendation"]
        self.assertEqual(made["budget_flops"], 1.6e12)
        law = self.LAW
        best = min((law["E"] + law["A"] / n ** law["alpha"] + law["B"] / (1.6e12 / 6 / n) ** law["beta"], n)
                   for n in (10 ** (x / 1000) for x in range(3000, 8000)))
        self.assertLess(abs(math.log(made["params"] / best[1])), 0.25)
        self.assertAlmostEqual(made["loss"], best[0], delta=0.01)
        low, high = made["params_interval"]
        self.assertLess(low, high)

    def test_the_recommendation_costs_the_budget(self):
        for target in ("7e11", "5e12"):
            made = self.find_optimal(**{"target-budget": target, "run_dir": self.folder / target})["recommendation"]
            params = 20 * made["size"] + 4 * made["size"] ** 2
            self.assertEqual(made["params"], params)
            self.assertLess(abs(6 * params * made["tokens"] / float(target) - 1), 0.01)

    def test_writes_the_run_directory(self):
        answer = self.find_optimal()
        names = {path.name for path in self.run_dir.iterdir()}
        self.assertLessEqual({"experiment.json", "plan.json", "results", "runs.csv", "law.json"}, names)
        rows = self.rows()
        self.assertEqual(len(rows), answer["trials"]["planned"])
        pilots = [row for row in rows if row["status"] == "pilot"]
        self.assertTrue(pilots)
        self.assertTrue(all(row["budget_flops"] == "" for row in pilots))
        flops = sum(float(row["flops"]) for row in rows)
        self.assertLessEqual(sum(float(row["flops"]) for row in pilots), 0.1 * flops)
        self.assertAlmostEqual(flops, answer["training_flops"], delta=1e-6 * flops)
        for row in rows:
            self.assertTrue((self.run_dir / "results" / (row["trial"] + ".json")).is_file())
        self.assertEqual(json.loads((self.run_dir / "law.json").read_text())["law"], answer["fit"]["law"])

    def test_prints_people_a_table_within_80_columns_and_progress_apart(self):
        done = self.sizewise("find-optimal", *self.experiment())
        self.assertIn("status", done.stdout)
        self.assertIn("For a budget of 1.6e+12 FLOPs", done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_is_silent_when_told_to(self):
        done = self.sizewise("find-optimal", *self.experiment(), "--json", "--quiet")
        self.assertEqual(done.stderr, "")
        json.loads(done.stdout)

    def test_says_how_far_it_is_every_few_seconds(self):
        self.script(seconds=0.2)
        done = self.sizewise("find-optimal", *self.experiment(), "--json")
        self.assertRegex(done.stderr, r"\d+ %  \d+/\d+ trials  loss 3\.000  \S+ tokens/s")
        json.loads(done.stdout)

    def test_a_run_that_is_done_is_only_read(self):
        first = self.find_optimal()
        started = self.started()
        again = self.find_optimal()
        self.assertEqual(again["trials"]["reused"], first["trials"]["planned"])
        self.assertEqual(again["recommendation"], first["recommendation"])
        self.assertEqual(self.started(), started)

    def test_report_prints_what_the_directory_holds(self):
        answer = self.find_optimal()
        report = json.loads(self.sizewise("report", self.run_dir, "--json").stdout)
        self.assertEqual(report["recommendation"], answer["recommendation"])
        self.assertIn("identified", self.sizewise("report", self.run_dir).stdout)

    def test_plan_writes_what_run_continues(self):
        plan = json.loads(self.sizewise("plan", *self.experiment(), "--json").stdout)
        self.assertEqual(self.started(), 0)
        self.assertTrue(all(trial["pilot"] for trial in plan["rounds"][0]))
        done = json.loads(self.sizewise("run", self.run_dir, "--json").stdout)
        self.assertEqual(done["fit"]["status"], "identified")
        other = self.folder / "other"
        self.find_optimal(run_dir=other)
        self.assertEqual(self.sorted_runs(), self.sorted_runs(other))

    def test_plan_without_a_run_directory_writes_nothing(self):
        self.sizewise("plan", *self.experiment(**{"run-dir": None}))
        self.assertEqual([path.name for path in self.folder.iterdir() if path.is_dir()], [])

    def test_jobs_change_no_result(self):
        self.find_optimal("--jobs", "1")
        other = self.folder / "other"
        self.find_optimal("--jobs", "5", run_dir=other)
        self.assertEqual(self.sorted_runs(), self.sorted_runs(other))

    def test_threads_are_part_of_a_trial_and_kept(self):
        self.find_optimal("--threads", "2")
        self.refused("run", self.run_dir, "--threads", "1", parts=["--threads is 1", "trained with 2"])
        self.sizewise("run", self.run_dir, "--threads", "2")

    def test_excludes_diverged_and_failed_trials_and_says_so(self):
        self.find_optimal()
        sizes = sorted({int(row["size"]) for row in self.rows()})
        self.script(faults=[{"method": "train", "size": sizes[-1], "kind": "diverge"},
                            {"method": "train", "size": sizes[0], "kind": "error", "code": "training"}])
        answer = self.find_optimal(run_dir=self.folder / "other")
        self.assertGreater(answer["trials"]["diverged"], 0)
        self.assertGreater(answer["trials"]["failed"], 0)
        excluded = sum(entry["count"] for entry in answer["fit"]["rows"]["excluded"])
        self.assertGreaterEqual(excluded, answer["trials"]["diverged"] + answer["trials"]["failed"])
        self.assertTrue(any("refused by the script" in text for text in answer["warnings"]))

    def test_a_law_that_is_not_identified_recommends_nothing(self):
        answer = self.find_optimal("--sweep", "grid", "--sweep-option", "sizes=32,64",
                                   "--sweep-option", "tokens=20000", code=1)
        self.assertIsNone(answer["recommendation"])
        self.assertEqual(answer["fit"]["status"], "not_identified")
        self.assertTrue(answer["fit"]["reasons"])

    def test_where_no_law_is_identified_it_says_what_to_do_next(self):
        done = self.sizewise("find-optimal", *self.experiment(budgets="1e10,1.2e10"), code=1)
        self.assertIn("2 training budgets: a law needs 3 or more", done.stderr)
        self.assertIn("What to do next", done.stdout)
        self.assertIn("three or more --budgets", done.stdout)
        report = self.sizewise("report", self.run_dir, "--json", code=1)
        self.assertTrue(any("three or more --budgets" in line for line in json.loads(report.stdout)["advice"]))

    def test_too_few_budgets_are_warned_of_before_training(self):
        self.script(faults=[{"method": "train", "kind": "hang"}])
        done = self.sizewise("plan", *self.experiment(budgets="1e10"))
        self.assertIn("1 training budget: a law needs 3 or more", done.stderr)

    def test_a_plan_says_that_more_rounds_follow(self):
        self.assertIn("These are pilots", self.sizewise("plan", *self.experiment()).stdout)

    def test_says_what_takes_long_before_the_sweep(self):
        self.script(faults=[self.fault(method="describe", kind="slow", seconds=2, times=1)])
        done = self.sizewise("plan", *self.experiment())
        self.assertIn("counting the FLOPs of width 8", done.stderr)

    def test_a_size_cut_off_by_the_models_limits_is_recommended_with_its_own_cost(self):
        made = self.find_optimal(**{"target-budget": "1e24"})["recommendation"]
        params = 20 * made["size"] + 4 * made["size"] ** 2
        self.assertEqual(made["size"], 16384)
        self.assertEqual(made["params"], params)
        self.assertIn("the largest width that the model has", made["reason"])
        self.assertLess(abs(6 * params * made["tokens"] / 1e24 - 1), 0.05)

    def test_one_recommendation_that_fails_spares_the_others(self):
        self.script(makes_models=True)
        answer = self.find_optimal("--target-budget", "1.6e12", "--target-budget", "1e24")
        self.assertEqual([made["budget_flops"] for made in answer["recommendations"]], [1.6e12])
        self.assertTrue(any("no size is recommended for 1e+24 FLOPs" in text for text in answer["warnings"]))
        self.assertEqual(len(answer["fit"]["optima"]), 2)
        self.assertTrue((self.run_dir / "outcome.json").is_file())

    def test_the_size_set_as_an_option_is_ignored_with_a_warning(self):
        size = json.loads(self.sizewise("plugin", "show", "gpt", "--json").stdout)["size"]["name"]
        done = self.sizewise("find-optimal", *self.experiment(), "--json", "--model-option", size + "=64")
        self.assertIn("warning", done.stderr)
        self.assertIn(size, done.stderr)


class Grid(harness.Scripted):
    SIZES, TOKENS = (32, 64, 128, 256), (20000, 80000, 320000, 1280000)
    WARNING = "sweep 'grid' does not train to --budgets"

    def words(self, budgets=None, **changes):
        """The words of a grid sweep, with --budgets or without."""
        words = self.experiment(budgets=budgets, **{"target-budget": "1e12", **changes})
        if budgets is None:
            at = words.index("--budgets")
            del words[at:at + 2]
        return [*words, "--sweep", "grid", "--sweep-option", "sizes=" + ",".join(map(str, self.SIZES)),
                "--sweep-option", "tokens=" + ",".join(map(str, self.TOKENS))]

    def test_trains_every_size_on_every_amount_of_data_and_recommends(self):
        done = self.sizewise("find-optimal", *self.words(), "--json")
        answer = json.loads(done.stdout)
        self.assertNotIn("warning", done.stderr)
        self.assertEqual((answer["trials"]["planned"], answer["trials"]["done"]), (16, 16))
        rows = self.rows()
        self.assertEqual({(int(row["size"]), int(row["tokens"])) for row in rows},
                         {(size, tokens) for size in self.SIZES for tokens in self.TOKENS})
        self.assertEqual({(row["status"], row["budget_flops"]) for row in rows}, {("done", "")})
        self.assertEqual(answer["fit"]["rows"]["used"], 16)
        for name, value in self.LAW.items():
            self.assertAlmostEqual(answer["fit"]["law"][name], value, delta=1e-3 * value)
        made = answer["recommendation"]
        self.assertEqual(made["budget_flops"], 1e12)
        self.assertLess(abs(6 * made["params"] * made["tokens"] / 1e12 - 1), 0.01)

    def test_without_a_target_recommends_for_ten_times_the_largest_trial(self):
        answer = json.loads(self.sizewise("find-optimal", *self.words(**{"target-budget": None}), "--json").stdout)
        largest = max(float(row["flops"]) for row in self.rows())
        self.assertAlmostEqual(answer["fit"]["optima"][0]["budget_flops"], 10 * largest, delta=1e-6 * largest)

    def test_budgets_beside_it_are_warned_of_and_change_no_trial(self):
        done = self.sizewise("find-optimal", *self.words(budgets="1e10,4e10"), "--json")
        self.assertEqual(done.stderr.count(self.WARNING), 1)
        self.assertTrue(any(self.WARNING in text for text in json.loads(done.stdout)["warnings"]))
        other = self.folder / "other"
        self.sizewise("find-optimal", *self.words(run_dir=other))
        self.assertEqual(self.sorted_runs(), self.sorted_runs(other))

    def test_budgets_beside_it_say_what_to_recommend_for(self):
        words = self.words(budgets="1e10,4e10", **{"target-budget": None})
        answer = json.loads(self.sizewise("find-optimal", *words, "--json").stdout)
        self.assertEqual([made["budget_flops"] for made in answer["recommendations"]], [4e11])

    def test_is_planned_whole_and_then_run(self):
        plan = json.loads(self.sizewise("plan", *self.words(), "--json").stdout)
        self.assertEqual([len(trials) for trials in plan["rounds"]], [16])
        self.assertEqual({(trial["pilot"], trial["budget_flops"]) for trial in plan["rounds"][0]}, {(False, None)})
        self.assertEqual(self.started(), 0)
        self.sizewise("run", self.run_dir)
        self.assertEqual({row["trial"] for row in self.rows()}, {trial["trial"] for trial in plan["rounds"][0]})


if __name__ == "__main__":
    harness.main()
