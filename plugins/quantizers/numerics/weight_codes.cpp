#include "weight_codes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "sizewise/error.hpp"

#include "scale_search.hpp"

namespace sizewise::quantizers {
namespace {

/// A zero point costs bytes and a correction in each product: it is taken where it halves
/// the squared error (3 dB, half a bit). On weights around zero it takes off a tenth to a
/// third, by the last level and the shorter side alone.
constexpr double kWorthAZeroPoint = 0.5;

[[noreturn]] void refuse(const LayerView& layer,
                         const std::string& what,
                         const std::string& suggestion) {
  throw Error(ErrorCode::kQuantization, "layer '" + layer.name + "' " + what, suggestion);
}

[[noreturn]] void refuse_not_finite(const LayerView& layer) {
  const auto* const values = layer.weight.const_data_ptr<float>();
  const int64_t place = std::find_if(values,
                                     values + layer.weight.numel(),
                                     [](float value) {
                                       return !std::isfinite(value);
                                     }) -
                        values;
  const int64_t inputs = layer.weight.size(1);
  std::ostringstream what;
  what << "has weights that are not finite: " << values[place] << " in row "
       << place / inputs << ", column " << place % inputs;
  refuse(layer,
         what.str(),
         "train the model again, or leave the layer out with --exclude " + layer.name);
}

/// "use group_size 64 or 32 or 16": those that divide.
std::string groups_that_fit(const LayerView& layer) {
  std::ostringstream text;
  for (const int64_t size : {256, 128, 64, 32, 16}) {
    if (layer.weight.size(1) % size == 0) {
      text << (text.str().empty() ? "use group_size " : " or ") << size;
    }
  }
  return text.str().empty()
             ? "use granularity channel, or leave it out with --exclude " + layer.name
             : text.str();
}

void check_group(const LayerView& layer, int64_t group_size) {
  const int64_t inputs = layer.weight.size(1);
  const std::string has = "has " + std::to_string(inputs) + " inputs, ";
  const std::string group = "group_size " + std::to_string(group_size);
  if (inputs < group_size) {
    refuse(layer, has + "fewer than " + group, groups_that_fit(layer));
  }
  if (inputs % group_size != 0) {
    refuse(layer, has + "which " + group + " does not divide", groups_that_fit(layer));
  }
}

WeightRuns runs_of(const LayerView& layer, const WeightSettings& settings) {
  const int64_t rows = layer.weight.size(0);
  const int64_t columns = layer.weight.size(1);
  const auto* const values = layer.weight.const_data_ptr<float>();
  if (settings.granularity == Granularity::kGroup) {
    const int64_t size = settings.group_size;
    return {values, rows * (columns / size), size, false};
  }
  return {values, rows, columns, settings.granularity == Granularity::kTensor};
}

/// Whether a weight stays finite in 16 bits.
template <class Half>
bool holds(const ValueRange& range) {
  return std::isfinite(static_cast<float>(static_cast<Half>(range.low))) &&
         std::isfinite(static_cast<float>(static_cast<Half>(range.high)));
}

QuantizedLayer halved(const LayerView& layer,
                      const ValueRange& range,
                      HalfType half_type) {
  QuantizedLayer quantized;
  quantized.bits = 16;
  if (half_type == HalfType::kFloat16) {
    if (!holds<c10::Half>(range)) {
      refuse(layer,
             "has weights beyond float16, whose largest number is 65504",
             "use half_type bfloat16");
    }
    quantized.codes = layer.weight.to(at::kHalf);
    return quantized;
  }
  if (!holds<c10::BFloat16>(range)) {
    refuse(layer,
           "has weights beyond bfloat16, whose largest number is 3.39e38",
           "use bits 8, or leave it out with --exclude " + layer.name);
  }
  quantized.codes = layer.weight.to(at::kBFloat16);
  return quantized;
}

/// Scales of the scheme that was asked for, or of the one that is worth it.
WeightScales chosen_scales(const WeightRuns& runs,
                           const std::vector<ValueRange>& ranges,
                           const WeightSettings& settings,
                           Scheme& scheme) {
  const int threads = at::get_num_threads();
  const auto scales = [&](Scheme tried) {
    return scales_of(
        runs,
        ranges,
        {code_limits(settings.bits), tried == Scheme::kAsymmetric, settings.clips},
        threads);
  };
  scheme = settings.scheme == SchemeChoice::kAsymmetric ? Scheme::kAsymmetric
                                                        : Scheme::kSymmetric;
  WeightScales chosen = scales(scheme);
  if (settings.scheme == SchemeChoice::kAuto) {
    WeightScales other = scales(Scheme::kAsymmetric);
    if (other.squared_error < kWorthAZeroPoint * chosen.squared_error) {
      scheme = Scheme::kAsymmetric;
      return other;
    }
  }
  return chosen;
}

void write_scales(const std::vector<CodeScale>& scales,
                  int64_t channels,
                  QuantizedLayer& quantized) {
  const auto count = static_cast<int64_t>(scales.size());
  const int64_t groups = channels == 0 ? 1 : count / channels;
  quantized.scales = at::empty({channels, groups}, at::kFloat);
  auto* const scale = quantized.scales.mutable_data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) {
    scale[i] = scales[static_cast<std::size_t>(i)].scale;
  }
  if (quantized.scheme == Scheme::kAsymmetric) {
    quantized.zero_points = at::empty({channels, groups}, at::kChar);
    auto* const zero_point = quantized.zero_points.mutable_data_ptr<int8_t>();
    for (int64_t i = 0; i < count; ++i) {
      zero_point[i] = static_cast<int8_t>(scales[static_cast<std::size_t>(i)].zero_point);
    }
  }
}

}  // namespace

QuantizedLayer quantize_weight(const LayerView& layer, const WeightSettings& settings) {
  if (settings.bits != 16 && settings.granularity == Granularity::kGroup) {
    check_group(layer, settings.group_size);
  }
  const int threads = at::get_num_threads();
  const WeightRuns runs = runs_of(layer, settings);
  const std::vector<ValueRange> ranges = ranges_of(runs, threads);
  ValueRange whole;
  for (const ValueRange& range : ranges) {
    whole = joined(whole, range);
  }
  if (!whole.is_finite) {
    refuse_not_finite(layer);
  }
  if (settings.bits == 16) {
    return halved(layer, whole, settings.half_type);
  }
  QuantizedLayer quantized;
  quantized.bits = settings.bits;
  quantized.granularity = settings.granularity;
  if (settings.granularity == Granularity::kGroup) {
    quantized.group_size = settings.group_size;
  }
  const WeightScales chosen = chosen_scales(runs, ranges, settings, quantized.scheme);
  write_scales(chosen.scales, runs.share ? 1 : layer.weight.size(0), quantized);
  quantized.codes = at::empty(layer.weight.sizes(), at::kChar);
  encode_runs(runs,
              chosen.scales,
              code_limits(settings.bits),
              threads,
              quantized.codes.mutable_data_ptr<int8_t>());
  return quantized;
}

}  // namespace sizewise::quantizers
