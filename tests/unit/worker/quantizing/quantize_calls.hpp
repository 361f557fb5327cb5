#pragma once

#include <string>

#include <ATen/ATen.h>

#include "sizewise/quantize.hpp"

// What the tests that call quantize() share. They are built with SIZEWISE_PLUGIN_FOLDER.
namespace sizewise::test {

/// Settings that name a quantizer of the build and options of its own, in JSON.
inline QuantizeSettings with(const std::string& quantizer,
                             const std::string& options = "{}") {
  QuantizeSettings settings;
  settings.quantizer = quantizer;
  settings.options = Options::from_json(options);
  settings.plugin_dirs = {SIZEWISE_PLUGIN_FOLDER};
  return settings;
}

/// |one - other| / |other|, Euclidean norms.
inline double relative_difference(const at::Tensor& one, const at::Tensor& other) {
  return (one - other).norm().item<double>() / other.norm().item<double>();
}

}  // namespace sizewise::test
