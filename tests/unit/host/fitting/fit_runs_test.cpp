#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "fitting/bootstrap.hpp"
#include "fitting/fit_report.hpp"
#include "fitting/fit_report_json.hpp"
#include "fitting/identifiability.hpp"
#include "reporting/fit_text.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

/// A fit whose E is the weighted mean loss and whose other parameters are fixed: what the
/// host adds can be computed by hand.
class MeanFit : public Fit {
 public:
  [[nodiscard]] FitResult fit(const FitInput& input) const override {
    double sum = 0.0;
    double total = 0.0;
    for (std::size_t row = 0; row < input.runs.rows(); ++row) {
      const double loss = input.runs.loss()[row];
      if (!(loss > 0.0)) {
        throw Error(ErrorCode::kInput, "a loss cannot be used");
      }
      const double weight = input.weights.empty() ? 1.0 : input.weights[row];
      sum += weight * loss;
      total += weight;
    }
    FitResult result;
    result.status = FitStatus::kIdentified;
    result.law = {
        "chinchilla",
        {{"E", sum / total}, {"A", 400}, {"B", 400}, {"alpha", 0.3}, {"beta", 0.3}},
        {}};
    result.objective = 1.0;
    result.a = result.b = 0.5;
    return result;
  }
};

RunTable table() {
  RunTable runs;
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  for (int i = 0; i < 20; ++i) {
    params.push_back(1e6 * std::pow(2.0, i % 5));
    tokens.push_back(1e8 * std::pow(3.0, i / 5));
    loss.push_back(2.0 + 0.01 * i);
  }
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", loss);
  return runs;
}

FitRequest request() {
  FitRequest asked;
  asked.fit.plugin = "mean";
  asked.budgets = {Flops(1e18)};
  return asked;
}

FitReport fit_table(const RunTable& runs, const FitRequest& asked) {
  return fit_runs(runs, asked, MeanFit(), cost_model_of(runs));
}

std::vector<std::string> codes(const FitReport& report) {
  std::vector<std::string> found;
  for (const Reason& reason : report.result.reasons) {
    found.push_back(reason.code);
  }
  return found;
}

TEST(FitRuns, CountsTheRowsThatItLeavesOut) {
  RunTable runs = table();
  std::vector<std::string> status(runs.rows(), "done");
  status[0] = "diverged";
  status[1] = "pilot";
  status[2] = "";
  runs.add_texts("status", status);
  FitRequest asked = request();
  asked.filters = {tables::parse_row_filter("loss<2.18")};
  const FitReport report = fit_table(runs, asked);
  EXPECT_EQ(report.rows.read, 20U);
  EXPECT_EQ(report.rows.used, 16U);
  ASSERT_EQ(report.rows.excluded.size(), 3U);
  EXPECT_EQ(report.rows.excluded[0].reason, "not loss<2.18");
  EXPECT_EQ(report.rows.excluded[0].count, 2U);
  EXPECT_EQ(report.rows.excluded[1].reason, "status is diverged");
}

TEST(FitRuns, NamesTheOptimumAndHowFarItIs) {
  const FitReport report = fit_table(table(), request());
  ASSERT_TRUE(report.identified());
  ASSERT_EQ(report.optima.size(), 1U);
  const double largest = 6.0 * 16e6 * 27e8;
  EXPECT_NEAR(report.largest_flops / largest, 1.0, 1e-12);
  EXPECT_NEAR(report.optima[0].extrapolation / (1e18 / largest), 1.0, 1e-12);
  EXPECT_NEAR(report.optima[0].params.value(), std::sqrt(1e18 / 6.0), 1.0);
  EXPECT_THAT(report.warnings, Contains(HasSubstr("6 * params * tokens")));
}

TEST(FitRuns, SaysInWhichLineABadValueStands) {
  RunTable runs;
  runs.add_numbers("params", {1e6, 1e7});
  runs.add_numbers("tokens", {1e8, 1e8});
  runs.add_numbers("loss", {2.0, std::numeric_limits<double>::quiet_NaN()});
  FitRequest asked = request();
  asked.source = "runs.csv";
  asked.lines = {2, 5};
  try {
    (void)fit_table(runs, asked);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("runs.csv, line 5"), HasSubstr("column 'loss'")));
  }
}

TEST(FitRuns, RefusesRequestsOutOfRange) {
  for (const auto& spoil :
       std::vector<void (*)(FitRequest&)>{[](FitRequest& asked) {
                                            asked.bootstrap = -1;
                                          },
                                          [](FitRequest& asked) {
                                            asked.level = 1.0;
                                          },
                                          [](FitRequest& asked) {
                                            asked.threads = 0;
                                          },
                                          [](FitRequest& asked) {
                                            asked.budgets = {Flops(0)};
                                          }}) {
    FitRequest asked = request();
    spoil(asked);
    EXPECT_THROW((void)fit_table(table(), asked), Error);
  }
}

TEST(FitRuns, DoesNotIdentifyNarrowOrFewRows) {
  FitRequest asked = request();
  asked.filters = {tables::parse_row_filter("params<1e7")};
  EXPECT_THAT(codes(fit_table(table(), asked)), Contains("narrow_params"));
  RunTable runs = table();
  std::vector<double> budgets(runs.rows(), 1e15);
  budgets[0] = 1e16;
  runs.add_numbers("budget_flops", budgets);
  const FitReport report = fit_table(runs, request());
  EXPECT_THAT(codes(report), Contains("few_budgets"));
  EXPECT_TRUE(report.optima.empty());
  FitRequest forced = request();
  forced.force = true;
  EXPECT_EQ(fit_table(runs, forced).optima.size(), 1U);
  EXPECT_FALSE(fit_table(runs, forced).identified());
}

TEST(CountBudgets, TakesFlopsThatDifferByATenthAsOne) {
  RunTable runs;
  runs.add_numbers("params", {1, 1, 1, 1});
  runs.add_numbers("tokens", {1, 1, 1, 1});
  runs.add_numbers("flops", {100, 105, 130, 1000});
  EXPECT_EQ(count_budgets(runs), 3U);
}

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

TEST(Quantile, InterpolatesAndKeepsInfinities) {
  std::vector<double> numbers = {4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(quantile(numbers, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile(numbers, 1.0), 4.0);
  std::vector<double> endless = {1, std::numeric_limits<double>::infinity()};
  EXPECT_TRUE(std::isinf(quantile(endless, 0.9)));
  EXPECT_DOUBLE_EQ(quantile(endless, 0.0), 1.0);
  std::vector<double> none;
  EXPECT_TRUE(std::isnan(quantile(none, 0.5)));
}

TEST(FitReportJson, ReadsBackWhatItWrote) {
  RunTable runs = table();
  std::vector<double> flops;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    flops.push_back(7.1 * runs.params()[row] * runs.tokens()[row]);
  }
  runs.add_numbers("flops", flops);
  FitRequest asked = request();
  asked.bootstrap = 20;
  const nlohmann::json written = fit_report_to_json(fit_table(runs, asked));
  EXPECT_EQ(fit_report_to_json(fit_report_from_json(written)), written);
  EXPECT_EQ(
      fit_report_to_json(fit_report_from_json(nlohmann::json::parse(written.dump()))),
      written);
  EXPECT_EQ(written.at("cost_model"), "counted");
  EXPECT_EQ(written.at("starts").at("within_0.1_percent"), 0);
  EXPECT_EQ(written.at("law").at("form"), "chinchilla");
  EXPECT_TRUE(written.at("bootstrap").at("interval").at("E").is_array());
}

TEST(FitReportJson, WritesAnUnboundedEndAsNull) {
  FitReport report;
  report.bootstrap.emplace();
  report.bootstrap->interval["E"] = {0.0, std::numeric_limits<double>::infinity()};
  const nlohmann::json written = fit_report_to_json(report);
  EXPECT_TRUE(written.at("bootstrap").at("interval").at("E").at(1).is_null());
  EXPECT_THAT(reporting::fit_text(report), ::testing::Not(HasSubstr("inf")));
}

TEST(FitReportJson, RefusesAnotherShape) {
  const nlohmann::json good = fit_report_to_json(fit_table(table(), request()));
  for (const auto& item : good.items()) {
    nlohmann::json bad = good;
    bad[item.key()] = nlohmann::json::array({nlohmann::json::object()});
    if (item.key() == "optima" || item.key() == "reasons" || item.key() == "warnings" ||
        item.key() == "cost_points") {
      bad[item.key()] = "text";
    }
    if (item.key() == "cost_points") {
      continue;  // not read where the cost model is 6nd
    }
    EXPECT_THROW((void)fit_report_from_json(bad), Error) << item.key();
  }
  EXPECT_THROW((void)fit_report_from_json(nlohmann::json::array()), Error);
}

TEST(FitText, FitsEightyColumns) {
  FitRequest asked = request();
  asked.bootstrap = 20;
  asked.budgets = {Flops(1e18), Flops(1.2345e21)};
  const std::string text = reporting::fit_text(fit_table(table(), asked));
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 80U) << text.substr(begin, end - begin);
  }
  EXPECT_THAT(text, AllOf(HasSubstr("Status: identified"), HasSubstr("1.2345e+21")));
}

}  // namespace
}  // namespace sizewise::fitting
