#include "running/progress_meter.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "tables/json_values.hpp"

namespace sizewise::running {
namespace {

using tables::number_or_nan;

}  // namespace

void ProgressMeter::plan(const planning::Trial& trial, bool finished) {
  if (progress_.trials_planned == 0) {
    progress_.loss = NAN;
  }
  round_start_ = std::chrono::steady_clock::now();
  round_start_flops_ = trained_here_;
  ++progress_.trials_planned;
  progress_.flops_planned += trial.flops();
  if (finished) {
    ++progress_.trials_finished;
    progress_.flops_finished += trial.flops();
  }
}

void ProgressMeter::hear(const planning::Trial& trial, const nlohmann::json& event) {
  Running& running = running_[trial.id];
  const double tokens = number_or_nan(event, "tokens");
  if (std::isfinite(tokens)) {
    running.flops = trial.flops_per_unit * tokens;
    running.is_trained = tokens >= static_cast<double>(trial.tokens);
  }
  const double rate = number_or_nan(event, "tokens_per_second");
  running.units_per_second = std::isfinite(rate) ? rate : 0;
  // For the moments in which no trial has told its own yet.
  progress_.units_per_second =
      std::max(progress_.units_per_second, running.units_per_second);
  if (const double loss = number_or_nan(event, "loss"); std::isfinite(loss)) {
    progress_.loss = loss;
    progress_.trial = trial.id;
  }
}

void ProgressMeter::finish(const planning::Trial& trial) {
  running_.erase(trial.id);
  ++progress_.trials_finished;
  progress_.flops_finished += trial.flops();
  trained_here_ += trial.flops();
}

double ProgressMeter::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

Progress ProgressMeter::now() const {
  Progress progress = progress_;
  double here = trained_here_;
  double units_per_second = 0;
  for (const auto& [trial, running] : running_) {
    progress.flops_finished += running.flops;
    here += running.flops;
    units_per_second += running.units_per_second;
  }
  if (units_per_second > 0) {
    progress.units_per_second = units_per_second;
  }
  progress.validating =
      !running_.empty() &&
      std::all_of(running_.begin(), running_.end(), [](const auto& entry) {
        return entry.second.is_trained;
      });
  progress.seconds = seconds();
  const double left = progress.flops_planned - progress.flops_finished;
  const double trained = here - round_start_flops_;
  const std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - round_start_;
  progress.seconds_left = trained > 0 ? left / trained * elapsed.count() : NAN;
  return progress;
}

}  // namespace sizewise::running
