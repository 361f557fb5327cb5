#include "fitting/cost_checks.hpp"

#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"
#include "fitting/row_selection.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The table with FLOPs of 7 a parameter and unit, and some other number in one row.
RunTable with_flops(std::size_t row, double number) {
  RunTable runs = testing::table();
  std::vector<double> flops;
  for (std::size_t i = 0; i < runs.rows(); ++i) {
    flops.push_back(7.0 * runs.params()[i] * runs.tokens()[i]);
  }
  flops[row] = number;
  runs.add_numbers("flops", flops);
  return runs;
}

FitRequest with_lines() {
  FitRequest request = testing::request();
  request.source = "runs.csv";
  for (uint64_t line = 2; line < 22; ++line) {
    request.lines.push_back(line);
  }
  return request;
}

std::string refusal(const RunTable& runs) {
  try {
    check_flops(runs, sort_rows(runs, with_lines()).used, with_lines());
  } catch (const Error& error) {
    return error.message();
  }
  return "none";
}

TEST(CheckFlops, RefusesWhatIsNoCost) {
  for (const double number : {-5.0, 0.0, std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(refusal(with_flops(4, number)),
                AllOf(HasSubstr("runs.csv, line 6"), HasSubstr("column 'flops' is")));
  }
  EXPECT_EQ(refusal(with_flops(4, std::numeric_limits<double>::quiet_NaN())), "none");
}

TEST(CheckFlops, RefusesARowFarFromThoseOfLikeSize) {
  const RunTable runs = testing::table();
  for (const std::size_t row : {0U, 7U, 19U}) {
    const double usual = 7.0 * runs.params()[row] * runs.tokens()[row];
    for (const double factor : {1e-3, 1.0 / 20.0, 20.0}) {
      EXPECT_THAT(refusal(with_flops(row, factor * usual)),
                  AllOf(HasSubstr("runs.csv, line " + std::to_string(row + 2)),
                        HasSubstr("of like size about 7 * params")))
          << row << ' ' << factor;
    }
    EXPECT_EQ(refusal(with_flops(row, 5.0 * usual)), "none");
  }
}

TEST(CheckFlops, TakesASteepCostForWhatItIs) {
  // Params without embeddings, whose head costs most in small models; one row a size.
  RunTable runs;
  runs.add_numbers("params", {98e3, 786e3, 4.7e6, 25e6, 85e6});
  runs.add_numbers("tokens", {1e9, 1e9, 1e9, 1e9, 1e9});
  runs.add_numbers("loss", {5, 4, 3, 2.5, 2.2});
  RunTable wrong = runs;
  const std::vector<double> steep = {203, 55, 22, 12, 8.7};
  for (RunTable* const table : {&runs, &wrong}) {
    std::vector<double> flops;
    for (std::size_t i = 0; i < steep.size(); ++i) {
      flops.push_back(steep[i] * table->params()[i] * 1e9);
    }
    flops[4] *= table == &wrong ? 1e-3 : 1.0;
    table->add_numbers("flops", flops);
  }
  EXPECT_EQ(refusal(runs), "none");
  EXPECT_THAT(refusal(wrong), HasSubstr("runs.csv, line 6"));
}

TEST(CheckFlops, LeavesAloneWhatIsNotFitted) {
  RunTable runs = with_flops(4, -5.0);
  std::vector<std::string> statuses(runs.rows(), "done");
  statuses[4] = "diverged";
  runs.add_texts("status", statuses);
  EXPECT_EQ(refusal(runs), "none");
}

}  // namespace
}  // namespace sizewise::fitting
