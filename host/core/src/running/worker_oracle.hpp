#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "planning/plan.hpp"
#include "planning/setting.hpp"
#include "planning/size_oracle.hpp"
#include "running/worker_pool.hpp"

namespace sizewise::running {

/// What the owner of an oracle hears; each must be set.
struct OracleListener {
  std::function<void(const std::string&)> warning;
  /// What a worker has been busy with for longer than `patience`, in words.
  std::function<void(const std::string&)> note;
  std::chrono::milliseconds patience{1000};
};

/// Answers a planner's questions with a worker of a pool, and doubts what it is told. A
/// worker that dies over a question is started once more. Every question ends with
/// Stopped where the pool is told to stop.
class WorkerOracle final : public planning::SizeOracle {
 public:
  /// `pool` is borrowed.
  WorkerOracle(WorkerPool& pool,
               const planning::Setting& setting,
               OracleListener listener);

  [[nodiscard]] planning::DatasetFacts dataset() override;
  [[nodiscard]] std::vector<SizeFacts> describe(std::span<const int64_t> sizes,
                                                bool check) override;
  [[nodiscard]] Parameters params_of(int64_t size) override;
  [[nodiscard]] std::vector<int64_t> invert(std::span<const double> params,
                                            Parameters largest) override;

  /// Who trains.
  /// @throws Error kPlugin where no worker starts
  [[nodiscard]] planning::Trainer trainer();

  /// Has a worker make the quantizer, which only then can refuse a combination of
  /// options.
  /// @throws Error kConfiguration where it does
  void check_quantizer(const planning::ResolvedPlugin& quantizer);

 private:
  nlohmann::json ask(std::string_view method,
                     const nlohmann::json& fields,
                     const std::string& purpose,
                     const std::string& activity);

  WorkerPool& pool_;
  nlohmann::json setting_;
  SizeSpec sizes_;
  std::string model_;
  std::string dataset_;
  OracleListener listener_;
};

}  // namespace sizewise::running
