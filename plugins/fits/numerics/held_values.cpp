#include "held_values.hpp"

#include <algorithm>
#include <cmath>

#include "sizewise/error.hpp"

namespace sizewise::fits {
namespace {

constexpr std::array<const char*, 5> kKeys = {"E", "A", "B", "alpha", "beta"};

bool is_exponent(std::size_t coordinate) {
  return coordinate >= 3;
}

std::size_t coordinate_of(const std::string& key) {
  const auto found = std::find(kKeys.begin(), kKeys.end(), key);
  if (found == kKeys.end()) {
    throw Error(ErrorCode::kConfiguration,
                "the law E + A/N^alpha + B/D^beta has no '" + key + "' that can be held",
                "hold one of E, A, B, alpha, beta");
  }
  return static_cast<std::size_t>(found - kKeys.begin());
}

double log_of(double value, double centre) {
  return value > 0.0 ? std::max(std::log(value) - centre, kLogOfNothing) : kLogOfNothing;
}

}  // namespace

HeldValues::HeldValues(const std::map<std::string, double>& fixed, const LawRows& rows)
    : centre_{rows.params.centre / rows.params.scale,
              rows.tokens.centre / rows.tokens.scale} {
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
                               : log_of(value, rows.loss.centre);
  }
}

bool HeldValues::any() const {
  return std::find(held_.begin(), held_.end(), true) != held_.end();
}

int HeldValues::free_count() const {
  return static_cast<int>(std::count(held_.begin(), held_.end(), false));
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
      point[term] = value_[place] - std::exp(point[term + 2]) * centre_[place - 1];
    }
  }
  return point;
}

// With the term's coordinate p(q) = constant - centre e^q following its exponent's
// coordinate q: dp/dq = -centre e^q and the same again for the second derivative.
void HeldValues::follow_exponent(LocalModel<5>& model, int term, double alpha) const {
  const double slope = -centre_[static_cast<std::size_t>(term - 1)] * alpha;
  const int exponent = term + 2;
  for (auto* matrix : {&model.hessian, &model.majorizer}) {
    const LawPoint row = matrix->col(term);
    matrix->col(exponent) += slope * row;
    matrix->row(exponent) += slope * row.transpose();
    (*matrix)(exponent, exponent) += slope * slope * row[term];
  }
  model.hessian(exponent, exponent) += slope * model.gradient[term];
  model.gradient[exponent] += slope * model.gradient[term];
}

void HeldValues::restrict_model(LocalModel<5>& model, const LawPoint& point) const {
  for (int term : {1, 2}) {
    if (holds(term) && !holds(term + 2)) {
      follow_exponent(model, term, std::exp(point[term + 2]));
    }
  }
  for (int i = 0; i < 5; ++i) {
    if (holds(i)) {
      model.gradient[i] = 0.0;
      for (auto* matrix : {&model.hessian, &model.majorizer}) {
        const double diagonal = std::max((*matrix)(i, i), 1e-300);
        matrix->row(i).setZero();
        matrix->col(i).setZero();
        (*matrix)(i, i) = matrix == &model.hessian ? 1.0 : diagonal;
      }
    }
  }
}

}  // namespace sizewise::fits
