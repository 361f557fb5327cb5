#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/plugin.hpp"
#include "sizewise/tensor_map.hpp"

namespace sizewise {

/// How a layer uses its weight.
enum class LayerKind { kLinear, kConv1d, kConv2d, kConv3d, kEmbedding };

/// Whether codes are centred on zero.
enum class Scheme { kSymmetric, kAsymmetric };

/// Which weights share a scale.
enum class Granularity { kTensor, kChannel, kGroup };

/// How a layer's input is treated.
enum class ActivationTreatment { kNone, kDynamicPerTensor, kDynamicPerToken, kStatic };

/// What calibration saw of a layer's input. Undefined or absent: not asked for.
struct InputStatistics {
  int64_t rows = 0;               ///< input vectors seen
  std::optional<double> minimum;  ///< by the observer that the user chose
  std::optional<double> maximum;
  at::Tensor
      channel_maximum;  ///< {K}, float32: largest absolute value of each input channel
  at::Tensor second_moment;  ///< {K, K}, float32: sum over rows of x x^T
};

/// One float layer.
struct LayerView {
  std::string name;  ///< its path in the module, such as "blocks.0.mlp.fc1"
  LayerKind kind = LayerKind::kLinear;
  at::Tensor
      weight;  ///< float32, contiguous, {N, K} (a convolution's kernel flattened to K)
  at::Tensor bias;  ///< float32 {N}: of the same module or file; undefined where none is
  InputStatistics input;
};

/// The layers that will be quantized, in the order in which the module registers them.
struct ModelView {
  std::vector<LayerView> layers;
};

/// What a quantizer decided for one layer: numbers only; the host owns the kernels.
/// weight[n, k] ~ (codes[n, k] - zero_points[n, g]) * scales[n, g] / input_scale[k], g =
/// k/group_size.
struct QuantizedLayer {
  int bits = 8;  ///< 2 to 8; 16: `codes` are the weight itself in a 16-bit type
  Scheme scheme = Scheme::kSymmetric;
  Granularity granularity = Granularity::kChannel;
  int64_t group_size = 0;  ///< of granularity kGroup; divides K
  /// int8 {N, K}, each within [-2^(bits-1), 2^(bits-1) - 1]; of 16 bits float16 or
  /// bfloat16
  at::Tensor codes;
  /// float32 {1, 1}, {N, 1} or {N, K/group_size}; positive; undefined where bits is 16
  at::Tensor scales;
  at::Tensor zero_points;  ///< int8, the shape of scales; undefined where symmetric
  at::Tensor input_scale;  ///< float32 {K}: inputs are divided by it first; undefined: 1
  ActivationTreatment activation = ActivationTreatment::kNone;
  std::optional<double> activation_scale;        ///< of kStatic
  std::optional<int64_t> activation_zero_point;  ///< of kStatic, 0 to 255
};

/// What a quantizer wants measured before it is asked.
struct CalibrationNeeds {
  bool input_range = false;      ///< InputStatistics::minimum and maximum
  bool channel_maximum = false;  ///< InputStatistics::channel_maximum
  bool second_moment = false;    ///< InputStatistics::second_moment
  [[nodiscard]] bool any() const {
    return input_range || channel_maximum || second_moment;
  }
};

/// A quantizer plugin: a float layer and its statistics in, codes and scales out.
class Quantizer {
 public:
  static constexpr std::string_view kInterfaceName = "sizewise.quantizer/1";
  virtual ~Quantizer();

  /// What calibration is to measure; the same each time. [after create, any thread]
  [[nodiscard]] virtual CalibrationNeeds needs() const = 0;

  /// Quantizes one layer. Deterministic. [after create, any thread]
  /// @throws Error kQuantization where this layer cannot be done so, saying what would
  /// work
  [[nodiscard]] virtual QuantizedLayer quantize(const LayerView& layer) const = 0;

  /// Sees the whole model before the layers (to share a scale between them, say). Not
  /// called for a file of weights, which are read one by one. [once, before quantize]
  /// @throws Error kQuantization where the model cannot be done so
  virtual void prepare(const ModelView& model);
};

}  // namespace sizewise

/// Exports a class that derives from sizewise::Quantizer and is made from (const
/// Options&).
#define SIZEWISE_QUANTIZER(Class)                                                      \
  static_assert(std::derived_from<Class, ::sizewise::Quantizer>,                       \
                #Class " must derive publicly from sizewise::Quantizer");              \
  static_assert(::sizewise::detail::kIsPluginConstructible<Class>,                     \
                #Class " needs a public constructor from (const sizewise::Options&)"); \
  SIZEWISE_EXPORT_PLUGIN(::sizewise::Quantizer, Class, SIZEWISE_KIND_QUANTIZER)
