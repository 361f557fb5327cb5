#include "held_values.hpp"

#include <algorithm>
#include <cmath>

#include "sizewise/error.hpp"

namespace sizewise::fits {
namespace {

bool is_exponent(std::size_t coordinate) {
  return coordinate >= 3;
}

std::size_t coordinate_of(const std::string& key) {
  const auto* const found = std::find(kLawKeys.begin(), kLawKeys.end(), key);
  if (found == kLawKeys.end()) {
    throw Error(ErrorCode::kConfiguration,
                "the law E + A/N^alpha + B/D^beta has no '" + key + "' that can be held",
                "hold one of E, A, B, alpha, beta");
  }
  return static_cast<std::size_t>(found - kLawKeys.begin());
}

}  // namespace

HeldValues::HeldValues(const std::map<std::string, double>& fixed, const LawRows& rows)
    : origin_{rows.params.origin / rows.params.scale,
              rows.tokens.origin / rows.tokens.scale} {
  const std::array<double, 2> scales = {rows.params.scale, rows.tokens.scale};
  for (const auto& [key, value] : fixed) {
    const std::size_t i = coordinate_of(key);
    if (!std::isfinite(value) || value < 0.0 || (is_exponent(i) && value == 0.0)) {
      throw Error(ErrorCode::kConfiguration,
                  "'" + key + "' cannot be held at " + std::to_string(value) +
                      "; allowed: finite and " +
                      (is_exponent(i) ? "above 0" : "at least 0"));
    }
    held_[i] = true;
    value_[i] = is_exponent(i) ? std::log(value * scales[i - 3])
                               : value * std::exp(-rows.loss.origin);
  }
}

bool HeldValues::any() const {
  return std::find(held_.begin(), held_.end(), true) != held_.end();
}

LawPoint HeldValues::resolve(LawPoint point) const {
  for (int i : {0, 3, 4}) {
    if (holds(i)) {
      point[i] = value_[static_cast<std::size_t>(i)];
    }
  }
  for (int term : {1, 2}) {
    if (holds(term)) {
      const auto place = static_cast<std::size_t>(term);
      point[term] =
          value_[place] * std::exp(-std::exp(point[term + 2]) * origin_[place - 1]);
    }
  }
  return point;
}

// The term's size is p = A e^(-k e^q) with q the exponent's coordinate: dp/dq = -k e^q p,
// and d2p/dq2 = (1 - k e^q) dp/dq.
void HeldValues::follow_exponent(RobustColumns<5>& columns,
                                 std::size_t term,
                                 const LawPoint& point,
                                 const std::vector<double>& expected,
                                 double delta) const {
  const auto place = static_cast<Eigen::Index>(term);
  const Eigen::Index exponent = place + 2;
  const double rate = -origin_[term - 1] * std::exp(point[exponent]);
  const double slope = rate * point[place];
  const std::vector<double>& by_size = columns.jacobian[term];
  std::vector<double>& by_exponent = columns.jacobian[term + 2];
  double pull = 0.0;
  for (std::size_t row = 0; row < by_size.size(); ++row) {
    pull += columns.weight[row] * std::clamp(expected[row], -delta, delta) * by_size[row];
    by_exponent[row] += slope * by_size[row];
  }
  auto& matrix = columns.curvature;
  const LawPoint row = matrix.col(place);
  matrix.col(exponent) += slope * row;
  matrix.row(exponent) += slope * row.transpose();
  matrix(exponent, exponent) += slope * slope * row[place] + (1.0 + rate) * slope * pull;
}

void HeldValues::restrict_columns(RobustColumns<5>& columns,
                                  const LawPoint& point,
                                  const std::vector<double>& expected,
                                  double delta) const {
  for (std::size_t term : {1U, 2U}) {
    if (held_[term] && !held_[term + 2]) {
      follow_exponent(columns, term, point, expected, delta);
    }
  }
  for (int i = 0; i < 5; ++i) {
    if (holds(i)) {
      auto& column = columns.jacobian[static_cast<std::size_t>(i)];
      std::fill(column.begin(), column.end(), 0.0);
      columns.curvature.row(i).setZero();
      columns.curvature.col(i).setZero();
    }
  }
}

}  // namespace sizewise::fits
