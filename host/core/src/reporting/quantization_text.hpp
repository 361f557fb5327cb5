#pragma once

#include <string>

#include "sizewise/quantization.hpp"

namespace sizewise::reporting {

/// A quantization for people: the layers, those that stay float and why, bytes, and what
/// was measured of both models, in lines of at most 80 columns; a longer name stays
/// whole. Long lists end in how many more there are. Ends with a line end.
[[nodiscard]] std::string quantization_text(const QuantizationReport& report);

}  // namespace sizewise::reporting
