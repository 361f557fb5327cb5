#include "running/worker_oracle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scripted.hpp"
#include "settings.hpp"

namespace sizewise::running {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class WorkerOracleTest : public ::testing::Test {
 protected:
  /// Asks the oracle of a worker that follows the script.
  template <class Question>
  auto ask(const json& script, Question&& question) {
    PoolSettings settings;
    settings.program.program = sizewise::testing::script_worker(folder_, script);
    settings.stop = &stop_;
    WorkerPool pool(settings);
    WorkerOracle oracle(pool,
                        sizewise::testing::made_up_setting(),
                        {[this](const std::string& text) {
                           warnings_.push_back(text);
                         },
                         [this](const std::string& text) {
                           notes_.push_back(text);
                         },
                         patience_});
    return question(oracle);
  }

  Error fault_of(const json& script, const std::function<void(WorkerOracle&)>& question) {
    try {
      ask(script, question);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "nothing was thrown"};
  }

  static json answers(const std::string& method, const json& result) {
    return {{"faults", {{{"method", method}, {"kind", "answer"}, {"result", result}}}}};
  }

  static void describe(WorkerOracle& oracle) {
    static_cast<void>(oracle.describe(std::vector<int64_t>{16, 24}, false));
  }
  static void invert(WorkerOracle& oracle) {
    static_cast<void>(oracle.invert(std::vector<double>{1e3, 1e4}, Parameters(1e9)));
  }

  sizewise::testing::TemporaryFolder folder_;
  std::atomic<bool> stop_{false};
  std::vector<std::string> warnings_;
  std::vector<std::string> notes_;
  std::chrono::milliseconds patience_{600'000};
};

TEST_F(WorkerOracleTest, Answers) {
  const auto facts = ask(json::object(), [](WorkerOracle& oracle) {
    EXPECT_EQ(oracle.dataset().fingerprint, "scripted");
    EXPECT_EQ(oracle.trainer(), (planning::Trainer{1, "scripted", "none"}));
    EXPECT_EQ(oracle.params_of(16), Parameters(1600));
    EXPECT_EQ(oracle.invert(std::vector<double>{1700}, Parameters(1e9)),
              std::vector<int64_t>{16});
    return oracle.describe(std::vector<int64_t>{16, 24}, true);
  });
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[1].params, Parameters(2400));
  EXPECT_TRUE(warnings_.empty());
  EXPECT_TRUE(notes_.empty()) << "what is quick is not worth a line";
}

TEST_F(WorkerOracleTest, AsksAnotherWorkerWhereOneDied) {
  const json script = {{"faults",
                        {{{"method", "describe"},
                          {"kind", "segv"},
                          {"times", 1},
                          {"mark", (folder_.path() / "mark").string()}}}}};
  EXPECT_EQ(ask(script,
                [](WorkerOracle& oracle) {
                  return oracle.describe(std::vector<int64_t>{16}, false);
                })
                .size(),
            1U);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], AllOf(HasSubstr("SIGSEGV"), HasSubstr("once more")));
}

TEST_F(WorkerOracleTest, GivesUpWhereTheSecondDiesToo) {
  const Error error =
      fault_of({{"faults", {{{"method", "describe"}, {"kind", "segv"}}}}}, describe);
  EXPECT_EQ(error.code(), ErrorCode::kPlugin);
  EXPECT_THAT(error.message(), HasSubstr("SIGSEGV"));
}

TEST_F(WorkerOracleTest, RefusesAnswersOfAnotherLengthOrToOtherQuestions) {
  const auto entry = [](int size, double params) {
    return json{{"size", size}, {"params", params}, {"flops_per_unit", 6 * params}};
  };
  for (const json& sizes : {json::array(),
                            json{entry(16, 1600)},
                            json{entry(24, 2400), entry(16, 1600)},
                            json{entry(16, 1600), entry(24, -1)},
                            json{json{{"size", 16}}, entry(24, 2400)}}) {
    EXPECT_EQ(fault_of(answers("describe", {{"sizes", sizes}}), describe).code(),
              ErrorCode::kPlugin)
        << sizes;
  }
  EXPECT_EQ(fault_of(answers("describe", json::array()), describe).code(),
            ErrorCode::kPlugin);
}

TEST_F(WorkerOracleTest, RefusesSizesThatTheModelDoesNotHave) {
  for (const json& sizes :
       {json::array(), json{16}, json{16, 24, 32}, json{16, 17}, json{16, 1 << 20U}}) {
    EXPECT_EQ(fault_of(answers("invert", {{"sizes", sizes}}), invert).code(),
              ErrorCode::kPlugin)
        << sizes;
  }
}

TEST_F(WorkerOracleTest, RefusesADatasetWithoutData) {
  for (const char* field : {"train_samples", "validation_samples", "units_per_sample"}) {
    const Error error = fault_of({{"dataset", {{field, 0}}}}, [](WorkerOracle& oracle) {
      static_cast<void>(oracle.dataset());
    });
    EXPECT_EQ(error.code(), ErrorCode::kPlugin) << field;
    EXPECT_THAT(error.message(), HasSubstr("dataset 'dataset'"));
  }
}

TEST_F(WorkerOracleTest, SaysWhatTakesLong) {
  patience_ = std::chrono::milliseconds(100);
  ask({{"faults", {{{"method", "describe"}, {"kind", "slow"}, {"seconds", 0.5}}}}},
      [](WorkerOracle& oracle) {
        return oracle.describe(std::vector<int64_t>{16}, false);
      });
  EXPECT_THAT(notes_,
              ::testing::ElementsAre("counting the FLOPs of width 16 of model 'model'"));
}

TEST_F(WorkerOracleTest, ToldToStopItAsksNoLonger) {
  stop_ = true;
  EXPECT_THROW(ask({{"faults", {{{"method", "describe"}, {"kind", "hang"}}}}},
                   [](WorkerOracle& oracle) {
                     return oracle.describe(std::vector<int64_t>{16}, false);
                   }),
               Stopped);
}

}  // namespace
}  // namespace sizewise::running
