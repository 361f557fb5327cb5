#include "quantizing/parameter_name.hpp"

namespace sizewise::quantizing {

std::string module_of(std::string_view parameter) {
  constexpr std::string_view kWeight = "weight";
  constexpr std::string_view kSuffix = ".weight";
  if (parameter == kWeight) {
    return "";
  }
  if (parameter.ends_with(kSuffix)) {
    parameter.remove_suffix(kSuffix.size());
  }
  return std::string(parameter);
}

std::string layer_name(std::string_view parameter) {
  std::string module = module_of(parameter);
  return module.empty() ? std::string(parameter) : module;
}

std::string bias_beside(std::string_view parameter) {
  constexpr std::string_view kWeight = "weight";
  if (!parameter.ends_with(kWeight)) {
    return "";
  }
  parameter.remove_suffix(kWeight.size());
  return std::string(parameter) + "bias";
}

}  // namespace sizewise::quantizing
