#include "quantizing/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sizewise::quantizing {
namespace {

constexpr int kMantissaBits = 23;
constexpr std::size_t kNegative = 256;  ///< octaves from here on hold negative values

/// The lower bound of a bin of absolute values, by the float's exponent bits and the
/// leading bits of its mantissa; of the bin after the last as well (2^128).
double bound_of(std::size_t exponent, std::size_t bin, std::size_t bins) {
  const double part = static_cast<double>(bin) / static_cast<double>(bins);
  const auto power = static_cast<int>(exponent);
  constexpr int kBias = 127;
  return power == 0 ? std::ldexp(part, 1 - kBias) : std::ldexp(1.0 + part, power - kBias);
}

}  // namespace

void Histogram::add(std::span<const float> values) {
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    std::unique_ptr<Octave>& octave = octaves_[bits >> kMantissaBits];
    if (!octave) {
      octave = std::make_unique<Octave>();
    }
    ++(*octave)[(bits >> (kMantissaBits - kBinBits)) & (kBinsPerOctave - 1)];
  }
}

void Histogram::append_bins(std::size_t octave,
                            double minimum,
                            double maximum,
                            std::vector<HistogramBin>& bins) const {
  if (!octaves_[octave]) {
    return;
  }
  const bool negative = octave >= kNegative;
  const std::size_t exponent = octave % kNegative;
  for (std::size_t i = 0; i < kBinsPerOctave; ++i) {
    const std::size_t bin = negative ? kBinsPerOctave - 1 - i : i;
    const uint64_t count = (*octaves_[octave])[bin];
    if (count == 0) {
      continue;
    }
    const double inner = bound_of(exponent, bin, kBinsPerOctave);
    const double outer = bound_of(exponent, bin + 1, kBinsPerOctave);
    bins.push_back({std::max(negative ? -outer : inner, minimum),
                    std::min(negative ? -inner : outer, maximum),
                    count});
  }
}

std::vector<HistogramBin> Histogram::bins(double minimum, double maximum) const {
  std::vector<HistogramBin> bins;
  for (std::size_t octave = kOctaves; octave-- > kNegative;) {
    append_bins(octave, minimum, maximum, bins);
  }
  for (std::size_t octave = 0; octave < kNegative; ++octave) {
    append_bins(octave, minimum, maximum, bins);
  }
  return bins;
}

}  // namespace sizewise::quantizing
