#pragma once

#include <functional>
#include <string>
#include <vector>

#include "planning/setting.hpp"
#include "planning/size_oracle.hpp"
#include "running/worker_pool.hpp"

namespace sizewise::running {

/// Answers a planner's questions with a worker.
class WorkerOracle final : public planning::SizeOracle {
 public:
  /// `pool` is borrowed.
  WorkerOracle(WorkerPool& pool,
               const planning::Setting& setting,
               std::function<void(const std::string&)> warning);

  [[nodiscard]] planning::DatasetFacts dataset() override;
  [[nodiscard]] std::vector<SizeFacts> describe(std::span<const int64_t> sizes,
                                                bool check) override;
  [[nodiscard]] std::vector<int64_t> invert(std::span<const double> params) override;

  /// The worker's version, and what it runs on.
  [[nodiscard]] std::string trainer();

 private:
  nlohmann::json ask(std::string_view method,
                     const nlohmann::json& fields,
                     const std::string& purpose);

  WorkerPool& pool_;
  nlohmann::json setting_;
  nlohmann::json size_spec_;
  std::string model_;
  std::function<void(const std::string&)> warning_;
};

}  // namespace sizewise::running
