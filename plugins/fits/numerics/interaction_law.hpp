#pragma once

#include <vector>

#include "chinchilla_objective.hpp"
#include "jet_problem.hpp"

namespace sizewise::fits {

/// A point of L = E + A/N^alpha + B/D^beta + G/(N^alpha D^beta): a LawPoint, then the
/// size of the last term at the smallest N and D, of any sign.
using InteractionPoint = Eigen::Matrix<double, 6, 1>;

/// The law with an interaction, as JetProblem takes it.
class InteractionLaw {
 public:
  explicit InteractionLaw(const ChinchillaObjective& objective)
      : objective_(&objective) {}

  [[nodiscard]] const std::vector<double>& weights() const {
    return objective_->weights();
  }
  [[nodiscard]] Box<6> box() const {
    const Box<5> narrow = objective_->box();
    Box<6> box;
    box.lower.head<5>() = narrow.lower;
    box.upper.head<5>() = narrow.upper;
    return box;
  }
  [[nodiscard]] bool is_linear(int i) const { return i < 3 || i == 5; }

  /// The loss that a point predicts where ln N and ln D stand at x and y on their axes.
  template <class T>
  static T predicted(const T* p, double x, double y) {
    using std::exp;
    const T u = exp(-exp(p[3]) * constant<T>(x));
    const T v = exp(-exp(p[4]) * constant<T>(y));
    return p[0] + p[1] * u + p[2] * v + p[5] * u * v;
  }

  template <class T>
  T residual(const T* p, std::size_t row) const {
    using std::log;
    const LawRows& rows = objective_->rows();
    const T loss = predicted(p, rows.x[row], rows.y[row]);
    return objective_->kind() == ResidualKind::kLog
               ? log(loss) - constant<T>(rows.z[row])
               : loss - constant<T>(std::exp(rows.z[row]));
  }

 private:
  const ChinchillaObjective* objective_;
};

}  // namespace sizewise::fits
