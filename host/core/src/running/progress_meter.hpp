#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sizewise/host.hpp"

#include "planning/plan.hpp"

namespace sizewise::running {

/// Adds up what workers tell about their trials.
class ProgressMeter {
 public:
  ProgressMeter() : start_(std::chrono::steady_clock::now()), round_start_(start_) {}

  /// What the data's units are.
  void set_unit(std::string unit) { progress_.unit = std::move(unit); }
  /// A trial that is planned, and whether its result is there already.
  void plan(const planning::Trial& trial, bool finished);
  void hear(const planning::Trial& trial, const nlohmann::json& event);
  void finish(const planning::Trial& trial);

  [[nodiscard]] Progress now() const;
  [[nodiscard]] double seconds() const;

 private:
  struct Running {
    double flops = 0;
    bool is_trained = false;  ///< its data are used up; its loss is measured
    double units_per_second = 0;
  };

  std::chrono::steady_clock::time_point start_;
  Progress progress_;
  double trained_here_ = 0;  ///< FLOPs of trials finished since the start
  /// When the last round was planned, and what had been trained here then: rounds differ
  /// in speed, so the time left follows from the present one.
  std::chrono::steady_clock::time_point round_start_;
  double round_start_flops_ = 0;
  std::map<std::string, Running> running_;
};

}  // namespace sizewise::running
