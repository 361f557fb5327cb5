#include "training/trial.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/model.hpp"

#include "training/batches.hpp"
#include "training/count_step.hpp"
#include "training/create_model.hpp"
#include "training/evaluation.hpp"
#include "training/forward_backward.hpp"
#include "training/horizon.hpp"
#include "training/loss_log.hpp"
#include "training/optimizer.hpp"
#include "training/schedule.hpp"

namespace sizewise::training {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kProgressInterval = std::chrono::milliseconds(100);
constexpr int64_t kMostCurvePoints = 1000;

/// A final loss below this share of the first training batch's loss is not compared with
/// the validation loss at initialisation, which costs a pass over the validation split.
constexpr double kClearlyLearned = 0.9;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// One trial in progress.
class Trial {
 public:
  Trial(const Ingredients& ingredients,
        int64_t size,
        int64_t tokens,
        const TrialListener& listener)
      : ingredients_(ingredients),
        listener_(listener),
        size_(size),
        info_(ingredients.dataset.instance->info()),
        horizon_(plan_horizon(tokens, info_, ingredients.recipe)),
        device_(device_from_name(ingredients.recipe.device)),
        model_(new_model()) {}

  TrainedTrial run() {
    result_.params = count_params(model_->module());
    train();
    if (result_.status == TrialStatus::kNotRun) {
      validate();
    }
    result_.flops_6nd =
        6.0 * static_cast<double>(result_.params) * static_cast<double>(result_.tokens);
    result_.epochs =
        static_cast<double>(result_.tokens) / static_cast<double>(info_.train_units());
    result_.seconds = seconds_since(start_);
    return {std::move(result_), std::move(model_)};
  }

 private:
  std::unique_ptr<Model> new_model() const {
    std::unique_ptr<Model> model =
        create_model(ingredients_.family, size_, ingredients_.recipe.seed);
    model->module().to(device_);
    model->module().train();
    return model;
  }

  void train();
  void after_step(double learning_rate);
  void report_progress();
  void note_unused_parameters();
  Evaluation evaluate(Model& model);
  void validate();
  void diverge(std::string reason) {
    result_.status = TrialStatus::kDiverged;
    result_.reason = std::move(reason);
  }

  const Ingredients& ingredients_;
  const TrialListener& listener_;
  int64_t size_;
  DatasetInfo info_;
  Horizon horizon_;
  c10::Device device_;
  std::unique_ptr<Model> model_;
  TrialResult result_;
  LossLog losses_;
  int64_t last_point_ = 0;
  double training_seconds_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point training_start_ = start_;
  Clock::time_point last_progress_ = start_;
};

void Trial::train() {
  Optimizer optimizer(model_->module().parameters(), ingredients_.recipe);
  ForwardBackward passes(*model_, ingredients_, device_, /*count_flops=*/true);
  const double peak = peak_learning_rate(ingredients_.recipe, result_.params);
  training_start_ = Clock::now();
  result_.flops = 0;
  for (int64_t step = 0; step < horizon_.steps; ++step) {
    const double rate =
        peak * learning_rate_factor(ingredients_.recipe, step, horizon_.steps);
    const int64_t samples = horizon_.samples_in_step(step);
    const StepOutcome outcome = passes.run(step * horizon_.batch_size, samples);
    result_.flops += static_cast<double>(outcome.flops);
    result_.tokens += samples * info_.units_per_sample;
    result_.steps = step + 1;
    losses_.add(outcome.loss, samples);
    if (losses_.first_not_finite()) {
      break;
    }
    if (step == 0) {
      note_unused_parameters();
    }
    optimizer.step(rate, outcome.gradient_divisor);
    after_step(rate);
  }
  losses_.read();
  if (const std::optional<int64_t> step = losses_.first_not_finite()) {
    diverge(fmt::format("the training loss was {} at step {} of {}",
                        losses_.at(*step),
                        *step + 1,
                        horizon_.steps));
  }
  result_.train_loss = losses_.mean_from(result_.steps - (result_.steps + 9) / 10);
  if (!passes.uncounted().empty()) {
    result_.warnings.push_back(uncounted_warning(passes.uncounted()));
  }
}

void Trial::after_step(double learning_rate) {
  const int64_t interval = (horizon_.steps + kMostCurvePoints - 1) / kMostCurvePoints;
  if (listener_.curve &&
      (result_.steps % interval == 0 || result_.steps == horizon_.steps)) {
    losses_.read();
    listener_.curve({result_.steps,
                     result_.tokens,
                     losses_.mean_from(last_point_),
                     learning_rate,
                     seconds_since(training_start_)});
    last_point_ = result_.steps;
  }
  training_seconds_ = seconds_since(training_start_);
  report_progress();
}

void Trial::report_progress() {
  const auto now = Clock::now();
  if (!listener_.progress || now - last_progress_ < kProgressInterval) {
    return;
  }
  last_progress_ = now;
  losses_.read();
  listener_.progress({result_.steps,
                      horizon_.steps,
                      result_.tokens,
                      horizon_.samples * info_.units_per_sample,
                      losses_.last(),
                      static_cast<double>(result_.tokens) / training_seconds_});
}

void Trial::note_unused_parameters() {
  std::vector<std::string> names;
  for (const auto& parameter : model_->module().named_parameters()) {
    if (parameter.value().requires_grad() && !parameter.value().grad().defined()) {
      names.push_back(parameter.key());
    }
  }
  if (!names.empty()) {
    result_.warnings.push_back(fmt::format(
        "parameters that the first batch's loss does not depend on: {}; they count in "
        "num_params() and learn nothing",
        fmt::join(names, ", ")));
  }
}

Evaluation Trial::evaluate(Model& model) {
  const int64_t batch_size =
      split_step(horizon_.batch_size, ingredients_.recipe.accumulate).front();
  return evaluate_model(model, ingredients_, device_, batch_size, [this] {
    report_progress();
  });
}

void Trial::validate() {
  const Evaluation final_state = evaluate(*model_);
  result_.loss = final_state.loss;
  result_.accuracy = final_state.accuracy;
  result_.status = TrialStatus::kDone;
  if (!std::isfinite(result_.loss)) {
    diverge(fmt::format("the validation loss is {}", result_.loss));
    return;
  }
  const double first_loss = losses_.at(0);
  if (result_.loss < first_loss - (1 - kClearlyLearned) * std::abs(first_loss)) {
    return;
  }
  const std::unique_ptr<Model> untrained = new_model();
  const double initial_loss = evaluate(*untrained).loss;
  if (result_.loss > initial_loss) {
    diverge(
        fmt::format("the validation loss ended at {:.6g}, above the {:.6g} that it "
                    "was at initialisation",
                    result_.loss,
                    initial_loss));
  }
}

}  // namespace

std::string_view to_string(TrialStatus status) noexcept {
  switch (status) {
    case TrialStatus::kDone:
      return "done";
    case TrialStatus::kDiverged:
      return "diverged";
    case TrialStatus::kNotRun:
      break;
  }
  return "not_run";
}

TrainedTrial train_trial(const Ingredients& ingredients,
                         int64_t size,
                         int64_t tokens,
                         const TrialListener& listener) {
  return Trial(ingredients, size, tokens, listener).run();
}

}  // namespace sizewise::training
