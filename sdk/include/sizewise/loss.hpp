#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sizewise/plugin.hpp"
#include "sizewise/tensor_map.hpp"

namespace sizewise {

/// What a loss says of one batch.
struct LossValue {
  at::Tensor mean;    ///< scalar, differentiable: mean over units, in nats per unit
  int64_t units = 0;  ///< how many units the mean is over
  std::optional<at::Tensor>
      hits;  ///< scalar int64: correct answers, where the loss knows them
};

/// A loss plugin.
class Loss {
 public:
  static constexpr std::string_view kInterfaceName = "sizewise.loss/1";
  virtual ~Loss();

  /// The loss of a model's outputs on a batch. Must not synchronise with a device (no
  /// .item()). `count_hits`: whether to fill `hits` (validation only). [after create, any
  /// thread]
  /// @throws Error kPlugin where shapes or types do not fit, naming both sides
  [[nodiscard]] virtual LossValue compute(const TensorMap& outputs,
                                          const TensorMap& batch,
                                          bool count_hits) const = 0;
};

}  // namespace sizewise

/// Exports a class that derives from sizewise::Loss and is made from (const Options&) or
/// ().
#define SIZEWISE_LOSS(Class)                                                           \
  static_assert(std::derived_from<Class, ::sizewise::Loss>,                            \
                #Class " must derive publicly from sizewise::Loss");                   \
  static_assert(::sizewise::detail::kIsPluginConstructible<Class>,                     \
                #Class " needs a public constructor from (const sizewise::Options&)"); \
  SIZEWISE_EXPORT_PLUGIN(::sizewise::Loss, Class, SIZEWISE_KIND_LOSS)
