#include "fitting/profile.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/error.hpp"

#include "fitting/interval.hpp"
#include "fitting/line_search.hpp"
#include "fitting/statistics.hpp"

namespace sizewise::fitting {
namespace {

// How far from the estimate, in logarithm, a bound is looked for.
const double kFarthest = std::log(1e6);
constexpr int kBits = 24;  // of an end

/// How much worse the fit is with the value held, in units of a chi-squared variable.
class Profile {
 public:
  Profile(const FitJob& job, const FitResult& best, std::string name, double centre)
      : job_(job), best_(best), name_(std::move(name)), centre_(centre) {}

  /// @param log_ratio ln(value / centre)
  double operator()(double log_ratio) {
    const double value = centre_ * std::exp(log_ratio);
    FitInput input{job_.used, {}, &start_for(log_ratio)};
    input.fixed[name_] = value;
    input.noise = job_.request.noise;
    FitResult held = job_.run(input);
    ++refits_;
    const double worse = 2.0 * (held.objective - best_.objective) / best_.dispersion;
    if (std::isfinite(worse)) {
      tried_.emplace_back(log_ratio, std::move(held));
    }
    // Where no law comes of a held value the data exclude it.
    return std::isnan(worse) ? kUnbounded : worse;
  }

  [[nodiscard]] int refits() const { return refits_; }

 private:
  /// The nearest fit so far: the path of minima is followed.
  [[nodiscard]] const FitResult& start_for(double log_ratio) const {
    const FitResult* nearest = &best_;
    double least = std::fabs(log_ratio);
    for (const auto& [tried, result] : tried_) {
      if (std::fabs(tried - log_ratio) < least) {
        least = std::fabs(tried - log_ratio);
        nearest = &result;
      }
    }
    return *nearest;
  }

  const FitJob& job_;
  const FitResult& best_;
  std::string name_;
  double centre_;
  std::vector<std::pair<double, FitResult>> tried_;
  int refits_ = 0;
};

/// The first step outwards: about where a normal variable's interval would end.
double first_step(const FitResult& best, const std::string& name, double width) {
  constexpr double kGuess = 0.05;
  const auto found = std::find(best.parameters.begin(), best.parameters.end(), name);
  if (found == best.parameters.end()) {
    return kGuess;
  }
  const auto place = static_cast<std::size_t>(found - best.parameters.begin());
  const double error = std::sqrt(best.covariance[place * best.parameters.size() + place]);
  const double step = width * error / best.law.value(name);
  return std::isfinite(step) && step > 0.0 ? std::clamp(step, 1e-6, 1.0) : kGuess;
}

/// Where the search begins: the estimate, and where that is 0 a share of the least loss
/// that is nothing yet.
double centre_of(const FitJob& job, double estimate) {
  constexpr double kNothing = 1e-5;
  const auto losses = job.used.loss();
  const double least = *std::min_element(losses.begin(), losses.end());
  return std::max(estimate, kNothing * least);
}

/// ln(end / centre) on one side; infinite where none is found.
double bound(Profile& profile, double side, double step, double most) {
  double inside = 0.0;
  for (double outside = step; inside < kFarthest; outside *= 2.0) {
    const double tried = std::min(outside, kFarthest);
    if (profile(side * tried) >= most) {
      return side * first_root(
                        [&](double at) {
                          return profile(side * at) - most;
                        },
                        inside,
                        tried,
                        kBits);
    }
    inside = tried;
  }
  return kUnbounded;
}

}  // namespace

ProfileReport profile_of(const FitJob& job,
                         const FitResult& best,
                         const std::string& name) {
  const auto found = best.law.values.find(name);
  if (found == best.law.values.end()) {
    std::vector<std::string> names;
    for (const auto& [key, value] : best.law.values) {
      names.push_back(key);
    }
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("--profile {}: a law of form '{}' has no such value; it has {}",
                    name,
                    best.law.form,
                    fmt::join(names, ", ")));
  }
  ProfileReport report;
  report.name = name;
  report.level = job.request.level;
  report.estimate = found->second;
  if (!(best.dispersion > 0.0) || !std::isfinite(best.dispersion)) {
    return report;
  }
  const double centre = name == "E" ? centre_of(job, report.estimate) : report.estimate;
  if (!(centre > 0.0)) {
    return report;
  }
  Profile profile(job, best, name, centre);
  const double step = first_step(best, name, normal_half_width(report.level));
  const double most = chi_squared_quantile(report.level);
  const double low = bound(profile, -1.0, step, most);
  const double high = bound(profile, 1.0, step, most);
  report.interval.low = std::isfinite(low) ? centre * std::exp(low) : -kUnbounded;
  report.interval.high = std::isfinite(high) ? centre * std::exp(high) : kUnbounded;
  report.refits = profile.refits();
  return report;
}

}  // namespace sizewise::fitting
