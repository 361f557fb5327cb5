#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "law_rows.hpp"
#include "robust_columns.hpp"

namespace sizewise::fits {

/// A point of the law L = E + A/N^alpha + B/D^beta in the coordinates of LawRows: E; the
/// other two terms at the smallest N and D; and for each exponent ln b, where e^b is the
/// ratio of the term's ends. The law is linear in the first three, and only they have a
/// bound where minima lie: 0.
using LawPoint = Eigen::Matrix<double, 5, 1>;

/// What the law's values are called, in the order of its coordinates.
inline constexpr std::array<const char*, 5> kLawKeys = {"E", "A", "B", "alpha", "beta"};

/// Values of the law that stay where they are while the others are fitted: what a profile
/// likelihood asks. By default none.
class HeldValues {
 public:
  HeldValues() = default;
  /// @param fixed by key: E, A and B at least 0, alpha and beta above 0
  /// @throws Error kConfiguration for another key or value
  HeldValues(const std::map<std::string, double>& fixed, const LawRows& rows);

  [[nodiscard]] bool holds(int coordinate) const {
    return held_[static_cast<std::size_t>(coordinate)];
  }
  [[nodiscard]] bool any() const;

  /// The point with the held values in place. A and B are held in the table's units, so
  /// their coordinates follow alpha and beta.
  [[nodiscard]] LawPoint resolve(LawPoint point) const;
  /// Turns derivatives at a resolved point into those by the free coordinates; a held one
  /// gets none.
  /// @param expected residuals whose slopes count in the curvature
  void restrict_columns(RobustColumns<5>& columns,
                        const LawPoint& point,
                        const std::vector<double>& expected,
                        double delta) const;

 private:
  void follow_exponent(RobustColumns<5>& columns,
                       std::size_t term,
                       const LawPoint& point,
                       const std::vector<double>& expected,
                       double delta) const;

  std::array<bool, 5> held_ = {};
  std::array<double, 5> value_ = {};   ///< of the coordinate; A and B: at exponent 0
  std::array<double, 2> origin_ = {};  ///< of ln N and ln D, in units of their scales
};

}  // namespace sizewise::fits
