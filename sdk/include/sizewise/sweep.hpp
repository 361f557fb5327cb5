#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sizewise/plugin.hpp"
#include "sizewise/runs.hpp"
#include "sizewise/units.hpp"

namespace sizewise {

/// One training run that a sweep asks for.
struct TrialRequest {
  int64_t size = 0;
  /// D. The host rounds it to whole samples and trains exactly that.
  int64_t tokens = 0;
  /// The IsoFLOP budget that the trial belongs to; absent for a pilot or a grid.
  std::optional<Flops> budget;
  /// A probe of the sweep's own: at most a tenth of its FLOPs, and not part of the fit.
  bool pilot = false;
};

/// What the host counted on a model of one size.
struct SizeFacts {
  int64_t size = 0;
  Parameters params;
  double flops_per_unit = 0.0;  ///< c(N): forward and backward, per unit of data
};

/// What a sweep may ask the host. [during Sweep::next, the same thread]
class SweepHost {
 public:
  virtual ~SweepHost();
  /// The training budgets that the user gave, ascending; empty for a grid.
  [[nodiscard]] virtual std::span<const Flops> budgets() const = 0;
  /// The sizes that the model's manifest allows.
  [[nodiscard]] virtual const SizeSpec& sizes() const = 0;
  /// Parameters and FLOPs of one size, counted by the worker (kept: asking again is
  /// free).
  /// @throws Error kPlugin where the model breaks its contract at this size
  [[nodiscard]] virtual SizeFacts describe(int64_t size) = 0;
  /// The allowed size whose parameter count is nearest to `params`, in logarithm.
  [[nodiscard]] virtual int64_t size_for(Parameters params) = 0;
  /// The least D that a trial can have: one batch.
  [[nodiscard]] virtual Units least_units() const = 0;
  /// D is a multiple of this: units in one sample.
  [[nodiscard]] virtual Units unit_step() const = 0;
  /// Units in one pass over the training split.
  [[nodiscard]] virtual Units train_units() const = 0;
};

/// A sweep plugin: asked for the next round of trials until it has none. Links no
/// LibTorch.
class Sweep {
 public:
  static constexpr std::string_view kInterfaceName = "sizewise.sweep/1";
  virtual ~Sweep();

  /// The next round, given every finished trial so far (empty at first); empty: the sweep
  /// is done. Must depend on its arguments and options alone: a continued run asks again.
  /// @throws Error kConfiguration where budgets and options admit no trial, saying what
  /// would
  [[nodiscard]] virtual std::vector<TrialRequest> next(const RunTable& so_far,
                                                       SweepHost& host) const = 0;
};

}  // namespace sizewise

/// Exports a class that derives from sizewise::Sweep and is made from (const Options&) or
/// ().
#define SIZEWISE_SWEEP(Class)                                                          \
  static_assert(std::derived_from<Class, ::sizewise::Sweep>,                           \
                #Class " must derive publicly from sizewise::Sweep");                  \
  static_assert(::sizewise::detail::kIsPluginConstructible<Class>,                     \
                #Class " needs a public constructor from (const sizewise::Options&)"); \
  SIZEWISE_EXPORT_PLUGIN(::sizewise::Sweep, Class, SIZEWISE_KIND_SWEEP)
