#include "sizewise/quantize.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>

#include "quantizing/module_contents.hpp"
#include "quantizing/quantize_calls.hpp"
#include "support/temporary_folder.hpp"

namespace sizewise {
namespace {

using test::relative_difference;
using test::with;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Two linear layers, of which the second is small enough to be skipped.
struct NetworkImpl : torch::nn::Cloneable<NetworkImpl> {
  explicit NetworkImpl(int64_t hidden = 64) : width(hidden) { reset(); }
  void reset() override {
    first = register_module("first", torch::nn::Linear(32, width));
    second = register_module("second", torch::nn::Linear(width, width));
    last = register_module("last", torch::nn::Linear(width, 2));
  }
  at::Tensor forward(const at::Tensor& input) {
    return last(second(first(input).relu()).relu());
  }
  int64_t width;
  torch::nn::Linear first{nullptr};
  torch::nn::Linear second{nullptr};
  torch::nn::Linear last{nullptr};
};

/// A module that has no clone().
struct PlainImpl : torch::nn::Module {
  PlainImpl() { fc = register_module("fc", torch::nn::Linear(32, 32)); }
  at::Tensor forward(const at::Tensor& input) { return fc(input); }
  torch::nn::Linear fc{nullptr};
};

/// An embedding whose weight is the head's too.
struct TiedImpl : torch::nn::Cloneable<TiedImpl> {
  TiedImpl() { reset(); }
  void reset() override {
    tokens = register_module("tokens", torch::nn::Embedding(100, 32));
    mix = register_module("mix", torch::nn::Linear(32, 32));
  }
  at::Tensor forward(const at::Tensor& input) {
    return at::linear(mix(tokens(input)), tokens->weight);
  }
  torch::nn::Embedding tokens{nullptr};
  torch::nn::Linear mix{nullptr};
};

std::shared_ptr<NetworkImpl> network(int64_t width = 64) {
  at::manual_seed(1);
  return std::make_shared<NetworkImpl>(width);
}

std::vector<at::Tensor> some_inputs(int64_t count = 3) {
  at::manual_seed(2);
  std::vector<at::Tensor> inputs;
  for (int64_t i = 0; i < count; ++i) {
    inputs.push_back(at::randn({8, 32}));
  }
  return inputs;
}

TEST(Quantize, RunsACopyWithIntegersAndLeavesTheModuleAsItIs) {
  const auto module = network();
  const quantizing::test::Contents contents(*module);
  const at::Tensor input = some_inputs().front();
  const at::Tensor exact = module->forward(input);
  const QuantizationResult result = quantize(module, some_inputs(), with("dynamic"));
  ASSERT_TRUE(result);
  ASSERT_THAT(result.info.layers, SizeIs(2));
  EXPECT_EQ(result.info.layers[0].name, "first");
  EXPECT_THAT(result.info.layers[0].kernel, HasSubstr("int8"));
  EXPECT_GT(result.info.layers[0].sqnr_db, 40.0);
  ASSERT_THAT(result.info.skipped, SizeIs(1));
  EXPECT_EQ(result.info.skipped[0].name, "last");
  const double difference =
      relative_difference(result.as<NetworkImpl>()->forward(input), exact);
  EXPECT_LT(difference, 0.02);
  EXPECT_GT(difference, 1e-6);  // it is not the float model
  contents.expect_unchanged();
  EXPECT_TRUE(module->is_training());
  EXPECT_TRUE(at::equal(module->forward(input), exact));
}

TEST(Quantize, SavedFilesGiveTheSameBits) {
  const test::TemporaryFolder folder;
  for (const auto& [quantizer, options] :
       {std::pair{"dynamic", R"({"bits": 8})"},
        std::pair{"static", R"({"scheme": "asymmetric"})"},
        std::pair{"per_channel",
                  R"({"bits": 4, "granularity": "group", "group_size": 16})"},
        std::pair{"per_channel", R"({"bits": 16})"}}) {
    const auto module = network();
    QuantizationResult result = quantize(module, some_inputs(), with(quantizer, options));
    ASSERT_TRUE(result) << quantizer;
    result.save(folder.path() / "q");
    const auto fresh = std::make_shared<NetworkImpl>(64);
    load_quantized(*fresh, folder.path() / "q");
    const at::Tensor input = some_inputs().back();
    EXPECT_TRUE(
        at::equal(fresh->forward(input), result.as<NetworkImpl>()->forward(input)))
        << quantizer << options;
    EXPECT_EQ(result.info.quantized_bytes,
              std::filesystem::file_size(folder.path() / "q" / "model.safetensors"));
    EXPECT_LT(result.info.quantized_bytes, result.info.float_bytes);
    std::filesystem::remove_all(folder.path() / "q");
  }
}

TEST(Quantize, ATiedEmbeddingStaysFloat) {
  at::manual_seed(3);
  const auto module = std::make_shared<TiedImpl>();
  const at::Tensor input = at::randint(100, {4, 7}, at::kLong);
  QuantizationResult result = quantize(module, {input}, with("dynamic"));
  ASSERT_TRUE(result);
  const auto model = result.as<TiedImpl>();
  EXPECT_TRUE(at::equal(model->tokens(input), module->tokens(input)));
  EXPECT_LT(relative_difference(model->forward(input), module->forward(input)), 0.03);
  const test::TemporaryFolder folder;
  result.save(folder.path());
  const auto fresh = std::make_shared<TiedImpl>();
  load_quantized(*fresh, folder.path());
  EXPECT_TRUE(at::equal(fresh->forward(input), model->forward(input)));

  QuantizeSettings named = with("dynamic");
  named.include = {"tokens"};
  const QuantizationResult both = quantize(module, {input}, named);
  EXPECT_FALSE(at::equal(both.as<TiedImpl>()->tokens(input), module->tokens(input)));
}

TEST(Quantize, NeedsACopyOfTheModule) {
  const auto module = std::make_shared<PlainImpl>();
  try {
    static_cast<void>(quantize(module, some_inputs(), with("dynamic")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.suggestion(), HasSubstr("make_copy"));
  }
  const QuantizationResult result = quantize(module, some_inputs(), with("dynamic"), [] {
    return std::make_shared<PlainImpl>();
  });
  EXPECT_TRUE(result);
  const at::Tensor input = some_inputs().front();
  EXPECT_LT(
      relative_difference(result.as<PlainImpl>()->forward(input), module->forward(input)),
      0.02);
  EXPECT_THROW(static_cast<void>(quantize(module,
                                          some_inputs(),
                                          with("dynamic"),
                                          [&] {
                                            return module;
                                          })),
               Error);
}

TEST(Quantize, AModelWithoutLayersIsRefused) {
  const auto module = network(1);
  QuantizeSettings settings = with("dynamic");
  settings.exclude = {"*"};
  try {
    static_cast<void>(quantize(module, some_inputs(), settings));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(), HasSubstr("no layer can be quantized; 'first'"));
  }
}

TEST(Quantize, AGroupThatDoesNotFitIsAnErrorWithASuggestion) {
  const QuantizationResult result = quantize(
      network(),
      some_inputs(),
      with("per_channel", R"({"bits": 4, "granularity": "group", "group_size": 48})"));
  EXPECT_FALSE(result);
  EXPECT_EQ(result.model, nullptr);
  ASSERT_THAT(result.errors, SizeIs(2));
  EXPECT_EQ(result.errors[0].code(), ErrorCode::kQuantization);
  EXPECT_THAT(result.errors[0].message(), HasSubstr("layer 'first' has 32 inputs"));
  EXPECT_THAT(result.errors[0].suggestion(), HasSubstr("group_size 32"));
  QuantizationResult failed = result;
  EXPECT_THROW(failed.save("/nowhere"), Error);
  EXPECT_THROW(static_cast<void>(failed.validate(0.1)), Error);
}

TEST(Quantize, WeightsThatAreNoNumbersNameTheirLayer) {
  const auto module = network();
  {
    const at::NoGradGuard no_gradients;
    module->second->weight[3][4] = std::numeric_limits<double>::quiet_NaN();
  }
  const QuantizationResult result = quantize(module, some_inputs(), with("dynamic"));
  EXPECT_FALSE(result);
  EXPECT_THAT(result.errors.at(0).message(), HasSubstr("'second'"));
}

TEST(Quantize, InputsThatAreNoNumbersNameTheirLayer) {
  const QuantizationResult result = quantize(network(), some_inputs(), with("dynamic"));
  at::Tensor input = some_inputs().front().clone();
  input[2][5] = std::numeric_limits<float>::infinity();
  try {
    static_cast<void>(result.as<NetworkImpl>()->forward(input));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kQuantization);
    EXPECT_THAT(error.message(), HasSubstr("'first'"));
  }
}

TEST(Quantize, StaticRangesComeFromCalibration) {
  const auto module = network();
  const QuantizationResult result = quantize(module, some_inputs(), with("static"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result.info.calibration->batches, 3);
  EXPECT_EQ(result.info.calibration->units, 24);
  const auto model = result.as<NetworkImpl>();
  const at::Tensor input = some_inputs().front();
  EXPECT_LT(relative_difference(model->forward(input), module->forward(input)), 0.03);
  // A hundredfold input meets ranges that end long before.
  EXPECT_GT(
      relative_difference(model->forward(100 * input), module->forward(100 * input)),
      0.5);
}

TEST(Quantize, CalibrationTakesAsManyBatchesAsAsked) {
  QuantizeSettings settings = with("static");
  settings.calibration_batches = 2;
  int64_t told = 0;
  settings.progress = [&](int64_t done, int64_t total) {
    EXPECT_EQ(total, 2);
    told = done;
  };
  EXPECT_EQ(quantize(network(), some_inputs(), settings).info.calibration->batches, 2);
  EXPECT_EQ(told, 2);
  settings.calibration_batches = 0;
  EXPECT_THROW(static_cast<void>(quantize(network(), some_inputs(), settings)), Error);
}

TEST(Quantize, AnInputOfTheWrongShapeIsRefused) {
  EXPECT_THROW(
      static_cast<void>(quantize(network(), {at::randn({8, 33})}, with("dynamic"))),
      Error);
  EXPECT_THROW(static_cast<void>(quantize(network(), {}, with("dynamic"))), Error);
}

TEST(Quantize, ValidateComparesWithTheFloatModel) {
  const auto module = network();
  const quantizing::test::Contents contents(*module);
  QuantizationResult result = quantize(module, some_inputs(), with("dynamic"));
  const QuantizationCheck check = result.validate(0.05);
  EXPECT_TRUE(check.passed);
  ASSERT_THAT(check.layers, SizeIs(2));
  EXPECT_GT(check.layers[0].output_sqnr_db, 30.0);
  EXPECT_LT(check.layers[0].output_sqnr_db, 60.0);
  EXPECT_FALSE(check.loss_change.has_value());
  try {
    static_cast<void>(result.validate(1e-9));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kValidation);
  }
  EXPECT_THAT(result.warnings, IsEmpty());
  EXPECT_FALSE(result.validate(1e-9, OnFailure::kIgnore).passed);
  EXPECT_THAT(result.warnings, IsEmpty());
  EXPECT_FALSE(result.validate(1e-9, OnFailure::kWarn).passed);
  EXPECT_THAT(result.warnings, SizeIs(1));
  EXPECT_THROW(static_cast<void>(result.validate(-1)), Error);
  EXPECT_THROW(static_cast<void>(result.validate(std::nan(""))), Error);
  const auto loss = [](const at::Tensor& output, std::size_t) {
    return output.square().mean().item<double>();
  };
  const QuantizationCheck with_loss = result.validate(0.05, OnFailure::kError, loss);
  double change = 0.0;
  for (const at::Tensor& input : some_inputs()) {
    change += loss(result.as<NetworkImpl>()->forward(input), 0);
    change -= loss(module->forward(input), 0);
  }
  EXPECT_NE(with_loss.loss_change.value(), 0.0);
  EXPECT_NEAR(with_loss.loss_change.value(), change / 3.0, 1e-7);
  contents.expect_unchanged();
  EXPECT_TRUE(module->is_training());
}

TEST(Quantize, CallBeatsConfigurationBeatsDefaults) {
  const test::TemporaryFolder folder;
  const std::filesystem::path config = folder.path() / "quantize.json";
  std::ofstream(config) << R"({"quantizer": {"plugin": "per_channel",
      "options": {"bits": 4, "scheme": "asymmetric"}}, "exclude": ["second"]})";
  QuantizeSettings settings = with("", R"({"scheme": "symmetric"})");
  settings.config = config;
  const QuantizationResult result = quantize(network(), some_inputs(), settings);
  EXPECT_EQ(result.info.quantizer, "per_channel");
  ASSERT_THAT(result.info.layers, SizeIs(1));
  EXPECT_EQ(result.info.layers[0].bits, 4);
  EXPECT_EQ(result.info.layers[0].scheme, Scheme::kSymmetric);
  settings.quantizer = "dynamic";
  settings.options = {};
  EXPECT_EQ(quantize(network(), some_inputs(), settings).info.layers.at(0).bits, 8);
}

TEST(Quantize, UnknownNamesAndValuesAreConfigurationErrors) {
  for (const auto& [quantizer, options] :
       {std::pair{"dynamics", "{}"},
        std::pair{"dynamic", R"({"bits": 5})"},
        std::pair{"dynamic", R"({"scheme": "lopsided"})"},
        std::pair{"static", R"({"observer": "median"})"}}) {
    try {
      static_cast<void>(quantize(network(), some_inputs(), with(quantizer, options)));
      ADD_FAILURE() << quantizer << options;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kConfiguration) << error.message();
    }
  }
}

TEST(Quantize, WeightsAloneAreQuantizedByName) {
  const test::TemporaryFolder folder;
  const auto module = network();
  TensorMap weights;
  for (const auto& parameter : module->named_parameters()) {
    weights.emplace(parameter.key(), parameter.value().detach());
  }
  QuantizationResult result = quantize_weights(weights, with("dynamic"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result.model, nullptr);
  EXPECT_THAT(result.info.layers, SizeIs(2));
  result.save(folder.path());
  const auto fresh = std::make_shared<NetworkImpl>(64);
  load_quantized(*fresh, folder.path());
  const at::Tensor input = some_inputs().front();
  const QuantizationResult whole = quantize(module, some_inputs(), with("dynamic"));
  EXPECT_TRUE(at::equal(fresh->forward(input), whole.as<NetworkImpl>()->forward(input)));
  EXPECT_THROW(static_cast<void>(quantize_weights(weights, with("static"))), Error);
  EXPECT_THROW(static_cast<void>(quantize_weights({}, with("dynamic"))), Error);
}

TEST(LoadQuantized, AnotherModelIsRefusedAndStaysAsItIs) {
  const test::TemporaryFolder folder;
  QuantizationResult result = quantize(network(), some_inputs(), with("dynamic"));
  result.save(folder.path());
  const auto other = std::make_shared<NetworkImpl>(48);
  const at::Tensor input = some_inputs().front();
  const at::Tensor before = other->forward(input);
  try {
    load_quantized(*other, folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(), HasSubstr("[64, 32]"));
    EXPECT_THAT(error.message(), HasSubstr("[48, 32]"));
  }
  EXPECT_TRUE(at::equal(other->forward(input), before));
  PlainImpl plain;
  EXPECT_THROW(load_quantized(plain, folder.path()), Error);
}

}  // namespace
}  // namespace sizewise
