#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "sizewise/fit.hpp"

#include "chinchilla_objective.hpp"
#include "law_rows.hpp"
#include "robust_settings.hpp"

namespace sizewise::fits {

/// L = E + A/N'^alpha + B/D'^beta of the effective N' and D' where data are repeated:
/// D' = U + U R_D (1 - e^(-(D/U - 1)/R_D)) for U unique units, and the same of N with
/// R_N, its "unique" parameters being those that U units call for by the law itself,
/// (alpha A / (beta B) U^beta)^(1/alpha), and at most N.
/// Source: Muennighoff et al. 2023 (arXiv 2305.16264), equations 4 to 6.
///
/// Coordinates: a LawPoint (terms in units of the smallest N and D), ln R_D and ln R_N.
class RepeatedDataLaw {
 public:
  using Point = Eigen::Matrix<double, 7, 1>;
  static constexpr std::array<const char*, 7> kKeys = {
      "E", "A", "B", "alpha", "beta", "R_D", "R_N"};

  /// @param log_unique ln U of each row
  /// @throws Error kConfiguration where `fixed` names another value or one not allowed
  RepeatedDataLaw(const LawRows& rows,
                  std::vector<double> log_unique,
                  const std::map<std::string, double>& fixed);

  /// The same law on other rows of the same axes.
  [[nodiscard]] RepeatedDataLaw on(const LawRows& rows,
                                   std::vector<double> log_unique) const;

  [[nodiscard]] const std::vector<double>& weights() const { return rows_->weight; }
  [[nodiscard]] const Box<7>& box() const { return box_; }
  [[nodiscard]] bool is_linear(int coordinate) const { return coordinate < 3; }

  template <class T>
  T residual(const T* p, std::size_t row) const;

  /// The rows with ln N' and ln D' of a point in place of ln N and ln D, on their axes.
  [[nodiscard]] LawRows effective_rows(const Point& point) const;

  [[nodiscard]] Law law(const Point& point) const;
  [[nodiscard]] Point point_of(const Law& law) const;
  [[nodiscard]] Eigen::Matrix<double, 7, 7> table_units(const Point& point) const;
  [[nodiscard]] std::vector<int> free_coordinates(const Point& point) const;
  [[nodiscard]] std::vector<double> deviations(double noise) const;

 private:
  /// What a row's loss follows from.
  template <class T>
  struct Terms {
    T alpha;
    T beta;
    T log_a;
    T log_b;
    T log_params;  ///< effective
    T log_tokens;
  };
  template <class T>
  Terms<T> terms(const T* p, std::size_t row) const;

  const LawRows* rows_;
  std::vector<double> log_unique_;
  /// A and B where they are held, by their logarithms in the loss's unit.
  std::array<bool, 2> is_held_ = {};
  std::array<double, 2> log_held_ = {};
  Box<7> box_;
};

/// Fits it, with residuals of ln L. Unique units come from the column `unique_tokens`, or
/// from `epochs` as tokens / epochs.
/// @throws Error kInput where both columns are missing, or as law_rows() does
[[nodiscard]] FitResult fit_repeated_data_law(const FitInput& input,
                                              const RobustSettings& settings);

}  // namespace sizewise::fits
