#include "running/trial_result.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "running/run_records.hpp"

namespace sizewise::running {
namespace {

using nlohmann::json;
using planning::Trial;

Trial trial() {
  Trial made;
  made.id = "abc";
  made.size = 16;
  made.tokens = 1600;
  made.params = 100;
  made.flops_per_unit = 600;
  return made;
}

json answer() {
  return {{"status", "done"},
          {"reason", ""},
          {"params", 100},
          {"tokens", 1600},
          {"loss", 2.1234567890123456},
          {"train_loss", 2.0},
          {"accuracy", nullptr},
          {"flops", 960000.0},
          {"flops_6nd", 960000.0},
          {"seconds", 0.5},
          {"epochs", 0.1},
          {"steps", 10},
          {"warnings", {"slow"}}};
}

TEST(TrialResult, ReadsBackExactly) {
  const TrialResult result = result_from_answer(trial(), answer());
  const TrialResult again = result_from_text(result_to_text(result), "abc");
  EXPECT_EQ(again.loss, 2.1234567890123456);
  EXPECT_TRUE(std::isnan(again.accuracy));
  EXPECT_EQ(again.warnings, std::vector<std::string>{"slow"});
  EXPECT_EQ(result_to_text(again), result_to_text(result));
}

TEST(TrialResult, EveryFlippedByteIsNoticed) {
  const std::string text = result_to_text(result_from_answer(trial(), answer()));
  std::size_t noticed = 0;
  std::size_t harmless = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x01);
    try {
      const TrialResult read = result_from_text(damaged, "abc");
      EXPECT_EQ(result_to_text(read), text)
          << "a change was taken for the truth at " << at;
      ++harmless;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      ++noticed;
    }
  }
  EXPECT_GT(noticed, 9 * harmless) << "only blanks between the fields carry no meaning";
}

TEST(TrialResult, EveryTruncationIsNoticed) {
  const std::string text = result_to_text(result_from_answer(trial(), answer()));
  // Without the last line end it is whole.
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    EXPECT_THROW(static_cast<void>(result_from_text(text.substr(0, length), "abc")),
                 Error);
  }
}

TEST(TrialResult, OfAnotherTrialIsRefused) {
  const std::string text = result_to_text(result_from_answer(trial(), answer()));
  EXPECT_THROW(static_cast<void>(result_from_text(text, "abd")), Error);
}

TEST(TrialResult, RefusesAnAnswerThatTrainedSomethingElse) {
  json other = answer();
  other["tokens"] = 1500;
  EXPECT_THROW(static_cast<void>(result_from_answer(trial(), other)), Error);
  other["status"] = "diverged";
  EXPECT_NO_THROW(static_cast<void>(result_from_answer(trial(), other)))
      << "a diverged trial stops early";
  other["status"] = "splendid";
  EXPECT_THROW(static_cast<void>(result_from_answer(trial(), other)), Error);
  other.erase("status");
  EXPECT_THROW(static_cast<void>(result_from_answer(trial(), other)), Error);
}

TEST(TrialResult, WithoutALossIsNotDone) {
  json without = answer();
  without["loss"] = nullptr;
  EXPECT_EQ(result_from_answer(trial(), without).status, "diverged");
}

TEST(RunRecords, KeepThePlansOrderAndNamePilots) {
  Trial pilot = trial();
  pilot.id = "pilot";
  pilot.pilot = true;
  Trial missing = trial();
  missing.id = "missing";
  Trial last = trial();
  last.budget = Flops(1e6);
  Results results;
  results["abc"] = result_from_answer(trial(), answer());
  results["pilot"] = result_from_answer(pilot, answer());
  const RunTable table = run_records({pilot, missing, last}, results, 7);
  ASSERT_EQ(table.rows(), 2U);
  EXPECT_EQ(table.texts("status")[0], "pilot");
  EXPECT_EQ(table.texts("status")[1], "done");
  EXPECT_EQ(table.texts("trial")[1], "abc");
  EXPECT_TRUE(std::isnan(table.numbers("budget_flops")[0]));
  EXPECT_EQ(table.numbers("budget_flops")[1], 1e6);
  EXPECT_EQ(table.numbers("seed")[0], 7);
}

}  // namespace
}  // namespace sizewise::running
