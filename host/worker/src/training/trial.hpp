#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sizewise/dataset.hpp"
#include "sizewise/experiment.hpp"
#include "sizewise/loss.hpp"

namespace sizewise {
class Model;
class ModelFamily;
}  // namespace sizewise

namespace sizewise::training {

/// A plugin's instance and the name by which messages call it, such as "gpt".
template <class Interface>
struct Named {
  std::string id;
  std::shared_ptr<const Interface> instance;
};

/// What a trial is made of.
struct Ingredients {
  Named<ModelFamily> family;
  Named<Dataset> dataset;
  Named<Loss> loss;
  Recipe recipe;
};

/// How a trial ended. Divergence is a result, not a fault.
enum class TrialStatus { kNotRun, kDone, kDiverged };

/// "not_run", "done" or "diverged".
[[nodiscard]] std::string_view to_string(TrialStatus status) noexcept;

inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

/// What one trial came to. Losses are in nats per unit.
struct TrialResult {
  TrialStatus status = TrialStatus::kNotRun;
  std::string reason;                ///< of divergence; else empty
  int64_t params = 0;                ///< N
  int64_t tokens = 0;                ///< D: units consumed
  double loss = kNotMeasured;        ///< mean over the whole validation split
  double train_loss = kNotMeasured;  ///< mean over the last tenth of the steps
  std::optional<double> accuracy;    ///< where the loss plugin counts hits
  double flops = kNotMeasured;       ///< counted, forward and backward, all steps
  double flops_6nd = kNotMeasured;   ///< 6 N D
  double epochs = 0;                 ///< passes over the training split
  int64_t steps = 0;                 ///< optimizer steps taken
  double seconds = kNotMeasured;     ///< the whole trial, validation included
  std::vector<std::string> warnings;
};

/// Where a trial stands.
struct Progress {
  int64_t step = 0;   ///< steps taken
  int64_t steps = 0;  ///< of so many
  int64_t tokens = 0;
  int64_t tokens_total = 0;
  double loss = kNotMeasured;  ///< of the last training batch that was read back
  double tokens_per_second = 0;
};

/// One point of the learning curve.
struct CurvePoint {
  int64_t step = 0;
  int64_t tokens = 0;
  double loss = kNotMeasured;  ///< mean over the steps since the last point
  double learning_rate = 0;
  double seconds = 0;  ///< since training began
};

/// What a trial tells while it runs; either may be empty.
struct TrialListener {
  std::function<void(const Progress&)> progress;  ///< at most ten times a second
  std::function<void(const CurvePoint&)> curve;   ///< at most 1,000 times a trial
};

/// A trial's result and, unless it diverged, the model as it was left.
struct TrainedTrial {
  TrialResult result;
  std::unique_ptr<Model> model;
};

/// Trains a new model of `size` on exactly `tokens` units and validates it.
///
/// The same ingredients, size, tokens and number of threads give the same bits on a CPU.
/// A trial is diverged where a training or validation loss is not finite, or where the
/// final validation loss is above the validation loss at initialisation.
/// @throws Error kConfiguration where the recipe or tokens are not possible, kPlugin or
///   kTraining where a plugin fails or memory runs out, naming the plugin
[[nodiscard]] TrainedTrial train_trial(const Ingredients& ingredients,
                                       int64_t size,
                                       int64_t tokens,
                                       const TrialListener& listener = {});

}  // namespace sizewise::training
