#pragma once

#include <string>

#include "sizewise/error.hpp"
#include "sizewise/quantizer.hpp"

#include "kernels/activation_codes.hpp"

namespace sizewise::quantizing {

/// How a layer's input becomes codes of 8 bits.
struct InputCoding {
  ActivationTreatment activation = ActivationTreatment::kNone;
  kernels::CodeParameters fixed;  ///< of kStatic
  /// Of kDynamicPerTensor. A row by itself is coded around 128 always: then one zero
  /// point serves all rows, which oneDNN needs, and a row's result does not depend on
  /// others.
  kernels::CodeRange range = kernels::CodeRange::kAsymmetric;
};

/// @param numbers checked by check_numbers(), of 8 bits or less
[[nodiscard]] InputCoding coding_of(const QuantizedLayer& numbers);

/// Codes rows on LibTorch's threads. Of kNone there are twice the rows: each as high and
/// low codes, see kernels::encode_rows_split().
/// @param name the layer's, for messages
/// @throws Error kQuantization naming the layer and the place of the first value that is
///   not finite
void code_rows(const std::string& name,
               const InputCoding& coding,
               const kernels::FloatRows& rows,
               kernels::CodeBuffer& buffer);

/// What is thrown for rows that hold a value that is not finite.
[[nodiscard]] Error non_finite_input(const std::string& name,
                                     const kernels::FloatRows& rows);

}  // namespace sizewise::quantizing
