#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <dlfcn.h>

#include "sizewise/plugin_abi.h"
#include "sizewise/sweep.hpp"

namespace sizewise::testing {

/// A family of models and a law that its losses follow exactly.
struct Family {
  SizeSpec sizes{"width", "", 4, 4096, 4};
  std::function<double(double)> params = [](double width) {
    return 50 * width + 12 * width * width;
  };
  std::function<double(double)> flops_per_unit = [](double n) {
    return 6 * n;
  };
  double E = 1.7;
  double A = 400;
  double B = 400;
  double alpha = 0.34;
  double beta = 0.28;

  [[nodiscard]] double loss(double n, double d) const {
    return E + A / std::pow(n, alpha) + B / std::pow(d, beta);
  }
  /// N*(C), by a fine grid over ln N.
  [[nodiscard]] double best_params(double budget) const {
    double best = 0;
    double least = INFINITY;
    for (double x = std::log(params(static_cast<double>(sizes.minimum)));
         x < std::log(params(static_cast<double>(sizes.maximum)));
         x += 1e-3) {
      const double value = loss(std::exp(x), budget / flops_per_unit(std::exp(x)));
      if (value < least) {
        least = value;
        best = std::exp(x);
      }
    }
    return best;
  }
};

/// A SweepHost over a Family.
class LawHost final : public SweepHost {
 public:
  LawHost(Family family, std::vector<Flops> budgets, double batch = 8, double sample = 1)
      : family_(std::move(family)),
        budgets_(std::move(budgets)),
        batch_(batch),
        sample_(sample) {}

  [[nodiscard]] std::span<const Flops> budgets() const override { return budgets_; }
  [[nodiscard]] const SizeSpec& sizes() const override { return family_.sizes; }
  [[nodiscard]] SizeFacts describe(int64_t size) override {
    if (!family_.sizes.allows(size)) {
      throw std::logic_error("size " + std::to_string(size) + " is not allowed");
    }
    largest_described = std::max(largest_described, size);
    const double n = family_.params(static_cast<double>(size));
    return {size, Parameters(n), family_.flops_per_unit(n)};
  }
  [[nodiscard]] int64_t size_for(Parameters target) override {
    int64_t low = 0;
    int64_t high =
        (family_.sizes.maximum - family_.sizes.minimum) / family_.sizes.multiple_of;
    const auto at = [&](int64_t index) {
      return family_.sizes.minimum + index * family_.sizes.multiple_of;
    };
    const auto params = [&](int64_t index) {
      return family_.params(static_cast<double>(at(index)));
    };
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      (params(middle) < target.value() ? low : high) =
          params(middle) < target.value() ? middle + 1 : middle;
    }
    const bool lower =
        low > 0 && target.value() / params(low - 1) < params(low) / target.value();
    return at(lower ? low - 1 : low);
  }
  [[nodiscard]] Units least_units() const override { return Units(batch_ * sample_); }
  [[nodiscard]] Units unit_step() const override { return Units(sample_); }
  [[nodiscard]] Units train_units() const override { return Units(1e9); }

  [[nodiscard]] const Family& family() const { return family_; }

  int64_t largest_described = 0;

 private:
  Family family_;
  std::vector<Flops> budgets_;
  double batch_;
  double sample_;
};

/// Trains requests by the family's law.
class Trained {
 public:
  void add(const std::vector<TrialRequest>& round, LawHost& host) {
    for (const TrialRequest& request : round) {
      const SizeFacts facts = host.describe(request.size);
      size.push_back(static_cast<double>(request.size));
      params.push_back(facts.params.value());
      tokens.push_back(static_cast<double>(request.tokens));
      flops.push_back(facts.flops_per_unit * tokens.back());
      budget.push_back(request.budget ? request.budget->value() : NAN);
      const bool gone = diverges && diverges(params.back());
      loss.push_back(gone ? NAN : host.family().loss(params.back(), tokens.back()));
      status.push_back(gone ? "diverged" : request.pilot ? "pilot" : "done");
    }
  }

  [[nodiscard]] RunTable table() const {
    RunTable runs;
    if (size.empty()) {
      return runs;
    }
    runs.add_numbers("size", size);
    runs.add_numbers("params", params);
    runs.add_numbers("tokens", tokens);
    runs.add_numbers("loss", loss);
    runs.add_numbers("flops", flops);
    runs.add_numbers("budget_flops", budget);
    runs.add_texts("status", status);
    return runs;
  }

  std::function<bool(double)> diverges;
  std::vector<double> size, params, tokens, flops, budget, loss;
  std::vector<std::string> status;
};

/// Loads a sweep plugin from its file, as the host would after its checks.
inline std::shared_ptr<Sweep> load_sweep(const char* file, const Options& options) {
  void* library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw std::runtime_error(::dlerror());
  }
  using Entry = const sizewise_descriptor* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(library, "sizewise_plugin_v1"));
  const sizewise_descriptor* descriptor = entry();
  void* instance = nullptr;
  sizewise_error_record error{};
  error.struct_size = sizeof error;
  if (descriptor->create(
          nullptr, options.to_json().c_str(), nullptr, &instance, &error) != 0) {
    throw Error(static_cast<ErrorCode>(error.code), error.message, error.suggestion);
  }
  return {static_cast<Sweep*>(instance), descriptor->destroy};
}

}  // namespace sizewise::testing
