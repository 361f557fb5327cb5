#include <cfloat>
#include <string>

#include <ATen/TensorOperators.h>
#include <sizewise/error.hpp>
#include <sizewise/quantizer.hpp>

/// Divides each input channel by s[k] = max |x_k|^a / max |w_k|^(1-a) and multiplies the
/// weight by it: the product stays the same, and inputs with outliers become easy to
/// code. Source: Xiao et al. 2023, SmoothQuant (arXiv 2211.10438), equation 4.
class Smooth final : public sizewise::Quantizer {
 public:
  explicit Smooth(const sizewise::Options& options)
      : strength_(options.get<double>("strength")) {}

  sizewise::CalibrationNeeds needs() const override {
    sizewise::CalibrationNeeds needs;
    needs.channel_maximum = true;
    return needs;
  }

  sizewise::QuantizedLayer quantize(const sizewise::LayerView& layer) const override {
    const bool is_linear = layer.kind == sizewise::LayerKind::kLinear;
    sizewise::QuantizedLayer quantized;
    at::Tensor weight = layer.weight;
    if (is_linear) {
      quantized.input_scale = input_scale_of(layer);
      weight = weight * quantized.input_scale;
      quantized.activation = sizewise::ActivationTreatment::kDynamicPerTensor;
    }
    quantized.scales = (weight.abs().amax(1, /*keepdim=*/true) / 127).clamp_min(FLT_MIN);
    quantized.codes = (weight / quantized.scales).round().clamp(-127, 127).to(at::kChar);
    return quantized;
  }

 private:
  /// {K}, positive.
  at::Tensor input_scale_of(const sizewise::LayerView& layer) const {
    const at::Tensor& of_inputs = layer.input.channel_maximum;
    if (!of_inputs.defined()) {
      throw sizewise::Error(
          sizewise::ErrorCode::kQuantization,
          "layer '" + layer.name + "' has no calibrated inputs, which smooth needs",
          "give calibration data: --dataset ID --dataset-option ...");
    }
    const at::Tensor of_weight = layer.weight.abs().amax(0).clamp_min(1e-5);
    return of_inputs.clamp_min(1e-5).pow(strength_) / of_weight.pow(1 - strength_);
  }

  double strength_;
};

SIZEWISE_QUANTIZER(Smooth)
