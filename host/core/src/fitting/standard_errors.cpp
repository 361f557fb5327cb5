#include "fitting/standard_errors.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <string>
#include <utility>

#include "fitting/resampling.hpp"
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

/// The lower triangle L of a symmetric matrix L L^T. Source: Golub and Van Loan 2013,
/// algorithm 4.2.1. What rounding made negative on the diagonal counts as 0.
std::vector<double> cholesky(std::vector<double> matrix, std::size_t count) {
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t column = 0; column <= row; ++column) {
      double sum = matrix[row * count + column];
      for (std::size_t k = 0; k < column; ++k) {
        sum -= matrix[row * count + k] * matrix[column * count + k];
      }
      const double pivot = matrix[column * count + column];
      matrix[row * count + column] = row == column ? std::sqrt(std::max(sum, 0.0))
                                     : pivot > 0.0 ? sum / pivot
                                                   : 0.0;
    }
  }
  return matrix;
}

/// Laws drawn around the one found, their parameters normal in logarithms with the fit's
/// covariance.
std::vector<Law> laws_around(const FitResult& result) {
  constexpr int kLaws = 400;
  const std::size_t count = result.parameters.size();
  std::vector<double> covariance = result.covariance;
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t column = 0; column < count; ++column) {
      covariance[row * count + column] /= result.law.value(result.parameters[row]) *
                                          result.law.value(result.parameters[column]);
    }
  }
  const std::vector<double> lower = cholesky(std::move(covariance), count);
  std::vector<Law> laws;
  for (int i = 0; i < kLaws; ++i) {
    std::mt19937_64 random = random_of(0, static_cast<uint64_t>(i));
    std::vector<double> normals(count);
    std::generate(normals.begin(), normals.end(), [&] {
      return draw_normal(random);
    });
    Law law = result.law;
    for (std::size_t row = 0; row < count; ++row) {
      double moved = 0.0;
      for (std::size_t k = 0; k <= row; ++k) {
        moved += lower[row * count + k] * normals[k];
      }
      law.values[result.parameters[row]] *= std::exp(moved);
    }
    laws.push_back(std::move(law));
  }
  return laws;
}

/// The interval of a positive function of the law: by the delta method on its logarithm,
/// or, where a limit may bend the function at the law found, from laws drawn around it.
class LogInterval {
 public:
  LogInterval(const FitResult& result, bool may_bend, double level)
      : result_(result),
        level_(level),
        laws_(may_bend ? laws_around(result) : std::vector<Law>()) {}

  [[nodiscard]] std::optional<Interval> operator()(double value,
                                                   const Quantity& quantity) const {
    if (laws_.empty()) {
      const double error = delta_error(result_, [&](const Law& law) {
        return std::log(quantity(law));
      });
      return log_interval(value, error, normal_half_width(level_));
    }
    std::vector<double> draws;
    std::transform(laws_.begin(), laws_.end(), std::back_inserter(draws), quantity);
    const Interval interval = bias_corrected_interval(std::move(draws), value, level_);
    return std::isnan(interval.low) ? std::nullopt : std::optional(interval);
  }

 private:
  const FitResult& result_;
  double level_;
  std::vector<Law> laws_;
};

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

void give_hessian_intervals(const FitResult& result,
                            const CostModel& cost_model,
                            const Asked& asked,
                            double level,
                            std::vector<Optimum>& optima) {
  if (!has_covariance(result)) {
    return;
  }
  const LogInterval interval_of(result, asked.limits.unique_tokens.has_value(), level);
  for (Optimum& optimum : optima) {
    const auto give = [&](const char* /*name*/,
                          auto member,
                          std::optional<Interval>& interval) {
      interval = interval_of((optimum.*member).value(), [&](const Law& law) {
        return (answer(optimum.question, law, cost_model, asked.limits).*member).value();
      });
      optimum.interval_source = interval ? "hessian" : optimum.interval_source;
    };
    for_each_interval(optimum, give);
    if (optimum.serving) {
      optimum.serving_params_interval =
          interval_of(optimum.serving->training.params.value(), [&](const Law& law) {
            return serving_of(optimum.question, law, cost_model, asked)
                .training.params.value();
          });
    }
  }
}

}  // namespace sizewise::fitting
