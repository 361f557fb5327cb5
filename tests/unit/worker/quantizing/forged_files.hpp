#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "quantizing/quantized_examples.hpp"

// What the tests of forged files share.

namespace sizewise::quantizing {

inline constexpr const char* kWeights = "model.safetensors";
inline constexpr const char* kConfig = "config.json";

inline std::string text_in(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void put_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

/// A static int8 layer, a packed one with odd sizes, a smoothed one, and others.
inline QuantizedFiles some_weights() {
  at::manual_seed(2);
  QuantizedFiles files;
  files.weights = {example_weight({.name = "a.weight",
                                   .scheme = Scheme::kAsymmetric,
                                   .activation = ActivationTreatment::kStatic}),
                   example_weight({.name = "b.weight",
                                   .shape = {5, 12},
                                   .bits = 4,
                                   .scheme = Scheme::kAsymmetric,
                                   .granularity = Granularity::kGroup,
                                   .group_size = 4}),
                   example_weight({.name = "c.weight", .has_input_scale = true}),
                   example_weight({.name = "d.weight",
                                   .bits = 4,
                                   .scheme = Scheme::kAsymmetric,
                                   .granularity = Granularity::kTensor})};
  files.others = {{"a.bias", at::randn({6})}};
  return files;
}

/// What read_quantized_files() says about a folder; fails where it says nothing.
inline std::string refusal(const std::filesystem::path& folder, const std::string& what) {
  try {
    static_cast<void>(read_quantized_files(folder));
    ADD_FAILURE() << "read in spite of " << what;
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput) << what << ": " << error.message();
    EXPECT_FALSE(error.suggestion().empty()) << what;
    return error.message();
  }
}

}  // namespace sizewise::quantizing
