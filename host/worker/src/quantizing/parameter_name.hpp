#pragma once

#include <string>
#include <string_view>

namespace sizewise::quantizing {

/// The module of a parameter: "fc1" of "fc1.weight", "" of "weight"; the parameter's own
/// name where its last part is another.
[[nodiscard]] std::string module_of(std::string_view parameter);

/// What messages and reports call the layer of a parameter: its module, or the parameter
/// where that has no name ("weight" of a model that is one layer).
[[nodiscard]] std::string layer_name(std::string_view parameter);

/// The bias beside a weight: "fc1.bias" of "fc1.weight", "in_proj_bias" of
/// "in_proj_weight"; "" where the name does not end so.
[[nodiscard]] std::string bias_beside(std::string_view parameter);

}  // namespace sizewise::quantizing
