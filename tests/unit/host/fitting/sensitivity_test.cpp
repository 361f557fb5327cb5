#include "fitting/sensitivity.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::ElementsAre;

/// A fit whose a is the mean logarithm of N and whose b the mean logarithm of C: it tells
/// which columns it saw.
class ColumnsFit : public testing::MeanFit {
 public:
  [[nodiscard]] FitResult fit(const FitInput& input) const override {
    FitResult result = MeanFit::fit(input);
    result.a = mean_log(input.runs, "params");
    result.b = input.runs.has_numbers("flops") ? mean_log(input.runs, "flops") : 0.0;
    return result;
  }

 private:
  static double mean_log(const RunTable& runs, const char* column) {
    double sum = 0.0;
    for (const double value : runs.numbers(column)) {
      sum += std::log(value);
    }
    return sum / static_cast<double>(runs.rows());
  }
};

TEST(SensitivityOf, FitsEveryOtherReading) {
  RunTable runs = testing::table();
  std::vector<double> fewer;
  std::vector<double> flops;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    fewer.push_back(0.5 * runs.params()[row]);
    flops.push_back(9.0 * runs.params()[row] * runs.tokens()[row]);
  }
  runs.add_numbers("params_novocab", fewer);
  runs.add_texts("params_note", std::vector<std::string>(runs.rows(), "x"));
  runs.add_numbers("flops", flops);
  EXPECT_THAT(other_counts_of_params(runs), ElementsAre("params_novocab"));
  FitRequest asked = testing::request();
  asked.sensitivity = true;
  const FitReport report = fit_runs(runs, asked, ColumnsFit(), cost_model_of(runs));
  ASSERT_EQ(report.sensitivity.size(), 2U);
  EXPECT_EQ(report.sensitivity[0].reading, "params = params_novocab");
  EXPECT_NEAR(report.result.a - report.sensitivity[0].a, std::log(2.0), 1e-12);
  EXPECT_EQ(report.sensitivity[1].reading, "flops = 6 params tokens");
  EXPECT_NEAR(report.sensitivity[1].growth, 0.5, 1e-9) << "beta / (alpha + beta)";
  EXPECT_NEAR(report.result.b - report.sensitivity[1].b, std::log(1.5), 1e-12);
  // Under another cost the same law has another best size.
  EXPECT_NEAR(
      report.sensitivity[1].optima[0].params.value() / report.optima[0].params.value(),
      std::pow(1.5, 0.5),
      1e-9);
  EXPECT_TRUE(report.sensitivity[0].identified);
}

TEST(SensitivityOf, IsEmptyWhereTheTableHasOneReading) {
  FitRequest asked = testing::request();
  asked.sensitivity = true;
  EXPECT_TRUE(testing::fit_table(testing::table(), asked).sensitivity.empty());
}

}  // namespace
}  // namespace sizewise::fitting
