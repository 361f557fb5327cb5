#include "quantizing/quantize_file.hpp"

#include <filesystem>
#include <fstream>
#include <limits>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/safetensors.hpp"
#include "quantizing/per_channel_coding.hpp"
#include "quantizing/quantized_files.hpp"
#include "support/temporary_folder.hpp"

namespace sizewise::quantizing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// Gives what it is told to give.
class Scripted final : public Quantizer {
 public:
  explicit Scripted(std::function<QuantizedLayer(const LayerView&)> answer,
                    CalibrationNeeds needs = {})
      : answer_(std::move(answer)), needs_(needs) {}
  [[nodiscard]] CalibrationNeeds needs() const override { return needs_; }
  [[nodiscard]] QuantizedLayer quantize(const LayerView& layer) const override {
    return answer_(layer);
  }

 private:
  std::function<QuantizedLayer(const LayerView&)> answer_;
  CalibrationNeeds needs_;
};

void write_weights(const fs::path& path,
                   const TensorMap& tensors,
                   const std::map<std::string, std::string>& metadata = {}) {
  checkpoint::write_safetensors(path, {tensors, metadata});
}

template <class Call>
void expect_error(const Call& call, ErrorCode code, const std::string& what) {
  try {
    static_cast<void>(call());
    ADD_FAILURE() << "nothing was thrown; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    EXPECT_THAT(error.message() + " | " + error.suggestion(), HasSubstr(what));
  }
}

TEST(QuantizeFile, QuantizesLayersAndCopiesTheRest) {
  at::manual_seed(3);
  const test::TemporaryFolder folder;
  const TensorMap weights = {{"fc.weight", at::randn({33, 64})},
                             {"fc.bias", at::randn({33}, at::kDouble)},
                             {"conv.weight", at::randn({8, 4, 3, 3}).to(at::kBFloat16)},
                             {"conv1.weight", at::randn({8, 4, 3}).to(at::kHalf)},
                             {"conv3.weight", at::randn({2, 4, 3, 3, 3}, at::kDouble)},
                             {"token_embedding.weight", at::randn({50, 16})},
                             {"in_proj", at::randn({3, 17})},
                             {"mask", at::ones({4, 4}, at::kBool)},
                             {"wide.weight", at::randn({2, 2, 2, 2, 2, 2})},
                             {"empty.weight", at::zeros({0, 16})},
                             {"fp8.weight", at::ones({4, 4}).to(at::kFloat8_e4m3fn)}};
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(path, weights);
  const PerChannel quantizer;
  const FileQuantization result = quantize_file(path, quantizer, folder.path() / "q");
  EXPECT_TRUE(result.errors.empty());
  std::map<std::string, LayerKind> kinds;
  for (const QuantizedLayerInfo& layer : result.layers) {
    kinds.emplace(layer.name, layer.kind);
    EXPECT_EQ(layer.bits, 8);
    EXPECT_EQ(layer.granularity, Granularity::kChannel);
    EXPECT_GT(layer.sqnr_db, 40.0) << layer.name;
    EXPECT_LT(layer.sqnr_db, 60.0) << layer.name;
  }
  EXPECT_THAT(kinds,
              UnorderedElementsAre(Pair("fc", LayerKind::kLinear),
                                   Pair("conv", LayerKind::kConv2d),
                                   Pair("conv1", LayerKind::kConv1d),
                                   Pair("conv3", LayerKind::kConv3d),
                                   Pair("token_embedding", LayerKind::kEmbedding),
                                   Pair("in_proj", LayerKind::kLinear)));
  std::map<std::string, std::string> skipped;
  for (const SkippedLayer& layer : result.skipped) {
    skipped.emplace(layer.name, layer.reason);
  }
  EXPECT_THAT(skipped,
              UnorderedElementsAre(Pair("wide", HasSubstr("6 dimensions")),
                                   Pair("empty", HasSubstr("no elements")),
                                   Pair("fp8", HasSubstr("F8_E4M3"))));
  EXPECT_EQ(result.float_bytes, fs::file_size(path));
  EXPECT_EQ(result.quantized_bytes, fs::file_size(folder.path() / "q/model.safetensors"));

  const QuantizedFiles files = read_quantized_files(folder.path() / "q");
  ASSERT_EQ(files.weights.size(), 6U);
  for (const QuantizedWeight& weight : files.weights) {
    LayerView view;
    view.weight = weights.at(weight.name)
                      .to(at::kFloat)
                      .reshape({weight.shape[0], -1})
                      .contiguous();
    const QuantizedLayer expected = quantizer.quantize(view);
    EXPECT_TRUE(at::equal(weight.numbers.codes, expected.codes)) << weight.name;
    EXPECT_TRUE(at::equal(weight.numbers.scales, expected.scales)) << weight.name;
    EXPECT_EQ(weight.shape, weights.at(weight.name).sizes().vec());
  }
  ASSERT_EQ(files.others.size(), 5U);
  for (const auto& [name, tensor] : files.others) {
    EXPECT_EQ(tensor.scalar_type(), weights.at(name).scalar_type()) << name;
    EXPECT_TRUE(at::equal(tensor.to(at::kDouble), weights.at(name).to(at::kDouble)))
        << name;
  }
}

TEST(QuantizeFile, TakesEveryNumberOfBits) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(path, {{"fc.weight", at::randn({64, 256})}});
  std::vector<uint64_t> bytes;
  for (const int64_t bits : {4, 8, 16}) {
    Options options;
    options.set("bits", bits);
    const auto result =
        quantize_file(path, PerChannel(options), folder.path() / std::to_string(bits));
    ASSERT_TRUE(result.errors.empty());
    EXPECT_EQ(result.layers.at(0).bits, bits);
    bytes.push_back(result.quantized_bytes);
    const QuantizedFiles files =
        read_quantized_files(folder.path() / std::to_string(bits));
    EXPECT_EQ(files.weights.at(0).numbers.bits, bits);
  }
  // Codes, a scale for each of 64 rows, and what describes them.
  constexpr uint64_t kMostBeside = 64 * 4 + 1500;
  EXPECT_THAT(
      bytes,
      ElementsAre(AllOf(::testing::Ge(8192U), ::testing::Le(8192 + kMostBeside)),
                  AllOf(::testing::Ge(16384U), ::testing::Le(16384 + kMostBeside)),
                  AllOf(::testing::Ge(32768U), ::testing::Le(32768 + kMostBeside))));
}

TEST(QuantizeFile, ReadsShardsAsOne) {
  const test::TemporaryFolder folder;
  const fs::path shards = folder.path() / "model";
  fs::create_directories(shards);
  write_weights(shards / "one.safetensors", {{"a.weight", at::randn({16, 16})}});
  write_weights(shards / "two.safetensors", {{"b.weight", at::randn({16, 16})}});
  write_weights(shards / "unused.safetensors", {{"c.weight", at::randn({16, 16})}});
  std::ofstream(shards / "model.safetensors.index.json")
      << R"({"weight_map": {"a.weight": "one.safetensors", "b.weight": "two.safetensors"}})";
  const auto result = quantize_file(shards, PerChannel(), folder.path() / "q");
  EXPECT_EQ(result.layers.size(), 2U);
  EXPECT_EQ(result.float_bytes,
            fs::file_size(shards / "one.safetensors") +
                fs::file_size(shards / "two.safetensors"));
  expect_error(
      [&] {
        return quantize_file(shards, PerChannel(), shards);
      },
      ErrorCode::kInput,
      "would take its place");
}

TEST(QuantizeFile, ReadsAStateDictOfPython) {
  const test::TemporaryFolder folder;
  const fs::path path = fs::path(SIZEWISE_CORPUS) / "weight_file" / "linear.pt";
  const auto result = quantize_file(path, PerChannel(), folder.path() / "q");
  EXPECT_TRUE(result.errors.empty());
  EXPECT_EQ(result.float_bytes, fs::file_size(path));
  EXPECT_FALSE(result.layers.empty());
  EXPECT_NO_THROW(static_cast<void>(read_quantized_files(folder.path() / "q")));
}

TEST(QuantizeFile, StoresTiedTensorsOnce) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(
      path,
      {{"embed.weight", at::randn({16, 16})}, {"norm.weight", at::randn({4})}},
      {{"tied", R"({"head.weight": "embed.weight", "end.weight": "norm.weight"})"}});
  static_cast<void>(quantize_file(path, PerChannel(), folder.path() / "q"));
  const QuantizedFiles files = read_quantized_files(folder.path() / "q");
  EXPECT_THAT(files.weights.at(0).names, ElementsAre("embed.weight", "head.weight"));
  EXPECT_THAT(files.tied, ElementsAre(Pair("end.weight", "norm.weight")));
}

TEST(QuantizeFile, LeavesFloatWhatItIsToldTo) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(path,
                {{"a.weight", at::randn({16, 16})}, {"b.weight", at::randn({16, 8})}});
  FileSettings settings;
  settings.reason_to_skip =
      [](const std::string& name,
         const std::vector<int64_t>& shape) -> std::optional<std::string> {
    EXPECT_EQ(shape,
              (name == "a.weight" ? std::vector<int64_t>{16, 16}
                                  : std::vector<int64_t>{16, 8}));
    return name == "b.weight" ? std::optional<std::string>("has 8 inputs") : std::nullopt;
  };
  std::vector<std::pair<uint64_t, uint64_t>> progress;
  settings.progress = [&](uint64_t done, uint64_t all) {
    progress.emplace_back(done, all);
  };
  const auto result = quantize_file(path, PerChannel(), folder.path() / "q", settings);
  ASSERT_EQ(result.skipped.size(), 1U);
  EXPECT_EQ(result.skipped[0].name, "b");
  EXPECT_EQ(result.skipped[0].reason, "has 8 inputs");
  EXPECT_EQ(read_quantized_files(folder.path() / "q").others.size(), 1U);
  EXPECT_THAT(progress, ElementsAre(Pair(1024, 1536), Pair(1536, 1536)));
}

TEST(QuantizeFile, CollectsWhatTheQuantizerRefusesAndWritesNothing) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  at::Tensor broken = at::randn({16, 64});
  broken[3][5] = std::numeric_limits<float>::quiet_NaN();
  write_weights(path,
                {{"a.weight", at::randn({16, 24})},
                 {"b.weight", at::randn({16, 64})},
                 {"c.weight", broken}});
  Options options;
  options.set("granularity", std::string("group"));
  options.set("group_size", int64_t{32});
  const auto result = quantize_file(path, PerChannel(options), folder.path() / "q");
  ASSERT_EQ(result.errors.size(), 2U);
  EXPECT_EQ(result.errors[0].code(), ErrorCode::kQuantization);
  EXPECT_THAT(result.errors[0].message(),
              AllOf(HasSubstr("'a'"), HasSubstr("group_size 32")));
  EXPECT_THAT(result.errors[0].suggestion(), HasSubstr("granularity channel"));
  EXPECT_THAT(result.errors[1].message(),
              AllOf(HasSubstr("'c'"), HasSubstr("not finite")));
  EXPECT_EQ(result.layers.size(), 1U);
  EXPECT_EQ(result.quantized_bytes, 0U);
  EXPECT_TRUE(fs::is_empty(folder.path() / "q"));
}

TEST(QuantizeFile, RefusesNumbersThatNoKernelRuns) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(path, {{"a.weight", at::randn({16, 16})}});
  const Scripted quantizer([](const LayerView& layer) {
    QuantizedLayer numbers = PerChannel().quantize(layer);
    numbers.scales = numbers.scales.neg();
    return numbers;
  });
  const auto result = quantize_file(path, quantizer, folder.path() / "q");
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_THAT(result.errors[0].message(), HasSubstr("layer 'a'"));
}

TEST(QuantizeFile, LeavesNothingWhereAPluginFails) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(path, {{"a.weight", at::randn({16, 16})}, {"b", at::randn({3})}});
  const Scripted quantizer([](const LayerView& /*layer*/) -> QuantizedLayer {
    throw Error(ErrorCode::kPlugin, "it broke");
  });
  expect_error(
      [&] {
        return quantize_file(path, quantizer, folder.path() / "q");
      },
      ErrorCode::kPlugin,
      "it broke");
  EXPECT_TRUE(fs::is_empty(folder.path() / "q"));
}

TEST(QuantizeFile, RefusesAQuantizerThatNeedsCalibration) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(path, {{"a.weight", at::randn({16, 16})}});
  FileSettings settings;
  settings.quantizer = "static";
  const Scripted quantizer(
      [](const LayerView&) {
        return QuantizedLayer();
      },
      {.input_range = true});
  expect_error(
      [&] {
        return quantize_file(path, quantizer, folder.path() / "q", settings);
      },
      ErrorCode::kConfiguration,
      "quantizer 'static' needs calibration data, and weights alone have none | use "
      "per_channel or "
      "dynamic");
  EXPECT_FALSE(fs::exists(folder.path() / "q"));
}

TEST(QuantizeFile, RefusesWhatIsQuantizedAlready) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(path, {{"a.weight", at::randn({16, 16})}});
  const fs::path once = folder.path() / "q";
  static_cast<void>(quantize_file(path, PerChannel(), once));
  for (const fs::path& again : {once, once / "model.safetensors"}) {
    expect_error(
        [&] {
          return quantize_file(again, PerChannel(), folder.path() / "r");
        },
        ErrorCode::kInput,
        "is quantized already");
  }
}

TEST(QuantizeFile, NeverWritesOverTheFloatWeights) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "model.safetensors";
  write_weights(path, {{"a.weight", at::randn({16, 16})}});
  const auto bytes = fs::file_size(path);
  expect_error(
      [&] {
        return quantize_file(path, PerChannel(), folder.path());
      },
      ErrorCode::kInput,
      "would take its place");
  expect_error(
      [&] {
        return quantize_file(folder.path(), PerChannel(), folder.path());
      },
      ErrorCode::kInput,
      "would take its place");
  EXPECT_EQ(fs::file_size(path), bytes);
}

TEST(QuantizeFile, RefusesDamagedFiles) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(path, {{"a.weight", at::randn({16, 16})}});
  fs::resize_file(path, fs::file_size(path) - 1);
  expect_error(
      [&] {
        return quantize_file(path, PerChannel(), folder.path() / "q");
      },
      ErrorCode::kInput,
      path.string());
  expect_error(
      [&] {
        return quantize_file(folder.path() / "none", PerChannel(), folder.path());
      },
      ErrorCode::kIo,
      "none");
}

TEST(QuantizeFile, RefusesANameThatItNeedsItself) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_weights(path,
                {{"a.weight", at::randn({16, 16})}, {"a.weight_scale", at::ones({1})}});
  expect_error(
      [&] {
        return quantize_file(path, PerChannel(), folder.path() / "q");
      },
      ErrorCode::kInput,
      "a.weight_scale");
  EXPECT_TRUE(fs::is_empty(folder.path() / "q"));
}

TEST(KindOfWeight, IsToldByNameAndDimensions) {
  EXPECT_EQ(kind_of_weight("fc.weight", 2), LayerKind::kLinear);
  EXPECT_EQ(kind_of_weight("model.embed_tokens.weight", 2), LayerKind::kEmbedding);
  EXPECT_EQ(kind_of_weight("patch_embed.weight", 4), LayerKind::kConv2d);
  EXPECT_EQ(kind_of_weight("a", 3), LayerKind::kConv1d);
  EXPECT_EQ(kind_of_weight("a", 5), LayerKind::kConv3d);
  EXPECT_EQ(kind_of_weight("a", 1), std::nullopt);
  EXPECT_EQ(kind_of_weight("a", 6), std::nullopt);
}

}  // namespace
}  // namespace sizewise::quantizing
