#include "planning/plan.hpp"

#include <functional>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "planning/sweep_view.hpp"
#include "settings.hpp"

namespace sizewise::planning {
namespace {

using sizewise::testing::made_up_data;
using sizewise::testing::made_up_setting;
using sizewise::testing::MadeUpOracle;
using ::testing::HasSubstr;

class PlanTest : public ::testing::Test {
 protected:
  Provenance provenance(const Setting& setting) {
    return provenance_of(setting, oracle_.dataset(), {1, "1.0", "2.13.0"});
  }
  Plan planned() {
    Plan plan;
    plan.provenance = provenance(setting_);
    plan.data = made_up_data();
    plan.working_folder = "/home";
    plan.rounds.push_back(
        make_trials({{16, 1600, std::nullopt, true}, {32, 3200, Flops(1e9), false}},
                    setting_,
                    plan,
                    view_,
                    "sweep"));
    plan.rounds.push_back(
        make_trials({{64, 6400, Flops(1e9), false}}, setting_, plan, view_, "sweep"));
    return plan;
  }

  MadeUpOracle oracle_;
  Setting setting_ = made_up_setting();
  SweepView view_{oracle_, {}, setting_.sizes(), made_up_data(), 4, Parameters(20000)};
};

TEST_F(PlanTest, ATrialsIdFollowsFromEverythingThatDeterminesIt) {
  std::set<std::string> ids;
  const auto add = [&](const std::function<void(Setting&)>& change,
                       int64_t size = 16,
                       int64_t tokens = 1600) {
    Setting setting = made_up_setting();
    change(setting);
    ids.insert(trial_id(setting, provenance(setting), size, tokens));
  };
  const auto nothing = [](Setting&) {};
  add(nothing);
  add(nothing);
  EXPECT_EQ(ids.size(), 1U) << "equal trials have equal ids";
  add(nothing, 24);
  add(nothing, 16, 1616);
  add([](Setting& setting) {
    setting.recipe.seed = 1;
  });
  add([](Setting& setting) {
    setting.recipe.learning_rate = 0.1;
  });
  add([](Setting& setting) {
    setting.threads = 2;
  });
  add([](Setting& setting) {
    setting.model.sha256 = "other";
  });
  add([](Setting& setting) {
    setting.dataset.sha256 = "other";
  });
  add([](Setting& setting) {
    setting.loss.sha256 = "other";
  });
  add([](Setting& setting) {
    setting.model.options.set("depth", int64_t{2});
  });
  add([](Setting& setting) {
    setting.dataset.options.set("context", int64_t{2});
  });
  add([](Setting& setting) {
    setting.model.file.manifest.id = "other";
  });
  EXPECT_EQ(ids.size(), 12U);
  Provenance other = provenance(setting_);
  other.fingerprint = "other data";
  ids.insert(trial_id(setting_, other, 16, 1600));
  other = provenance(setting_);
  other.trainer.version = "2.0";
  ids.insert(trial_id(setting_, other, 16, 1600));
  other.trainer.torch = "2.14.0";
  ids.insert(trial_id(setting_, other, 16, 1600));
  EXPECT_EQ(ids.size(), 15U);
}

TEST_F(PlanTest, WhereAPluginLiesIsNoPartOfTheId) {
  Setting moved = made_up_setting();
  moved.model.file.path = "/elsewhere/model.so";
  EXPECT_EQ(trial_id(setting_, provenance(setting_), 16, 1600),
            trial_id(moved, provenance(moved), 16, 1600));
}

TEST_F(PlanTest, TokensAreWholeSamples) {
  Plan plan;
  plan.provenance = provenance(setting_);
  const std::vector<Trial> trials =
      make_trials({{16, 1607, std::nullopt, false}, {16, 1609, std::nullopt, false}},
                  setting_,
                  plan,
                  view_,
                  "sweep");
  ASSERT_EQ(trials.size(), 2U);
  EXPECT_EQ(trials[0].tokens, 1600);
  EXPECT_EQ(trials[1].tokens, 1616);
  EXPECT_DOUBLE_EQ(trials[0].flops(), 6.0 * 1600 * 1600);
}

TEST_F(PlanTest, LeavesOutWhatIsPlannedAlready) {
  const Plan plan = planned();
  EXPECT_TRUE(make_trials({{64, 6401, Flops(1e9), false}}, setting_, plan, view_, "sweep")
                  .empty());
  EXPECT_EQ(
      make_trials({{16, 1600, Flops(1e9), false}}, setting_, plan, view_, "sweep").size(),
      1U)
      << "what was a pilot may become a part of a budget";
}

TEST_F(PlanTest, RefusesWhatCannotBeTrained) {
  const Plan plan;
  const auto code = [&](const TrialRequest& request) {
    try {
      static_cast<void>(make_trials({request}, setting_, plan, view_, "sweep"));
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code({17, 1600, std::nullopt, false}), ErrorCode::kPlugin);
  EXPECT_EQ(code({16, 0, std::nullopt, false}), ErrorCode::kPlugin);
  EXPECT_EQ(code({16, 63, std::nullopt, false}), ErrorCode::kConfiguration)
      << "a batch is 64 units";
}

TEST_F(PlanTest, ReadsBackWhatItWrote) {
  Plan plan = planned();
  plan.changes = {"one"};
  const std::string text = plan_to_text(plan);
  const Plan again = plan_from_text(text, "plan.json");
  EXPECT_EQ(plan_to_text(again), text);
  ASSERT_EQ(again.rounds.size(), 2U);
  EXPECT_TRUE(again.rounds[0][0].pilot);
  EXPECT_FALSE(again.rounds[0][0].budget.has_value());
  EXPECT_EQ(again.rounds[1][0].id, plan.rounds[1][0].id);
  EXPECT_TRUE(first_difference(again.provenance, plan.provenance).empty());
}

TEST_F(PlanTest, AFrozenRoundCannotBeChanged) {
  const std::string text = plan_to_text(planned());
  for (const char* pattern :
       {R"("tokens": \d+)", R"("pilot": true)", R"("budget_flops": \d+)"}) {
    std::string changed = text;
    changed = std::regex_replace(changed,
                                 std::regex(pattern),
                                 std::string(pattern).find("pilot") != std::string::npos
                                     ? R"("pilot": false)"
                                     : R"("tokens": 7)",
                                 std::regex_constants::format_first_only);
    ASSERT_NE(changed, text) << pattern;
    EXPECT_THROW(static_cast<void>(plan_from_text(changed, "plan.json")), Error)
        << pattern;
  }
  EXPECT_THROW(
      static_cast<void>(plan_from_text(text.substr(0, text.size() / 2), "plan.json")),
      Error);
}

TEST_F(PlanTest, AddingARoundKeepsTheOthersHashes) {
  Plan plan = planned();
  const std::string before = plan_to_text(plan);
  plan.rounds.push_back(
      make_trials({{128, 12800, Flops(1e9), false}}, setting_, plan, view_, "sweep"));
  const std::string after = plan_to_text(plan);
  const std::regex hash(R"re("sha256": "([0-9a-f]{64})")re");
  std::set<std::string> kept;
  for (std::sregex_iterator it(after.begin(), after.end(), hash), end; it != end; ++it) {
    kept.insert((*it)[1]);
  }
  for (std::sregex_iterator it(before.begin(), before.end(), hash), end; it != end;
       ++it) {
    EXPECT_TRUE(kept.contains((*it)[1]));
  }
}

TEST_F(PlanTest, NamesWhatChanged) {
  const Provenance before = provenance(setting_);
  Provenance now = before;
  now.plugins["dataset"] = "other";
  EXPECT_THAT(first_difference(before, now), HasSubstr("the dataset plugin's file"));
  now = before;
  now.fingerprint = "new";
  EXPECT_THAT(first_difference(before, now), HasSubstr("fingerprint new, had fingerp"));
  now = before;
  now.trainer.torch = "2.14.0";
  EXPECT_THAT(first_difference(before, now),
              HasSubstr("1.0 (LibTorch 2.14.0, protocol 1)"));
}

TEST_F(PlanTest, AsksTheWorkerOnceASize) {
  static_cast<void>(view_.describe(16));
  static_cast<void>(view_.describe(16));
  static_cast<void>(view_.size_for(Parameters(1700)));
  static_cast<void>(view_.size_for(Parameters(1700)));
  EXPECT_EQ(oracle_.described[16], 1);
  EXPECT_EQ(oracle_.inverted, 1);
  EXPECT_THROW(static_cast<void>(view_.describe(17)), Error);
  EXPECT_DOUBLE_EQ(view_.least_units().value(), 64);
  EXPECT_DOUBLE_EQ(view_.train_units().value(), 16000);
}

TEST_F(PlanTest, LooksForNoLargerModelThanItMay) {
  EXPECT_EQ(view_.size_for(Parameters(1e12)), 200);
  EXPECT_DOUBLE_EQ(oracle_.largest_asked, 20000);
}

TEST_F(PlanTest, KeepsTheOraclesFaultForTheOneWhoBlamesTheSweep) {
  class Refusing final : public planning::SizeOracle {
    DatasetFacts dataset() override { return {}; }
    std::vector<SizeFacts> describe(std::span<const int64_t> /*sizes*/,
                                    bool /*check*/) override {
      throw Error(ErrorCode::kPlugin, "the worker died");
    }
    Parameters params_of(int64_t /*size*/) override { return {}; }
    std::vector<int64_t> invert(std::span<const double> /*params*/,
                                Parameters /*largest*/) override {
      return {};
    }
  };
  Refusing oracle;
  SweepView view(oracle, {}, setting_.sizes(), made_up_data(), 4, Parameters(1e6));
  EXPECT_NO_THROW(view.rethrow_fault());
  EXPECT_THROW(static_cast<void>(view.describe(16)), Error);
  try {
    view.rethrow_fault();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the worker died");
  }
}

}  // namespace
}  // namespace sizewise::planning
