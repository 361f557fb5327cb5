#include <cmath>
#include <filesystem>
#include <functional>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/safetensors.hpp"
#include "quantizing/forged_files.hpp"
#include "support/temporary_folder.hpp"

// Files of quantized models that are cut, or not as they were written.

namespace sizewise::quantizing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(QuantizedFilesForged, AreRefusedWhereverTheyAreCut) {
  const test::TemporaryFolder folder;
  write_quantized_files(folder.path(), some_weights());
  constexpr std::size_t kStep = 7;
  for (const char* name : {kWeights, kConfig}) {
    const std::string whole = text_in(folder.path() / name);
    // The newline at the end of config.json may be missing.
    const std::size_t longest = name == kConfig ? whole.size() - 1 : whole.size();
    // A step that reaches every place of an entry, and the file's end.
    for (std::size_t length = 0; length < longest;
         length += length + kStep < longest ? kStep : 1) {
      put_text(folder.path() / name, std::string_view(whole).substr(0, length));
      const std::string where = std::string(name) + " of " + std::to_string(length);
      ASSERT_THAT(refusal(folder.path(), where), HasSubstr(name)) << where;
    }
    put_text(folder.path() / name, whole + "x");
    EXPECT_THAT(refusal(folder.path(), "a byte too many"), HasSubstr(name));
    put_text(folder.path() / name, whole);
  }
  EXPECT_NO_THROW(static_cast<void>(read_quantized_files(folder.path())));
}

struct TensorCase {
  const char* what;
  std::function<void(TensorMap&)> forge;
  const char* message;
};

TEST(QuantizedFilesForged, AreRefusedForTheirTensors) {
  const std::vector<TensorCase> cases = {
      {"no scale",
       [](auto& t) {
         t.erase("a.weight_scale");
       },
       "no tensor 'a.weight_scale'"},
      {"no codes",
       [](auto& t) {
         t.erase("b.weight_packed");
       },
       "no tensor 'b.weight_packed'"},
      {"no bias",
       [](auto& t) {
         t.erase("a.bias");
       },
       "no tensor 'a.bias'"},
      {"another tensor",
       [](auto& t) {
         t["a.weight_g_idx"] = at::ones({2});
       },
       "a tensor 'a.weight_g_idx', which config.json does not name"},
      {"codes of another type",
       [](auto& t) {
         t["a.weight"] = t["a.weight"].to(at::kByte);
       },
       "'a.weight' is U8 [6, 24], and must be I8 [6, 24]"},
      {"codes of another shape",
       [](auto& t) {
         t["a.weight"] = t["a.weight"].reshape({24, 6});
       },
       "'a.weight' is I8 [24, 6], and must be I8 [6, 24]"},
      {"too few words",
       [](auto& t) {
         t["b.weight_packed"] = t["b.weight_packed"].slice(1, 0, 1);
       },
       "'b.weight_packed' is I32 [5, 1], and must be I32 [5, 2]"},
      {"scales of another type",
       [](auto& t) {
         t["a.weight_scale"] = t["a.weight_scale"].to(at::kDouble);
       },
       "'a.weight_scale' is F64"},
      {"a negative scale",
       [](auto& t) {
         t["a.weight_scale"][3] = -0.5F;
       },
       "'a.weight_scale' holds -0.5; allowed: positive"},
      {"a scale of zero",
       [](auto& t) {
         t["b.weight_scale"][0][0] = 0.0F;
       },
       "'b.weight_scale' holds 0"},
      {"a scale that is no number",
       [](auto& t) {
         t["b.weight_scale"][4][2] = std::nanf("");
       },
       "'b.weight_scale' holds nan"},
      {"an infinite scale of inputs",
       [](auto& t) {
         t["c.weight_smoothed_channel_scale"][1] = INFINITY;
       },
       "'c.weight_smoothed_channel_scale' holds inf"},
      {"a code of too many bits",
       [](auto& t) {
         t["b.weight_packed"][0][1] = -1;
       },
       "'b.weight_packed' has bits set behind the last code"},
      {"a zero point behind the last",
       [](auto& t) {
         t["b.weight_zero_point"][0][0] = -1;
       },
       "'b.weight_zero_point' has bits set"},
      {"a zero point of too many bits",
       [](auto& t) {
         t["d.weight_zero_point"][0] = 8;
       },
       "'d.weight_zero_point' holds 8; allowed with 4 bits: -8 to 7"},
      {"another shape of what was packed",
       [](auto& t) {
         t["b.weight_shape"][1] = 11;
       },
       "'b.weight_shape' holds 5, 11, and must hold 5, 12"},
      {"another scale of inputs",
       [](auto& t) {
         t["a.input_scale"][0] = 0.2F;
       },
       "'a.input_scale' holds 0.2, and config.json says 0.1"},
      {"another zero point of inputs",
       [](auto& t) {
         t["a.input_zero_point"][0] = 4;
       },
       "'a.input_zero_point' holds 4, and must hold 3"},
  };
  const test::TemporaryFolder folder;
  write_quantized_files(folder.path(), some_weights());
  const fs::path path = folder.path() / kWeights;
  const std::string whole = text_in(path);
  for (const TensorCase& test_case : cases) {
    put_text(path, whole);
    checkpoint::Safetensors content = checkpoint::read_safetensors(path);
    test_case.forge(content.tensors);
    checkpoint::write_safetensors(path, content);
    EXPECT_THAT(refusal(folder.path(), test_case.what),
                AllOf(HasSubstr(path.string()), HasSubstr(test_case.message)));
  }
}

TEST(QuantizedFilesForged, AreRefusedWhereTheKeptFloatWeightIsOfAnotherShape) {
  const test::TemporaryFolder folder;
  QuantizedFiles files;
  files.weights = {example_weight({.name = "head.weight"})};
  files.weights[0].names = {"table.weight", "head.weight"};
  files.weights[0].keeps_float = true;
  files.others = {{"table.weight", at::randn({6, 23})}};
  write_quantized_files(folder.path(), files);
  EXPECT_THAT(refusal(folder.path(), "another shape"),
              HasSubstr("'table.weight' is F32 [6, 23], and config.json says [6, 24]"));
}

TEST(QuantizedFilesForged, AreRefusedBesideWeightsOfAnotherModel) {
  const test::TemporaryFolder folder;
  write_quantized_files(folder.path() / "a", some_weights());
  write_quantized_files(folder.path() / "b", every_kind());
  fs::copy_file(folder.path() / "b" / kWeights,
                folder.path() / "a" / kWeights,
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(refusal(folder.path() / "a", "another model"), HasSubstr(kWeights));
}

}  // namespace
}  // namespace sizewise::quantizing
