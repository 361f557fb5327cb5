#pragma once

#include <exception>
#include <map>
#include <vector>

#include "sizewise/experiment.hpp"
#include "sizewise/sweep.hpp"

#include "planning/size_oracle.hpp"

namespace sizewise::planning {

/// What a sweep plugin may ask, answered by an oracle and kept.
class SweepView final : public SweepHost {
 public:
  /// `oracle` is borrowed.
  /// @param largest the most parameters of a model that size_for() looks for
  SweepView(SizeOracle& oracle,
            std::vector<Flops> budgets,
            SizeSpec sizes,
            const DatasetInfo& data,
            int64_t batch_size,
            Parameters largest);

  [[nodiscard]] std::span<const Flops> budgets() const override { return budgets_; }
  [[nodiscard]] const SizeSpec& sizes() const override { return sizes_; }
  [[nodiscard]] SizeFacts describe(int64_t size) override;
  [[nodiscard]] int64_t size_for(Parameters params) override;
  [[nodiscard]] Units least_units() const override { return least_units_; }
  [[nodiscard]] Units unit_step() const override { return unit_step_; }
  [[nodiscard]] Units train_units() const override { return train_units_; }

  /// Rethrows what the oracle threw, if it threw: it passed through the plugin that
  /// asked, and is no fault of that.
  void rethrow_fault() const;

  /// Keeps what is known from before.
  void remember(const SizeFacts& facts) { described_[facts.size] = facts; }
  /// The sizes that were described, ascending.
  [[nodiscard]] const std::map<int64_t, SizeFacts>& described() const {
    return described_;
  }

 private:
  SizeOracle& oracle_;
  std::vector<Flops> budgets_;
  SizeSpec sizes_;
  Units least_units_;
  Units unit_step_;
  Units train_units_;
  Parameters largest_;
  std::exception_ptr fault_;
  std::map<int64_t, SizeFacts> described_;
  std::map<double, int64_t> inverted_;
};

}  // namespace sizewise::planning
