#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/aligned_buffer.hpp"
#include "kernels/level_functions.hpp"

// Activations as 8-bit codes: value = (code - zero_point) * scale, codes 0..255. All
// processor levels give the same bits.

namespace sizewise::kernels {

/// Floats [rows, columns], of which a row starts `stride` floats after the one before.
struct FloatRows {
  const float* values = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;
};

/// How a range of values gets its codes.
enum class CodeRange {
  /// ONNX's DynamicQuantizeLinear: 0..255 over [min(x, 0), max(x, 0)], 0 exact.
  kAsymmetric,
  /// Zero point 128 and scale = max |x| / 127: what int4's product runs fastest with.
  kSymmetric,
};

enum class ScalePer {
  kTensor,  ///< one scale for all rows
  kRow,     ///< one scale for each row (each token)
};

struct CodeParameters {
  float scale = 1.0F;      ///< above 0
  int32_t zero_point = 0;  ///< 0..255
};

/// Least and greatest of some values and 0.
struct ValueRange {
  float low = 0.0F;
  float high = 0.0F;
  bool is_finite =
      true;  ///< false: some value is NaN or infinite; low, high mean nothing
};

/// Where the first value that is NaN or infinite stands.
struct NonFinite {
  int64_t row = 0;
  int64_t column = 0;
};

/// Codes of rows, borrowed: what the products read.
struct CodedRows {
  const uint8_t* codes = nullptr;  ///< [rows, stride]
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;            ///< a multiple of 64 from columns on, all of it readable
  const float* scale = nullptr;  ///< [rows], or [1] unless per_row
  const int32_t* zero_point = nullptr;  ///< as scale
  bool per_row = false;
  const int32_t* sum = nullptr;  ///< [rows] sums of codes; null where all weight zero
                                 ///< points are 0

  [[nodiscard]] int64_t parameter_step() const { return per_row ? 1 : 0; }
};

/// The least stride of codes: a multiple of 64.
[[nodiscard]] constexpr int64_t padded_columns(int64_t columns) {
  return (columns + 63) / 64 * 64;
}

/// Most columns that codes may have: their sum fits 32 bits.
inline constexpr int64_t kMostColumns = int64_t{1} << 23;

/// Codes of rows, owned; made again and again without new memory while no larger.
class CodeBuffer {
 public:
  /// Room for such rows; codes past `columns` are 0. @throws sizewise::Error quantization
  /// above kMostColumns.
  void prepare(int64_t rows, int64_t columns, ScalePer scale_per);

  [[nodiscard]] CodedRows view() const;
  /// Codes of a row, of padded_columns().
  [[nodiscard]] uint8_t* row(int64_t row) { return codes_.data() + row * stride_; }
  /// Sets the parameters of one row, or of all of them.
  void set_parameters(int64_t row, CodeParameters parameters);
  void set_sum(int64_t row, int32_t sum);

 private:
  AlignedBuffer<uint8_t> codes_;
  std::vector<float> scale_;
  std::vector<int32_t> zero_point_;
  std::vector<int32_t> sum_;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
  int64_t stride_ = 0;
  bool per_row_ = false;
};

/// Of all values of the rows, and 0. [any thread]
[[nodiscard]] ValueRange range_of(const FloatRows& rows,
                                  const LevelFunctions& level = used_functions());

/// Scale and zero point of a range that is finite. A range of nothing but 0 gets scale 1,
/// one too small for a normal float the least normal scale. [any thread]
[[nodiscard]] CodeParameters choose_parameters(const ValueRange& range, CodeRange kind);

/// Codes of rows first..last - 1 by given parameters, saturating; round half to even. The
/// buffer is prepared for the rows, ScalePer::kTensor, and has its parameters.
/// Infinities saturate, NaN gives any code. [any thread, rows apart]
void encode_rows(const FloatRows& rows,
                 CodeParameters parameters,
                 int64_t first,
                 int64_t last,
                 CodeBuffer& buffer,
                 const LevelFunctions& level = used_functions());

/// Codes of rows first..last - 1, each by its own range; the buffer is prepared for the
/// rows, ScalePer::kRow. @return the first value that is not finite. [any thread, rows
/// apart]
[[nodiscard]] std::optional<NonFinite> encode_rows_by_range(
    const FloatRows& rows,
    CodeRange kind,
    int64_t first,
    int64_t last,
    CodeBuffer& buffer,
    const LevelFunctions& level = used_functions());

/// Rows first..last - 1 as numbers of 16 bits for weights that are multiplied by floats:
/// each row by its own largest value, to 2^-16 of it. The buffer is prepared for twice
/// the rows, ScalePer::kRow: row m has the high codes, row rows + m the low ones,
///
///   x[m, k] ~ (high[m, k] - 128) * 256 s + (low[m, k] - 128) * s
///
/// with s = max |x[m]| / 32512.
///
/// @return the first value that is not finite. [any thread, rows apart]
[[nodiscard]] std::optional<NonFinite> encode_rows_split(
    const FloatRows& rows,
    int64_t first,
    int64_t last,
    CodeBuffer& buffer,
    const LevelFunctions& level = used_functions());

/// Codes by the range of what comes. @return the first value that is not finite; the
/// codes mean nothing then.
[[nodiscard]] std::optional<NonFinite> quantize_dynamic(
    const FloatRows& rows,
    CodeRange kind,
    ScalePer scale_per,
    CodeBuffer& buffer,
    const LevelFunctions& level = used_functions());

/// Codes by given parameters, saturating. @return the first value that is not finite; the
/// codes mean nothing then. @throws sizewise::Error quantization for a scale that is not
/// a finite number above 0, or a zero point outside 0..255.
[[nodiscard]] std::optional<NonFinite> quantize_static(
    const FloatRows& rows,
    CodeParameters parameters,
    CodeBuffer& buffer,
    const LevelFunctions& level = used_functions());

}  // namespace sizewise::kernels
