#include "sizewise/runs.hpp"

#include <array>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"
#include "sizewise/fit.hpp"

namespace sizewise {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RunTable, SelectsRowsInTheOrderAsked) {
  RunTable table;
  table.add_numbers("params", {1, 2, 3});
  table.add_texts("status", {"done", "failed", "done"});
  const RunTable picked = table.select(std::array<std::size_t, 3>{2, 2, 0});
  EXPECT_THAT(picked.params(), ElementsAre(3, 3, 1));
  EXPECT_THAT(picked.texts("status"), ElementsAre("done", "done", "done"));
  EXPECT_THROW((void)table.select(std::array<std::size_t, 1>{3}), Error);
}

TEST(RunTable, NamesTheColumnsWhereOneIsMissing) {
  RunTable table;
  table.add_numbers("tokens_seen", {1});
  table.add_numbers("param", {1});
  try {
    (void)table.params();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("tokens_seen, param"));
    EXPECT_THAT(error.suggestion(), HasSubstr("--columns params=param"));
  }
}

TEST(RunTable, RefusesColumnsOfAnotherLengthOrName) {
  RunTable table;
  table.add_numbers("params", {1, 2});
  EXPECT_THROW(table.add_numbers("tokens", {1}), Error);
  EXPECT_THROW(table.add_texts("params", {"a", "b"}), Error);
}

TEST(RunTable, NamesTheColumnsWhereATextIsMissing) {
  RunTable table;
  table.add_numbers("params", {1});
  try {
    (void)table.texts("status");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(), HasSubstr("no text column 'status'"));
  }
}

TEST(Law, RefusesAKeyThatItsFormLacks) {
  try {
    (void)Law{"power", {{"k", 1.0}}, {}}.value("alpha");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kFit);
    EXPECT_EQ(error.message(), "a law of form 'power' has no 'alpha'");
  }
}

TEST(Law, PredictsNothingWhereItsFormDoesNot) {
  EXPECT_TRUE(std::isnan(
      predicted_loss(Law{"allocation", {}, {}}, Parameters(1), Units(1)).value()));
}

TEST(Law, PredictsChinchillaAndKaplan) {
  const Law chinchilla{
      "chinchilla",
      {{"E", 1.69}, {"A", 406.4}, {"B", 410.7}, {"alpha", 0.34}, {"beta", 0.28}},
      {}};
  EXPECT_NEAR(predicted_loss(chinchilla, Parameters(1e9), Units(2e10)).value(),
              1.69 + 406.4 / std::pow(1e9, 0.34) + 410.7 / std::pow(2e10, 0.28),
              1e-12);
  const Law kaplan{
      "kaplan", {{"Nc", 6.4e13}, {"Dc", 1.8e13}, {"aN", 0.076}, {"aD", 0.103}}, {}};
  EXPECT_NEAR(predicted_loss(kaplan, Parameters(1e9), Units(2e10)).value(), 2.3739, 1e-4);
  EXPECT_THROW((void)chinchilla.value("Nc"), Error);
}

}  // namespace
}  // namespace sizewise
