#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sizewise {

/// A table of training runs: named columns of equal length, one row a run or checkpoint.
///
/// The columns that Sizewise knows: params (N), tokens (D), loss (nats per unit), flops
/// (counted), budget_flops, run_id, trial, size, seed, status, seconds, epochs,
/// flops_6nd. A table may have any others. A missing number is NaN, a missing text is
/// empty. [any thread, while nobody changes it]
class RunTable {
 public:
  RunTable();
  RunTable(const RunTable&);
  RunTable(RunTable&&) noexcept;
  RunTable& operator=(const RunTable&);
  RunTable& operator=(RunTable&&) noexcept;
  ~RunTable();

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] bool empty() const { return rows_ == 0; }

  /// @throws Error kInput where the name is taken or the length differs from the other
  /// columns'
  void add_numbers(std::string name, std::vector<double> values);
  void add_texts(std::string name, std::vector<std::string> values);

  [[nodiscard]] bool has_numbers(std::string_view name) const;
  [[nodiscard]] bool has_texts(std::string_view name) const;
  /// @throws Error kInput where there is no such column, naming the columns that there
  /// are
  [[nodiscard]] std::span<const double> numbers(std::string_view name) const;
  [[nodiscard]] std::span<const std::string> texts(std::string_view name) const;
  /// Names of all columns, in the order in which they were added.
  [[nodiscard]] const std::vector<std::string>& columns() const { return order_; }

  [[nodiscard]] std::span<const double> params() const { return numbers("params"); }
  [[nodiscard]] std::span<const double> tokens() const { return numbers("tokens"); }
  [[nodiscard]] std::span<const double> loss() const { return numbers("loss"); }

  /// The rows named, in that order (a row may stand more than once).
  /// @throws Error kInput where an index is not a row
  [[nodiscard]] RunTable select(std::span<const std::size_t> rows) const;

 private:
  void check_new_column(std::string_view name, std::size_t length) const;

  std::size_t rows_ = 0;
  std::vector<std::string> order_;
  std::map<std::string, std::vector<double>, std::less<>> numbers_;
  std::map<std::string, std::vector<std::string>, std::less<>> texts_;
};

}  // namespace sizewise
