#pragma once

#include "sizewise/quantizer.hpp"

#include "weight_codes.hpp"

namespace sizewise::quantizing {

/// The plugin per_channel, without a plugin around it.
class PerChannel final : public Quantizer {
 public:
  explicit PerChannel(Options options = {})
      : settings_(quantizers::weight_settings(options)) {}
  [[nodiscard]] CalibrationNeeds needs() const override { return {}; }
  [[nodiscard]] QuantizedLayer quantize(const LayerView& layer) const override {
    return quantizers::quantize_weight(layer, settings_);
  }

 private:
  quantizers::WeightSettings settings_;
};

}  // namespace sizewise::quantizing
