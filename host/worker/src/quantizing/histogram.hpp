#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sizewise::quantizing {

/// Values that lie between two bounds, taken as spread evenly between them.
struct HistogramBin {
  double lower = 0.0;
  double upper = 0.0;  ///< at or above `lower`
  uint64_t count = 0;
};

/// Counts floats by their leading bits: sign, exponent and 9 bits of the mantissa. So
/// every bin is at most 1/512 of its values wide (those of denormal values excepted),
/// however far outliers lie, and nothing is regrouped as the range grows: counts are the
/// same whatever the order of the values (docs/decisions/0076). Memory for an octave
/// comes with its first value: 4 KiB. [one thread at a time]
class Histogram {
 public:
  /// @param values finite
  void add(std::span<const float> values);

  /// Bins that hold a value, in the order of the values, and each within
  /// [minimum, maximum]. Zeros are in bins that touch 0, with what is below 2^-135.
  /// @param minimum, maximum of the values that were added
  [[nodiscard]] std::vector<HistogramBin> bins(double minimum, double maximum) const;

 private:
  static constexpr int kBinBits = 9;
  static constexpr std::size_t kBinsPerOctave = std::size_t{1} << kBinBits;
  static constexpr std::size_t kOctaves = 512;  ///< sign and exponent
  using Octave = std::array<uint64_t, kBinsPerOctave>;

  void append_bins(std::size_t octave,
                   double minimum,
                   double maximum,
                   std::vector<HistogramBin>& bins) const;

  std::array<std::unique_ptr<Octave>, kOctaves> octaves_;
};

}  // namespace sizewise::quantizing
