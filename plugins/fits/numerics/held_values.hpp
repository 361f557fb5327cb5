#pragma once

#include <array>
#include <map>
#include <string>

#include <Eigen/Core>

#include "law_rows.hpp"
#include "newton.hpp"

namespace sizewise::fits {

/// A point of the law L = E + A/N^alpha + B/D^beta in the coordinates of LawRows: the
/// logarithms of E, of A/N^alpha and B/D^beta at the centre, and of the scaled exponents.
/// All real numbers are allowed, so no search meets a bound.
using LawPoint = Eigen::Matrix<double, 5, 1>;

/// The logarithm that stands for a term of 0.
inline constexpr double kLogOfNothing = -690.0;

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
  [[nodiscard]] int free_count() const;

  /// The point with the held values in place. A and B are held in the table's units, so
  /// their coordinates follow alpha and beta.
  [[nodiscard]] LawPoint resolve(LawPoint point) const;
  /// Derivatives by the free coordinates; a held one gets no gradient and a diagonal that
  /// keeps it where it is. `point` is resolved.
  void restrict_model(LocalModel<5>& model, const LawPoint& point) const;

 private:
  void follow_exponent(LocalModel<5>& model, int term, double alpha) const;

  std::array<bool, 5> held_ = {};
  std::array<double, 5> value_ = {};   ///< of the coordinate; A and B: at exponent 0
  std::array<double, 2> centre_ = {};  ///< of ln N and ln D, in units of their scales
};

}  // namespace sizewise::fits
