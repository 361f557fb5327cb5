#pragma once

#include "sizewise/quantize.hpp"

#include "quantizing/quantize_job.hpp"
#include "quantizing/quantized_model.hpp"

namespace sizewise::quantizing {

/// Quantizes weights in memory; what each is follows from kind_of_weight().
/// @param made gets the quantized weights and the tensors that stay as they are
/// @param result gets layers, skipped ones, errors of the quantization kind and warnings
/// @throws Error kConfiguration where the quantizer needs calibration; kInput where no
///   weight can be quantized
void quantize_tensors(const TensorMap& weights,
                      const NamedQuantizer& quantizer,
                      const NamePatterns& patterns,
                      QuantizedModel& made,
                      QuantizationResult& result);

}  // namespace sizewise::quantizing
