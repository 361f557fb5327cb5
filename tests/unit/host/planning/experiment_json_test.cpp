#include "planning/experiment_json.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

namespace sizewise::planning {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

Error fault_of(const std::string& text) {
  try {
    static_cast<void>(Experiment::from_json(text));
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

TEST(ExperimentJson, ReadsBackWhatItWrote) {
  Experiment experiment;
  experiment.model = {"gpt", {}};
  experiment.model.options.set("layers", int64_t{3});
  experiment.budgets = {Flops(1e9), Flops(0.1)};
  experiment.recipe.seed = std::numeric_limits<int64_t>::max();
  experiment.recipe.learning_rate = 0.1;
  const Experiment again = Experiment::from_json(experiment.to_json());
  EXPECT_EQ(again.to_json(), experiment.to_json());
  EXPECT_EQ(experiment_hash(again), experiment_hash(experiment));
}

TEST(ExperimentJson, ItsHashFollowsWhatItSaysAndNotHow) {
  Experiment experiment;
  const std::string before = experiment_hash(experiment);
  const std::string tight = json::parse(experiment.to_json()).dump();
  EXPECT_EQ(experiment_hash(Experiment::from_json(tight)), before);
  experiment.recipe.seed = 1;
  EXPECT_NE(experiment_hash(experiment), before);
}

TEST(ExperimentJson, IntegersHaveAnUpperBound) {
  for (const char* text : {R"({"bootstrap": 4294967297})",
                           R"({"bootstrap": 18446744073709551615})",
                           R"({"recipe": {"batch_size": 9223372036854775807}})",
                           R"({"recipe": {"accumulate": 1099511627776}})",
                           R"({"recipe": {"seed": 9223372036854775808}})",
                           R"({"recipe": {"seed": -1}})",
                           R"({"recipe": {"batch_size": 1.5}})"}) {
    const Error error = fault_of(text);
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration) << text;
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("allowed: an integer"), HasSubstr(" to ")))
        << text;
  }
}

}  // namespace
}  // namespace sizewise::planning
