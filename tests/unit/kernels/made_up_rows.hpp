#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "kernels/activation_codes.hpp"
#include "kernels/level_functions.hpp"

// What the kernels' tests share: codes, floats, and every level of this machine.

namespace sizewise::kernels {

/// Of the largest output: roundings of floats; the sums within are exact.
inline constexpr double kTolerance = 1e-6;

/// Calls `check` with the functions of each level that this machine runs.
template <class Check>
void on_each_level(const Check& check) {
  for (const ProcessorLevel level : runnable_levels()) {
    SCOPED_TRACE(std::string(name_of(level)));
    check(functions_of(level));
  }
}

enum class Codes { kRandom, kAll255, kAll0 };

/// Codes with random parameters in a buffer of their own. What lies behind a row's
/// columns is garbage, as a product may find it.
inline CodeBuffer made_codes(
    int64_t rows, int64_t columns, Codes kind, ScalePer scale_per, uint32_t seed) {
  std::mt19937 random(seed);
  CodeBuffer buffer;
  buffer.prepare(rows, columns, scale_per);
  for (int64_t m = 0; m < rows; ++m) {
    int32_t sum = 0;
    for (int64_t k = 0; k < padded_columns(columns); ++k) {
      const auto any = static_cast<uint8_t>(random() & 255);
      const uint8_t code = kind == Codes::kAll255 ? 255 : kind == Codes::kAll0 ? 0 : any;
      buffer.row(m)[k] = k < columns ? code : any;
      sum += k < columns ? code : 0;
    }
    buffer.set_sum(m, sum);
    const float scale = 0.01F + static_cast<float>(random() % 100) / 1000.0F;
    buffer.set_parameters(m, {scale, static_cast<int32_t>(random() % 256)});
  }
  return buffer;
}

template <class T>
std::vector<T> random_values(std::size_t count, int low, int high, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> any(low, high);
  std::vector<T> values(count);
  for (T& value : values) {
    value = static_cast<T>(any(random));
  }
  return values;
}

inline std::vector<float> random_floats(std::size_t count,
                                        float low,
                                        float high,
                                        uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> any(low, high);
  std::vector<float> values(count);
  for (float& value : values) {
    value = any(random);
  }
  return values;
}

/// What an action's Error says; fails where it throws none.
template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kQuantization);
    return error.message();
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace sizewise::kernels
