#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sizewise/options.hpp"
#include "sizewise/plugin_abi.h"

namespace sizewise {

/// The six kinds of plugin.
enum class PluginKind {
  kModel = SIZEWISE_KIND_MODEL,
  kDataset = SIZEWISE_KIND_DATASET,
  kLoss = SIZEWISE_KIND_LOSS,
  kSweep = SIZEWISE_KIND_SWEEP,
  kFit = SIZEWISE_KIND_FIT,
  kQuantizer = SIZEWISE_KIND_QUANTIZER,
};

/// "model", "dataset", "loss", "sweep", "fit" or "quantizer".
[[nodiscard]] std::string_view to_string(PluginKind kind) noexcept;
[[nodiscard]] std::optional<PluginKind> plugin_kind_from_string(
    std::string_view name) noexcept;

/// Whether plugins of this kind link LibTorch (model, dataset, loss, quantizer).
[[nodiscard]] bool uses_torch(PluginKind kind) noexcept;

/// The sizes that a model family has: minimum, minimum + multiple_of, ... up to maximum.
struct SizeSpec {
  std::string name;  ///< what the size is, such as "width"
  std::string description;
  int64_t minimum = 1;
  int64_t maximum = 1;
  int64_t multiple_of = 1;

  [[nodiscard]] bool allows(int64_t size) const;
  /// The allowed size nearest to `size`.
  [[nodiscard]] int64_t nearest(double size) const;
};

/// The facts about a plugin, as plugin.json states them.
struct Manifest {
  std::string id;
  PluginKind kind = PluginKind::kModel;
  std::string version;
  std::string summary;
  OptionSchema options;
  std::optional<SizeSpec> size;  ///< models only
  std::string json;              ///< the text that it was read from
};

/// Reads and checks a manifest.
/// @throws Error kPlugin naming the field (and line and column where the JSON itself is
/// wrong)
[[nodiscard]] Manifest parse_manifest(std::string_view json);

}  // namespace sizewise
