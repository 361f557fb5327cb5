#include "running/run_records.hpp"

#include <utility>

namespace sizewise::running {
namespace {

using planning::Trial;

/// The rows of a table, column by column.
class Records {
 public:
  Records(const std::vector<Trial>& trials, const Results& results) {
    for (const Trial& trial : trials) {
      if (const auto found = results.find(trial.id); found != results.end()) {
        rows_.emplace_back(&trial, &found->second);
      }
    }
  }

  template <class Value>
  void numbers(const char* name, Value&& value) {
    std::vector<double> column;
    for (const auto& [trial, result] : rows_) {
      column.push_back(value(*trial, *result));
    }
    table_.add_numbers(name, std::move(column));
  }

  template <class Value>
  void texts(const char* name, Value&& value) {
    std::vector<std::string> column;
    for (const auto& [trial, result] : rows_) {
      column.push_back(value(*trial, *result));
    }
    table_.add_texts(name, std::move(column));
  }

  void result_number(const char* name, double TrialResult::* field) {
    numbers(name, [field](const Trial&, const TrialResult& result) {
      return result.*field;
    });
  }

  [[nodiscard]] RunTable take() { return std::move(table_); }

 private:
  std::vector<std::pair<const Trial*, const TrialResult*>> rows_;
  RunTable table_;
};

}  // namespace

std::string row_status(const Trial& trial, const TrialResult& result) {
  return trial.pilot && result.status == "done" ? "pilot" : result.status;
}

RunTable run_records(const std::vector<Trial>& trials,
                     const Results& results,
                     uint64_t seed) {
  const auto id = [](const Trial& trial, const TrialResult&) {
    return trial.id;
  };
  Records records(trials, results);
  records.texts("trial", id);
  records.texts("run_id", id);
  records.texts("status", row_status);
  records.numbers("size", [](const Trial& trial, const TrialResult&) {
    return static_cast<double>(trial.size);
  });
  records.result_number("params", &TrialResult::params);
  records.numbers("tokens", [](const Trial&, const TrialResult& result) {
    return static_cast<double>(result.tokens);
  });
  records.result_number("loss", &TrialResult::loss);
  records.numbers("budget_flops", [](const Trial& trial, const TrialResult&) {
    return trial.budget ? trial.budget->value() : TrialResult::kUnknown;
  });
  records.result_number("flops", &TrialResult::flops);
  records.result_number("flops_6nd", &TrialResult::flops_6nd);
  records.numbers("seed", [seed](const Trial&, const TrialResult&) {
    return static_cast<double>(seed);
  });
  records.result_number("epochs", &TrialResult::epochs);
  records.result_number("train_loss", &TrialResult::train_loss);
  records.result_number("accuracy", &TrialResult::accuracy);
  records.result_number("seconds", &TrialResult::seconds);
  return records.take();
}

}  // namespace sizewise::running
