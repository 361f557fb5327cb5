#include "fitting/standard_errors.hpp"

#include <cmath>
#include <functional>
#include <string>

#include "fitting/statistics.hpp"

namespace sizewise::fitting {
namespace {

/// A function of the law.
using Quantity = std::function<double(const Law&)>;

double deviation_of(const FitResult& result, std::size_t parameter) {
  return std::sqrt(result.covariance[parameter * result.parameters.size() + parameter]);
}

/// d quantity / d parameter, by central differences of a thousandth of a standard error.
double slope_of(const FitResult& result,
                std::size_t parameter,
                const Quantity& quantity) {
  constexpr double kStep = 1e-3;
  const std::string& key = result.parameters[parameter];
  const double value = result.law.value(key);
  const double step =
      std::min(kStep * deviation_of(result, parameter), kStep * std::fabs(value));
  Law moved = result.law;
  moved.values[key] = value + step;
  const double above = quantity(moved);
  moved.values[key] = value - step;
  return (above - quantity(moved)) / (2.0 * step);
}

/// The standard error of a quantity; NaN where it has none.
double delta_error(const FitResult& result, const Quantity& quantity) {
  const std::size_t count = result.parameters.size();
  std::vector<double> slopes;
  for (std::size_t i = 0; i < count; ++i) {
    slopes.push_back(slope_of(result, i, quantity));
  }
  double variance = 0.0;
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t column = 0; column < count; ++column) {
      variance += slopes[row] * slopes[column] * result.covariance[row * count + column];
    }
  }
  return std::sqrt(variance);
}

bool has_covariance(const FitResult& result) {
  return !result.parameters.empty() &&
         result.covariance.size() == result.parameters.size() * result.parameters.size();
}

/// The exponents of a form; what they are of other laws only their fit knows.
std::map<std::string, Quantity> exponents_of(const Law& law) {
  const bool is_kaplan = law.form == "kaplan";
  if (law.form != "chinchilla" && law.form != "data_constrained" && !is_kaplan) {
    return {};
  }
  const auto share = [](const char* of, const char* other) {
    return [of, other](const Law& moved) {
      return moved.value(of) / (moved.value(of) + moved.value(other));
    };
  };
  return is_kaplan ? std::map<std::string, Quantity>{{"a", share("aD", "aN")},
                                                     {"b", share("aN", "aD")}}
                   : std::map<std::string, Quantity>{{"a", share("beta", "alpha")},
                                                     {"b", share("alpha", "beta")}};
}

std::optional<Interval> log_interval(double value, double log_error, double width) {
  if (!std::isfinite(log_error) || !(value > 0.0)) {
    return std::nullopt;
  }
  const double factor = std::exp(width * log_error);
  return Interval{value / factor, value * factor};
}

}  // namespace

std::optional<HessianReport> standard_errors(const FitResult& result, double level) {
  if (!has_covariance(result)) {
    return std::nullopt;
  }
  const double width = normal_half_width(level);
  HessianReport report;
  report.level = level;
  for (std::size_t i = 0; i < result.parameters.size(); ++i) {
    const std::string& name = result.parameters[i];
    const double value = result.law.value(name);
    const double error = deviation_of(result, i);
    report.standard_error[name] = error;
    if (const auto interval = log_interval(value, error / value, width)) {
      report.interval[name] = *interval;
    }
  }
  for (const auto& [name, quantity] : exponents_of(result.law)) {
    const double error = delta_error(result, quantity);
    if (std::isfinite(error)) {
      const double value = quantity(result.law);
      report.standard_error[name] = error;
      report.interval[name] = {value - width * error, value + width * error};
    }
  }
  return report;
}

void give_delta_intervals(const FitResult& result,
                          const CostModel& cost_model,
                          const Limits& limits,
                          double level,
                          std::vector<Optimum>& optima) {
  if (!has_covariance(result)) {
    return;
  }
  const double width = normal_half_width(level);
  for (Optimum& optimum : optima) {
    const auto give = [&](auto member, std::optional<Interval>& interval) {
      const double error = delta_error(result, [&](const Law& law) {
        const Training best = answer(optimum.question, law, cost_model, limits);
        return std::log((best.*member).value());
      });
      interval = log_interval((optimum.*member).value(), error, width);
      optimum.interval_source = interval ? "hessian" : optimum.interval_source;
    };
    const Question::Kind asked = optimum.question.kind;
    if (asked != Question::Kind::kBudget) {
      give(&Training::budget, optimum.budget_interval);
    }
    if (asked != Question::Kind::kParams) {
      give(&Training::params, optimum.params_interval);
    }
    if (asked != Question::Kind::kTokens) {
      give(&Training::tokens, optimum.tokens_interval);
    }
    if (asked != Question::Kind::kTargetLoss) {
      give(&Training::loss, optimum.loss_interval);
    }
  }
}

}  // namespace sizewise::fitting
