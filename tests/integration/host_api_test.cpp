#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"
#include "sizewise/host.hpp"

#include "scripted.hpp"

// The C++ interface: what the command does, silent unless a callback is set.

namespace sizewise {
namespace {

using nlohmann::json;

class HostApiTest : public ::testing::Test {
 protected:
  HostApiTest() {
    sizewise::testing::write_text(folder_.path() / "text.txt",
                                  std::string(20000, 'a') + "words and more words");
    settings_.worker = sizewise::testing::script_worker(
        folder_,
        {{"law", {{"E", 1.5}, {"A", 60}, {"B", 90}, {"alpha", 0.4}, {"beta", 0.3}}},
         {"params_per_size", {20, 4}}});
    settings_.run_dir = folder_.path() / "run";
    settings_.plugin_dirs = {SIZEWISE_PLUGINS};
    experiment_.model.plugin = "gpt";
    experiment_.dataset.plugin = "text";
    experiment_.dataset.options.set("path", (folder_.path() / "text.txt").string());
    experiment_.loss.plugin = "cross_entropy";
    experiment_.recipe.batch_size = 4;
    experiment_.budgets = {Flops(1e10), Flops(4e10), Flops(1.6e11)};
    experiment_.bootstrap = 20;
  }

  sizewise::testing::TemporaryFolder folder_;
  Experiment experiment_;
  RunSettings settings_;
};

TEST_F(HostApiTest, FindsTheOptimumAndPrintsNothing) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const Outcome outcome = find_optimal(experiment_, settings_);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ASSERT_TRUE(outcome.identified);
  ASSERT_EQ(outcome.recommendations.size(), 1U);
  const Recommendation& made = outcome.recommendations.front();
  EXPECT_DOUBLE_EQ(made.budget.value(), 1.6e12);
  EXPECT_NEAR(6 * made.params.value() * made.tokens.value() / 1.6e12, 1, 0.01);
  EXPECT_LT(made.params_low.value(), made.params_high.value());
  EXPECT_EQ(made.cost_model, "counted");
  EXPECT_EQ(outcome.planned, outcome.done);
}

TEST_F(HostApiTest, TellsTheCallbacks) {
  int trials = 0;
  Progress last;
  std::vector<std::string> warnings;
  Callbacks callbacks;
  callbacks.trial = [&](const TrialState& trial) {
    ++trials;
    EXPECT_FALSE(trial.status.empty());
  };
  callbacks.progress = [&](const Progress& progress) {
    EXPECT_GE(progress.trials_finished, last.trials_finished);
    last = progress;
  };
  callbacks.warning = [&](std::string_view text) {
    warnings.emplace_back(text);
  };
  experiment_.model.options.set("width", int64_t{64});
  const Outcome outcome = find_optimal(experiment_, settings_, callbacks);
  EXPECT_EQ(trials, outcome.planned);
  EXPECT_EQ(last.trials_finished, outcome.planned);
  EXPECT_NEAR(last.flops_finished, last.flops_planned, 1e-6 * last.flops_planned);
  EXPECT_EQ(warnings.size(), 1U) << "the size is set as an option";
}

TEST_F(HostApiTest, ItsJsonIsTheCommands) {
  const Outcome outcome = find_optimal(experiment_, settings_);
  const json object = json::parse(outcome.to_json());
  for (const char* field : {"run_dir",
                            "trials",
                            "training_flops",
                            "seconds",
                            "fit",
                            "recommendation",
                            "quantization",
                            "warnings"}) {
    EXPECT_TRUE(object.contains(field)) << field;
  }
  for (const char* field : {"budget_flops",
                            "size",
                            "params",
                            "tokens",
                            "loss",
                            "params_interval",
                            "reason"}) {
    EXPECT_TRUE(object.at("recommendation").contains(field)) << field;
  }
  EXPECT_EQ(json::parse(read_run(settings_.run_dir).to_json()).at("recommendation"),
            object.at("recommendation"));
}

TEST_F(HostApiTest, ContinuesWhatWasStopped) {
  std::atomic<bool> stop{false};
  settings_.stop = &stop;
  Callbacks callbacks;
  callbacks.trial = [&](const TrialState&) {
    stop = true;
  };
  const Outcome first = find_optimal(experiment_, settings_, callbacks);
  EXPECT_TRUE(first.interrupted);
  EXPECT_TRUE(first.recommendations.empty());
  EXPECT_TRUE(read_run(settings_.run_dir).interrupted);
  settings_.stop = nullptr;
  const Outcome second = continue_run(settings_);
  EXPECT_EQ(second.reused, static_cast<int>(first.trials.size()));
  EXPECT_TRUE(second.identified);
}

TEST_F(HostApiTest, ThrowsOneKindOfError) {
  experiment_.budgets = {Flops(1)};
  EXPECT_THROW(static_cast<void>(find_optimal(experiment_, settings_)), Error);
  EXPECT_FALSE(std::filesystem::exists(settings_.run_dir));
}

TEST_F(HostApiTest, ShipsTheRecommendedModelWhereAQuantizerIsNamed) {
  settings_.quantizer.plugin = "dynamic";
  settings_.quantizer.options.set("bits", int64_t{4});
  const Outcome outcome = find_optimal(experiment_, settings_);
  ASSERT_TRUE(outcome.model && outcome.quantization);
  EXPECT_EQ(outcome.model->size, outcome.recommendations.front().size);
  EXPECT_TRUE(outcome.quantization->success);
  EXPECT_EQ(outcome.quantization->options.get<int64_t>("bits"), 4);
  EXPECT_EQ(outcome.quantization->output, settings_.run_dir / "quantized");
  settings_.calibration_batches = 0;
  EXPECT_THROW(static_cast<void>(find_optimal(experiment_, settings_)), Error);
}

class QuantizeApiTest : public HostApiTest {
 protected:
  QuantizeApiTest() {
    sizewise::testing::write_text(folder_.path() / "weights.pt", "weights");
    request_.source = folder_.path() / "weights.pt";
    request_.quantizer.plugin = "dynamic";
    request_.output = folder_.path() / "q";
    request_.worker = settings_.worker;
    request_.plugin_dirs = {SIZEWISE_PLUGINS};
  }

  QuantizationRequest request_;
};

TEST_F(QuantizeApiTest, QuantizesWeightsAndPrintsNothing) {
  std::vector<StageProgress> stages;
  Callbacks callbacks;
  callbacks.stage = [&](const StageProgress& progress) {
    stages.push_back(progress);
  };
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const QuantizationReport report = quantize(request_, callbacks);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(report.success);
  EXPECT_EQ(report.layers.at(0).sqnr_db, 42.5);
  EXPECT_EQ(report.output, request_.output);
  ASSERT_EQ(stages.size(), 2U);
  EXPECT_EQ(stages[1].stage, "calibrate");
  EXPECT_EQ(stages[1].done, 2);
  EXPECT_TRUE(json::parse(report.to_json()).at("success").get<bool>());
}

TEST_F(QuantizeApiTest, SaysThatItWasStopped) {
  const std::atomic<bool> stop{true};
  request_.stop = &stop;
  const QuantizationReport report = quantize(request_);
  EXPECT_TRUE(report.interrupted);
  EXPECT_FALSE(report.success);
  EXPECT_FALSE(std::filesystem::exists(request_.output));
}

TEST_F(QuantizeApiTest, ThrowsOneKindOfErrorAndWritesNothing) {
  const auto refused = [&](const auto& change) {
    QuantizationRequest request = request_;
    change(request);
    EXPECT_THROW(static_cast<void>(quantize(request)), Error);
    EXPECT_FALSE(std::filesystem::exists(request_.output));
  };
  refused([](QuantizationRequest& request) {
    request.output.clear();
  });
  refused([](QuantizationRequest& request) {
    request.calibration_batches = 0;
  });
  refused([](QuantizationRequest& request) {
    request.quantizer = {};
  });
  refused([](QuantizationRequest& request) {
    request.source = "/nowhere";
  });
}

TEST(DefaultRunDir, FollowsFromTheExperiment) {
  Experiment one;
  one.model.plugin = "/plugins/mlp.so";
  one.dataset.plugin = "text";
  Experiment other = one;
  EXPECT_EQ(default_run_dir(one), default_run_dir(other));
  EXPECT_EQ(default_run_dir(one).filename().string().rfind("mlp-text-", 0), 0U);
  other.recipe.seed = 1;
  EXPECT_NE(default_run_dir(one), default_run_dir(other));
}

}  // namespace
}  // namespace sizewise
