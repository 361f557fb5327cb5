#include "quantizing/onednn_linear.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "kernels/processor_level.hpp"
#include "quantizing/onednn_convolution.hpp"
#include "quantizing/operator_call.hpp"
#include "quantizing/parallel_parts.hpp"
#include "training/guarded.hpp"

namespace sizewise::quantizing {
namespace {

/// Codes that the caller keeps, without gaps between rows.
at::Tensor as_tensor(const kernels::CodedRows& x) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): only read
  auto* codes = const_cast<uint8_t*>(x.codes);
  return at::from_blob(codes, {x.rows, x.columns}, {x.stride, 1}, at::kByte).contiguous();
}

/// out = sum * scale * weight_scale + bias in the order of kernels::multiply().
void scale_row(const float* sums,
               int64_t channels,
               float scale,
               const float* weight_scale,
               const float* bias,
               float* out) {
  for (int64_t n = 0; n < channels; ++n) {
    out[n] = sums[n] * scale * weight_scale[n];
  }
  for (int64_t n = 0; bias != nullptr && n < channels; ++n) {
    out[n] += bias[n];
  }
}

/// The sums of a product where every weight and every code is the same, or, of no value
/// given, where they follow a pattern; against int64.
bool is_exact(int64_t rows,
              int64_t columns,
              int64_t channels,
              int64_t zero_point,
              std::optional<std::pair<uint8_t, int8_t>> same) {
  std::vector<uint8_t> codes(static_cast<std::size_t>(rows * columns));
  std::vector<int8_t> weights(static_cast<std::size_t>(channels * columns));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = same ? same->first : static_cast<uint8_t>(i * 167 + 13);
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = same ? same->second : static_cast<int8_t>(i * 91 + 57);
  }
  const OnednnLinear layer(weights, channels, columns);
  const float scale = 1.0F;
  const auto zero = static_cast<int32_t>(zero_point);
  const std::vector<float> weight_scale(static_cast<std::size_t>(channels), 1.0F);
  std::vector<float> out(static_cast<std::size_t>(rows * channels));
  layer.multiply({.codes = codes.data(),
                  .rows = rows,
                  .columns = columns,
                  .stride = columns,
                  .scale = &scale,
                  .zero_point = &zero},
                 weight_scale.data(),
                 nullptr,
                 out.data());
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t n = 0; n < channels; ++n) {
      int64_t sum = 0;
      for (int64_t k = 0; k < columns; ++k) {
        sum += (codes[static_cast<std::size_t>(m * columns + k)] - zero_point) *
               weights[static_cast<std::size_t>(n * columns + k)];
      }
      if (out[static_cast<std::size_t>(m * channels + n)] != static_cast<float>(sum)) {
        return false;
      }
    }
  }
  return true;
}

std::string find_linear_fault() {
  struct Shape {
    int64_t rows;
    int64_t columns;
    int64_t channels;
  };
  constexpr Shape kShapes[] = {
      {16, 512, 64}, {33, 77, 19}, {64, 129, 31}, {16, 4096, 16}};
  constexpr std::pair<uint8_t, int8_t> kWorst[] = {{255, 127}, {255, -128}, {0, -128}};
  try {
    for (const auto& [rows, columns, channels] : kShapes) {
      for (const int64_t zero_point : {0, 128, 255}) {
        for (const auto& worst : kWorst) {
          if (!is_exact(rows, columns, channels, zero_point, worst)) {
            return fmt::format("sums of {} x {} over {} columns, zero point {}",
                               worst.first,
                               worst.second,
                               columns,
                               zero_point);
          }
        }
        if (!is_exact(rows, columns, channels, zero_point, std::nullopt)) {
          return fmt::format("sums of mixed codes over {} columns", columns);
        }
      }
    }
  } catch (const std::exception& error) {
    return training::without_backtrace(error.what());
  }
  return {};
}

/// From which rows and operations on oneDNN is faster.
struct Crossover {
  int64_t rows = 0;
  int64_t operations = 0;
};

/// Nothing where it never is. A call costs about 15 us before it computes.
std::optional<Crossover> find_crossover() {
  std::optional<Crossover> crossover;
  if (kernels::used_level() < kernels::ProcessorLevel::kAvxVnni) {
    // Our loops are capped or lack VNNI, and oneDNN is exact: it has what they lack.
    crossover = {4, int64_t{1} << 22};
  } else if (onednn_has_tiles()) {
    // Nothing in our loops matches those.
    crossover = {16, int64_t{1} << 25};
  }
  return crossover && fault_of_onednn_linear().empty() ? crossover : std::nullopt;
}

const std::optional<Crossover>& crossover() {
  static const std::optional<Crossover> kCrossover = find_crossover();
  return kCrossover;
}

}  // namespace

OnednnLinear::OnednnLinear(std::vector<int8_t> codes, int64_t channels, int64_t columns)
    : channels_(channels),
      columns_(columns),
      packed_(call_operator(
          "onednn::qlinear_prepack",
          {at::from_blob(codes.data(), {channels, columns}, at::kChar).clone(),
           c10::IValue()})),
      ones_(at::ones({channels})),
      zeros_(at::zeros({channels}, at::kLong)) {}

bool OnednnLinear::takes(const kernels::CodedRows& x) {
  return !x.per_row ||
         std::all_of(x.zero_point, x.zero_point + x.rows, [&](int32_t zero_point) {
           return zero_point == *x.zero_point;
         });
}

void OnednnLinear::multiply(const kernels::CodedRows& x,
                            const float* weight_scale,
                            const float* bias,
                            float* out) const {
  const auto zero_point = static_cast<int64_t>(*x.zero_point);
  // With scales of 1, so that what comes are the sums, rounded to float once; the scales
  // follow as they do in our own product.
  const at::Tensor sums = call_operator("onednn::qlinear_pointwise",
                                        {as_tensor(x),
                                         1.0,
                                         zero_point,
                                         packed_,
                                         ones_,
                                         zeros_,
                                         c10::IValue(),
                                         1.0,
                                         int64_t{0},
                                         static_cast<int64_t>(at::kFloat),
                                         std::string("none"),
                                         c10::List<std::optional<at::Scalar>>(),
                                         std::string()})
                              .contiguous();
  const auto* from = sums.const_data_ptr<float>();
  const int64_t parts = parts_of_work(x.rows * channels_);
  run_parts(parts, [&](int64_t part) {
    const int64_t last = first_of_part(x.rows, part + 1, parts);
    for (int64_t row = first_of_part(x.rows, part, parts); row < last; ++row) {
      scale_row(from + row * channels_,
                channels_,
                x.scale[row * x.parameter_step()],
                weight_scale,
                bias,
                out + row * channels_);
    }
  });
}

const std::string& fault_of_onednn_linear() {
  static const std::string kFault = find_linear_fault();
  return kFault;
}

bool onednn_pays(int64_t rows, int64_t operations) {
  const std::optional<Crossover>& from = crossover();
  return from && rows >= from->rows && operations >= from->operations;
}

std::string onednn_route() {
  const std::optional<Crossover>& from = crossover();
  return from ? fmt::format("onednn from {} rows on", from->rows) : "";
}

}  // namespace sizewise::quantizing
