#include "chinchilla_objective.hpp"

#include <algorithm>
#include <cmath>

namespace sizewise::fits {
namespace {

// The law's terms and derivatives at one row.
struct Terms {
  double e;    // E
  double u;    // A / N^alpha
  double v;    // B / D^beta
  double du;   // u by ln alpha
  double dv;   // v by ln beta
  double ddu;  // twice
  double ddv;
};

// Sums over rows, written out: a fit spends all its time here, and fixed-size loops over
// a 5x5 outer product run half as fast.
struct Sums {
  double value = 0.0;
  double gradient[5] = {};
  double hessian[15] = {};  // rows of the lower triangle
  double majorizer[15] = {};

  static void add_outer(double* triangle, double factor, const double* j) {
    double* cell = triangle;
    for (int row = 0; row < 5; ++row) {
      const double scaled = factor * j[row];
      for (int column = 0; column <= row; ++column) {
        *cell++ += scaled * j[column];
      }
    }
  }

  void add_law_curvature(double factor, const Terms& t) {
    hessian[0] += factor * t.e;     // (0, 0)
    hessian[2] += factor * t.u;     // (1, 1)
    hessian[5] += factor * t.v;     // (2, 2)
    hessian[7] += factor * t.du;    // (3, 1)
    hessian[9] += factor * t.ddu;   // (3, 3)
    hessian[12] += factor * t.dv;   // (4, 2)
    hessian[14] += factor * t.ddv;  // (4, 4)
  }

  [[nodiscard]] LocalModel<5> model() const {
    LocalModel<5> result;
    result.value = value;
    int cell = 0;
    for (int row = 0; row < 5; ++row) {
      result.gradient[row] = gradient[row];
      for (int column = 0; column <= row; ++column, ++cell) {
        result.hessian(row, column) = result.hessian(column, row) = hessian[cell];
        result.majorizer(row, column) = result.majorizer(column, row) = majorizer[cell];
      }
    }
    return result;
  }
};

template <ResidualKind Kind>
double residual(double predicted, double z) {
  return Kind == ResidualKind::kLog ? std::log(predicted) - z : predicted - std::exp(z);
}

template <ResidualKind Kind>
double sum_values(const LawRows& rows, const RobustLoss& loss, const LawPoint& point) {
  const double e = std::exp(point[0]);
  const double alpha = std::exp(point[3]);
  const double beta = std::exp(point[4]);
  double sum = 0.0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double predicted = e + std::exp(point[1] - alpha * rows.x[i]) +
                             std::exp(point[2] - beta * rows.y[i]);
    sum += rows.weight[i] * loss.value(residual<Kind>(predicted, rows.z[i]));
  }
  return sum;
}

template <ResidualKind Kind>
LocalModel<5> sum_models(const LawRows& rows,
                         const RobustLoss& loss,
                         const LawPoint& point) {
  const double alpha = std::exp(point[3]);
  const double beta = std::exp(point[4]);
  Terms t{};
  t.e = std::exp(point[0]);
  Sums sums;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double ax = alpha * rows.x[i];
    const double by = beta * rows.y[i];
    t.u = std::exp(point[1] - ax);
    t.v = std::exp(point[2] - by);
    t.du = -ax * t.u;
    t.dv = -by * t.v;
    t.ddu = (ax - 1.0) * ax * t.u;
    t.ddv = (by - 1.0) * by * t.v;
    const double predicted = t.e + t.u + t.v;
    const double r = residual<Kind>(predicted, rows.z[i]);
    const double weight = rows.weight[i];
    const double slope = weight * loss.slope(r);
    const double per = Kind == ResidualKind::kLog ? 1.0 / predicted : 1.0;
    const double j[5] = {t.e * per, t.u * per, t.v * per, t.du * per, t.dv * per};
    sums.value += weight * loss.value(r);
    for (int k = 0; k < 5; ++k) {
      sums.gradient[k] += slope * j[k];
    }
    const double bend = Kind == ResidualKind::kLog ? slope : 0.0;
    Sums::add_outer(sums.hessian, weight * loss.curvature(r) - bend, j);
    Sums::add_outer(sums.majorizer, weight * loss.weight(r), j);
    sums.add_law_curvature(slope * per, t);
  }
  return sums.model();
}

double scaled_delta(const LawRows& rows, ResidualKind kind, double delta) {
  return kind == ResidualKind::kLog ? delta : delta / std::exp(rows.loss.centre);
}

}  // namespace

ChinchillaObjective::ChinchillaObjective(const LawRows& rows,
                                         ResidualKind kind,
                                         double delta,
                                         const HeldValues& held)
    : rows_(&rows), kind_(kind), loss_(scaled_delta(rows, kind, delta)), held_(held) {}

ChinchillaObjective ChinchillaObjective::with_scaled_delta(double delta) const {
  ChinchillaObjective other = *this;
  other.loss_ = RobustLoss(delta);
  return other;
}

ChinchillaObjective ChinchillaObjective::on(const LawRows& rows) const {
  ChinchillaObjective other = *this;
  other.rows_ = &rows;
  return other;
}

double ChinchillaObjective::value(const LawPoint& point) const {
  const LawPoint there = held_.resolve(point);
  return kind_ == ResidualKind::kLog
             ? sum_values<ResidualKind::kLog>(*rows_, loss_, there)
             : sum_values<ResidualKind::kLinear>(*rows_, loss_, there);
}

LocalModel<5> ChinchillaObjective::operator()(const LawPoint& point) const {
  const LawPoint there = held_.resolve(point);
  LocalModel<5> model = kind_ == ResidualKind::kLog
                            ? sum_models<ResidualKind::kLog>(*rows_, loss_, there)
                            : sum_models<ResidualKind::kLinear>(*rows_, loss_, there);
  if (held_.any()) {
    held_.restrict_model(model, there);
  }
  return model;
}

std::vector<double> ChinchillaObjective::residuals(const LawPoint& point) const {
  const LawPoint there = held_.resolve(point);
  const double alpha = std::exp(there[3]);
  const double beta = std::exp(there[4]);
  std::vector<double> found(rows_->size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double predicted = std::exp(there[0]) +
                             std::exp(there[1] - alpha * rows_->x[i]) +
                             std::exp(there[2] - beta * rows_->y[i]);
    found[i] = kind_ == ResidualKind::kLog
                   ? residual<ResidualKind::kLog>(predicted, rows_->z[i])
                   : residual<ResidualKind::kLinear>(predicted, rows_->z[i]);
  }
  return found;
}

double ChinchillaObjective::in_table_units(double value) const {
  const double scale = std::exp(rows_->loss.centre);
  return kind_ == ResidualKind::kLog ? value : value * scale * scale;
}

Law law_of_point(const LawPoint& point, const LawRows& rows) {
  const double alpha = std::exp(point[3]) / rows.params.scale;
  const double beta = std::exp(point[4]) / rows.tokens.scale;
  Law law;
  law.form = "chinchilla";
  law.values["E"] = std::exp(point[0] + rows.loss.centre);
  law.values["A"] = std::exp(point[1] + rows.loss.centre + alpha * rows.params.centre);
  law.values["B"] = std::exp(point[2] + rows.loss.centre + beta * rows.tokens.centre);
  law.values["alpha"] = alpha;
  law.values["beta"] = beta;
  return law;
}

LawPoint point_of_law(const Law& law, const LawRows& rows) {
  constexpr double kLeast = 1e-300;  // a law may hold E = 0; its logarithm must be finite
  const double alpha = law.value("alpha");
  const double beta = law.value("beta");
  LawPoint point;
  point << std::log(std::max(law.value("E"), kLeast)) - rows.loss.centre,
      std::log(law.value("A")) - rows.loss.centre - alpha * rows.params.centre,
      std::log(law.value("B")) - rows.loss.centre - beta * rows.tokens.centre,
      std::log(alpha * rows.params.scale), std::log(beta * rows.tokens.scale);
  return point;
}

}  // namespace sizewise::fits
