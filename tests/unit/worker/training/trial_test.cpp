#include "training/trial.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "support/data.hpp"
#include "support/networks.hpp"
#include "training/count_step.hpp"
#include "training/create_model.hpp"
#include "training/evaluation.hpp"
#include "training/forward_backward.hpp"

namespace sizewise::training {
namespace {

using test::make_ingredients;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const c10::Device kCpu(c10::kCPU);

/// The largest difference between the gradients of one model and those of another divided
/// by `divisor`.
double gradient_difference(Model& left, Model& right, double divisor) {
  const auto first = left.module().parameters();
  const auto second = right.module().parameters();
  double most = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    most = std::max(
        most, (first[i].grad() - second[i].grad() / divisor).abs().max().item<double>());
  }
  return most;
}

TEST(Trial, LearnsAndReportsWhatItConsumed) {
  const Ingredients parts = make_ingredients("mlp");
  const TrialResult result = train_trial(parts, 32, 1003).result;
  EXPECT_EQ(result.status, TrialStatus::kDone) << result.reason;
  EXPECT_EQ(result.tokens, 1003);
  EXPECT_EQ(result.steps, 126);
  EXPECT_EQ(result.params, 11 * 32 + 32 + 32 * 32 + 32 + 32 * 5 + 5);
  EXPECT_LT(result.loss, std::log(5.0));
  EXPECT_LT(result.train_loss, result.loss + 1);
  EXPECT_GT(result.accuracy.value(), 0.4);
  EXPECT_DOUBLE_EQ(result.flops_6nd, 6.0 * 1003 * static_cast<double>(result.params));
  EXPECT_DOUBLE_EQ(result.epochs, 1003.0 / 64);
  EXPECT_THAT(result.warnings, IsEmpty());
}

TEST(Trial, CountsTheFlopsOfEveryStepTheShortOneIncluded) {
  const Ingredients parts = make_ingredients("mlp");
  const TrialResult result = train_trial(parts, 16, 8 * 5 + 3).result;
  // Of one sample: forward and weight gradients everywhere, input gradients but for the
  // first layer.
  const double of_sample = 2.0 * (3 * (11 * 16 + 16 * 16 + 16 * 5) - 11 * 16);
  EXPECT_DOUBLE_EQ(result.flops, of_sample * 43);
  EXPECT_DOUBLE_EQ(count_step(parts, 16).flops_per_unit, of_sample);
}

TEST(Trial, GivesTheSameBitsForTheSameSeed) {
  for (const char* name : {"mlp", "gpt"}) {
    Ingredients parts = make_ingredients(name);
    const int64_t tokens = 40 * parts.dataset.instance->info().units_per_sample;
    const TrialResult first = train_trial(parts, 16, tokens).result;
    const TrialResult second = train_trial(parts, 16, tokens).result;
    parts.recipe.seed = 1;
    const TrialResult other = train_trial(parts, 16, tokens).result;
    EXPECT_EQ(first.loss, second.loss) << name;
    EXPECT_EQ(first.train_loss, second.train_loss) << name;
    EXPECT_NE(first.loss, other.loss) << name;
  }
}

TEST(Trial, CallsATrialThatSeesNaNDivergedAndSaysWhere) {
  Ingredients parts = make_ingredients("mlp");
  parts.loss = test::make_failing_loss(3);
  const TrialResult result = train_trial(parts, 16, 80).result;
  EXPECT_EQ(result.status, TrialStatus::kDiverged);
  EXPECT_THAT(result.reason, HasSubstr("nan at step 4 of 10"));
  EXPECT_EQ(result.steps, 4);
  EXPECT_EQ(result.tokens, 32);
  EXPECT_TRUE(std::isnan(result.loss));
}

TEST(Trial, CallsATrialThatEndsAboveItsStartDiverged) {
  Ingredients parts = make_ingredients("mlp");
  parts.recipe.learning_rate = 30;
  parts.recipe.schedule = "constant";
  parts.recipe.clip = 0;
  const TrialResult result = train_trial(parts, 16, 80).result;
  EXPECT_EQ(result.status, TrialStatus::kDiverged);
  EXPECT_THAT(result.reason, HasSubstr("above the"));
  EXPECT_TRUE(std::isfinite(result.loss));
  const auto untrained = create_model(parts.family, 16, parts.recipe.seed);
  EXPECT_GT(result.loss, evaluate_model(*untrained, parts, kCpu, 8).loss);
}

TEST(Trial, DoesNotCallATrialThatLearnedNothingDiverged) {
  Ingredients parts = make_ingredients("mlp");
  parts.recipe.learning_rate = 0;
  const TrialResult result = train_trial(parts, 16, 80).result;
  EXPECT_EQ(result.status, TrialStatus::kDone) << result.reason;
}

TEST(Trial, ReportsALearningCurveWhoseMeanIsTheMeanLoss) {
  const Ingredients parts = make_ingredients("mlp");
  std::vector<CurvePoint> points;
  TrialListener listener;
  listener.curve = [&](const CurvePoint& point) {
    points.push_back(point);
  };
  const TrialResult result = train_trial(parts, 16, 80, listener).result;
  ASSERT_EQ(points.size(), 10U);
  EXPECT_EQ(points.back().step, 10);
  EXPECT_EQ(points.back().tokens, 80);
  EXPECT_DOUBLE_EQ(points.back().loss, result.train_loss);
}

TEST(Trial, ThinsALongLearningCurve) {
  Ingredients parts = make_ingredients("mlp");
  parts.recipe.batch_size = 1;
  int64_t points = 0;
  TrialListener listener;
  listener.curve = [&](const CurvePoint&) {
    ++points;
  };
  static_cast<void>(train_trial(parts, 4, 2500, listener));
  EXPECT_EQ(points, 2500 / 3 + 1);
}

TEST(Trial, TrainsInBfloat16) {
  Ingredients parts = make_ingredients("mlp");
  parts.recipe.precision = "bfloat16";
  const TrialResult reduced = train_trial(parts, 32, 800).result;
  parts.recipe.precision = "float32";
  const TrialResult full = train_trial(parts, 32, 800).result;
  EXPECT_EQ(reduced.status, TrialStatus::kDone);
  EXPECT_NE(reduced.loss, full.loss);
  EXPECT_NEAR(reduced.loss, full.loss, 0.1);
  EXPECT_DOUBLE_EQ(reduced.flops, full.flops);
}

TEST(Trial, RefusesADeviceThatThereIsNot) {
  for (const char* device : {"cuda:99", "tpu", "mps", ""}) {
    Ingredients parts = make_ingredients("mlp");
    parts.recipe.device = device;
    try {
      static_cast<void>(train_trial(parts, 16, 80));
      FAIL() << "accepted " << device;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
      EXPECT_THAT(error.message(), HasSubstr("'device' is"));
    }
  }
}

TEST(ForwardBackward, AccumulatedPassesGiveTheGradientsOfOne) {
  for (const bool masked : {false, true}) {
    Ingredients parts = make_ingredients("gpt");
    if (masked) {
      parts.loss = test::make_masked_cross_entropy();
    }
    const auto whole = create_model(parts.family, 16, 0);
    const StepOutcome once = ForwardBackward(*whole, parts, kCpu, false).run(0, 7);
    parts.recipe.accumulate = 3;
    const auto split = create_model(parts.family, 16, 0);
    const StepOutcome thrice = ForwardBackward(*split, parts, kCpu, false).run(0, 7);
    EXPECT_NEAR(once.loss.item<double>(), thrice.loss.item<double>(), 1e-6) << masked;
    EXPECT_LT(gradient_difference(*whole, *split, thrice.gradient_divisor), 1e-6)
        << masked;
    EXPECT_EQ(thrice.gradient_divisor == 1.0, !masked);
  }
}

TEST(ForwardBackward, CountsTheSameFlopsHoweverAStepIsSplit) {
  Ingredients parts = make_ingredients("gpt");
  const double whole = count_step(parts, 16).flops_per_unit;
  parts.recipe.accumulate = 3;
  EXPECT_DOUBLE_EQ(count_step(parts, 16).flops_per_unit, whole);
}

TEST(Evaluation, IsTheMeanOverTheWholeSplitWhateverTheBatch) {
  Ingredients parts = make_ingredients("gpt");
  parts.loss = test::make_masked_cross_entropy();
  const auto model = create_model(parts.family, 16, 0);
  const Evaluation whole = evaluate_model(*model, parts, kCpu, 24);
  const Evaluation parted = evaluate_model(*model, parts, kCpu, 24 - 3);
  EXPECT_EQ(whole.batches, 1);
  EXPECT_EQ(parted.batches, 2);
  EXPECT_EQ(whole.units, parted.units);
  EXPECT_NEAR(whole.loss, parted.loss, 1e-6);
  EXPECT_DOUBLE_EQ(whole.accuracy.value(), parted.accuracy.value());
}

TEST(Evaluation, RefusesDataWithoutAValidationSplit) {
  Ingredients parts = make_ingredients("mlp");
  DatasetInfo data = test::data_for("mlp");
  data.validation_samples = 0;
  parts.dataset = test::make_dataset(data);
  const auto model = create_model(parts.family, 16, 0);
  EXPECT_THROW(static_cast<void>(evaluate_model(*model, parts, kCpu, 8)), Error);
}

}  // namespace
}  // namespace sizewise::training
