#include "fitting/bootstrap.hpp"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fit_fixture.hpp"
#include "fitting/fit_report_json.hpp"

namespace sizewise::fitting {
namespace {

using testing::codes;
using ::testing::Contains;
using testing::fit_table;
using testing::MeanFit;
using testing::request;
using testing::table;

TEST(Bootstrap, MeetsTheStandardErrorOfAMean) {
  FitRequest asked = request();
  asked.bootstrap = 4000;
  const FitReport report = fit_table(table(), asked);
  ASSERT_TRUE(report.bootstrap.has_value());
  EXPECT_EQ(report.bootstrap->unit, "row");
  EXPECT_EQ(report.bootstrap->failed, 0);
  // The loss is 2 + 0.01 i: variance 0.01^2 (20^2 - 1) / 12, and 1/20 of it for the mean.
  const double error = 0.01 * std::sqrt(399.0 / 12.0 / 20.0);
  EXPECT_NEAR(report.bootstrap->standard_error.at("E") / error, 1.0, 0.05);
  const Interval interval = report.bootstrap->interval.at("E");
  EXPECT_NEAR(interval.high - interval.low, 2.0 * 1.96 * error, 0.1 * error * 3.92);
  EXPECT_TRUE(report.optima[0].params_interval.has_value());
}

TEST(Bootstrap, GivesTheSameForOneSeedHoweverManyThreads) {
  FitRequest asked = request();
  asked.bootstrap = 50;
  asked.seed = 7;
  const FitReport one = fit_table(table(), asked);
  asked.threads = 4;
  const FitReport four = fit_table(table(), asked);
  EXPECT_EQ(fit_report_to_json(one), fit_report_to_json(four));
  asked.seed = 8;
  EXPECT_NE(fit_table(table(), asked).bootstrap->standard_error.at("E"),
            one.bootstrap->standard_error.at("E"));
}

TEST(Bootstrap, DrawsWholeRunsWhereRunIdsRepeat) {
  RunTable runs = table();
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back("run" + std::to_string(i / 5));
  }
  runs.add_texts("run_id", ids);
  FitRequest asked = request();
  asked.bootstrap = 2000;
  const FitReport report = fit_table(runs, asked);
  EXPECT_EQ(report.bootstrap->unit, "run_id");
  // Means of the 4 runs lie 0.05 apart: variance 0.05^2 (4^2 - 1) / 12, over 4 draws.
  const double error = 0.05 * std::sqrt(15.0 / 12.0 / 4.0);
  EXPECT_NEAR(report.bootstrap->standard_error.at("E") / error, 1.0, 0.06);
}

TEST(Bootstrap, RowsWithoutARunIdStandAlone) {
  RunTable runs = table();
  runs.add_texts("run_id", std::vector<std::string>(20));
  FitRequest asked = request();
  asked.bootstrap = 10;
  EXPECT_EQ(fit_table(runs, asked).bootstrap->unit, "row");
}

/// Gives no law, or one that is not identified, where the first row was not drawn.
class PickyFit : public MeanFit {
 public:
  explicit PickyFit(bool fails) : fails_(fails) {}
  [[nodiscard]] FitResult fit(const FitInput& input) const override {
    FitResult result = MeanFit::fit(input);
    if (!input.weights.empty() && input.weights[0] == 0.0) {
      if (fails_) {
        throw Error(ErrorCode::kFit, "no law");
      }
      result.status = FitStatus::kNotIdentified;
    }
    return result;
  }

 private:
  bool fails_;
};

TEST(Bootstrap, CountsWhatFailsAndJudgesBySuchResamples) {
  FitRequest asked = request();
  asked.bootstrap = 400;
  const RunTable runs = table();
  // A row is in no resample of 20 with probability (19/20)^20 = 0.36.
  const FitReport failing = fit_runs(runs, asked, PickyFit(true), cost_model_of(runs));
  EXPECT_NEAR(failing.bootstrap->failed, 143, 40);
  EXPECT_THAT(codes(failing), Contains("unstable_bootstrap"));
  EXPECT_FALSE(failing.identified());
  const FitReport other = fit_runs(runs, asked, PickyFit(false), cost_model_of(runs));
  EXPECT_EQ(other.bootstrap->failed, 0);
  EXPECT_EQ(other.bootstrap->not_identified, failing.bootstrap->failed);
  EXPECT_FALSE(other.identified());
}

BootstrapReport three_draws() {
  BootstrapReport bootstrap;
  bootstrap.replicates = 3;
  bootstrap.failed = 1;
  bootstrap.draws = {{"E", {2.0, FitResult::kUnknown, 2.5}},
                     {"A", {400.0, FitResult::kUnknown, 100.0}},
                     {"B", {400.0, FitResult::kUnknown, 400.0}},
                     {"alpha", {0.5, FitResult::kUnknown, 0.5}},
                     {"beta", {0.5, FitResult::kUnknown, 0.5}},
                     {"params 0", {1.0, 2.0, 3.0}},
                     {"params 7", {1.0, 2.0, 3.0}}};
  return bootstrap;
}

const Law kRootLaw{"chinchilla",
                   {{"E", 2.0}, {"A", 400}, {"B", 400}, {"alpha", 0.5}, {"beta", 0.5}},
                   {{"note", "kept"}}};

TEST(DrawnLaws, AreThoseOfTheReplicatesThatGaveOne) {
  const std::vector<Law> laws = drawn_laws(three_draws(), kRootLaw);
  ASSERT_EQ(laws.size(), 2U);
  EXPECT_EQ(laws[0].value("E"), 2.0);
  EXPECT_EQ(laws[1].value("E"), 2.5);
  EXPECT_EQ(laws[1].value("A"), 100.0);
  EXPECT_EQ(laws[1].form, "chinchilla");
  EXPECT_EQ(laws[1].texts.at("note"), "kept");
  EXPECT_EQ(laws[1].values.size(), 5U) << "answers are no part of a law";
}

TEST(DrawnLaws, AreNoneWhereAValueWasNotDrawn) {
  BootstrapReport bootstrap = three_draws();
  bootstrap.draws.erase("beta");
  EXPECT_TRUE(drawn_laws(bootstrap, kRootLaw).empty());
  bootstrap.draws["beta"] = {0.5};
  EXPECT_EQ(drawn_laws(bootstrap, kRootLaw).size(), 1U) << "a list that ends early";
}

TEST(AnswerDraws, PutsTheAnswersOfEveryDrawnLawInPlaceOfThoseBefore) {
  BootstrapReport bootstrap = three_draws();
  const Asked asked{budget_questions({Flops(6e18), Flops(6e20)}), {}, {}};
  answer_draws(asked, CostModel::six_per_parameter(), kRootLaw, bootstrap);
  EXPECT_FALSE(bootstrap.draws.contains("params 7"));
  EXPECT_TRUE(bootstrap.draws.contains("E"));
  for (const auto& [name, root] :
       {std::pair("params 0", 1e9), std::pair("params 1", 1e10)}) {
    const std::vector<double>& params = bootstrap.draws.at(name);
    ASSERT_EQ(params.size(), 3U);
    // N* = (A / B) sqrt(C / 6) where alpha = beta = 0.5.
    EXPECT_NEAR(params[0] / root, 1.0, 1e-9) << name;
    EXPECT_TRUE(std::isnan(params[1])) << name;
    EXPECT_NEAR(params[2] / (0.25 * root), 1.0, 1e-9) << name;
  }
  EXPECT_EQ(bootstrap.draws.at("budget 1")[0], 6e20);
  EXPECT_NEAR(bootstrap.draws.at("tokens 0")[2] / 4e9, 1.0, 1e-9);
  const double loss = 2.5 + 100.0 / std::sqrt(0.25e9) + 400.0 / std::sqrt(4e9);
  EXPECT_NEAR(bootstrap.draws.at("loss 0")[2], loss, 1e-9);
}

TEST(AnswerDraws, GiveWhatTheBootstrapItselfGave) {
  FitRequest asked = request();
  asked.bootstrap = 30;
  asked.asked.questions.push_back({Question::Kind::kParams, 1e8});
  const RunTable runs = table();
  const FitReport report = fit_table(runs, asked);
  BootstrapReport again = *report.bootstrap;
  answer_draws(asked.asked, cost_model_of(runs), report.result.law, again);
  EXPECT_EQ(again.draws, report.bootstrap->draws);
  EXPECT_GT(again.draws.size(), 8U);
}

TEST(GiveIntervals, LeaveOutWhatWasAsked) {
  BootstrapReport bootstrap = three_draws();
  Asked asked{budget_questions({Flops(6e18)}), {}, {}};
  asked.questions.push_back({Question::Kind::kParams, 1e9});
  answer_draws(asked, CostModel::six_per_parameter(), kRootLaw, bootstrap);
  std::vector<Optimum> optima(2);
  optima[0].question = asked.questions[0];
  optima[1].question = asked.questions[1];
  give_intervals(bootstrap, optima);
  EXPECT_FALSE(optima[0].budget_interval.has_value());
  ASSERT_TRUE(optima[0].params_interval.has_value());
  EXPECT_TRUE(optima[0].params_interval->contains(0.5e9));
  EXPECT_TRUE(optima[0].loss_interval.has_value());
  EXPECT_TRUE(optima[1].budget_interval.has_value());
  EXPECT_FALSE(optima[1].params_interval.has_value());
  EXPECT_EQ(optima[1].interval_source, "bootstrap");
}

}  // namespace
}  // namespace sizewise::fitting
