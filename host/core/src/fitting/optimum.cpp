#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <boost/math/tools/minima.hpp>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// The chinchilla form with its values looked up once: a bootstrap asks often.
struct Chinchilla {
  double e, a, b, alpha, beta;

  explicit Chinchilla(const Law& law)
      : e(law.value("E")),
        a(law.value("A")),
        b(law.value("B")),
        alpha(law.value("alpha")),
        beta(law.value("beta")) {}

  [[nodiscard]] double loss(double log_params, double log_tokens) const {
    return e + a * std::exp(-alpha * log_params) + b * std::exp(-beta * log_tokens);
  }
};

/// ln N at the minimum of A/N^alpha + B/D^beta with D = C / (k N^s), clipped to a
/// segment. Source: the derivative by ln N is 0 where alpha A N^-alpha = beta s B
/// D^-beta; for c = 6 N this is Hoffmann et al. 2022, equation 4.
double stationary_point(const Chinchilla& law,
                        const CostSegment& segment,
                        double log_to,
                        double log_budget) {
  if (!(segment.slope > 0.0)) {
    return log_to;  // a larger model that costs no more is never worse
  }
  const double log_params =
      (std::log(law.alpha * law.a) - std::log(law.beta * segment.slope * law.b) +
       law.beta * (log_budget - segment.log_factor)) /
      (law.alpha + law.beta * segment.slope);
  return std::clamp(log_params, segment.log_from, log_to);
}

double best_log_params(const Chinchilla& law, const CostModel& model, double log_budget) {
  const std::vector<CostSegment>& segments = model.segments();
  double best = FitResult::kUnknown;
  double least = kUnbounded;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const double to = i + 1 < segments.size() ? segments[i + 1].log_from : kUnbounded;
    const double log_params = stationary_point(law, segments[i], to, log_budget);
    const double log_tokens =
        log_budget - segments[i].log_factor - segments[i].slope * log_params;
    const double loss = law.loss(log_params, log_tokens);
    if (std::isfinite(log_params) && loss < least) {
      least = loss;
      best = log_params;
    }
  }
  return best;
}

/// Any law that predicts a loss: the lowest of a grid over ln N, then Brent's method.
double best_log_params(const Law& law, const CostModel& model, Flops budget) {
  constexpr int kGrid = 400;
  constexpr double kLeast = 0.0;       // one parameter
  const double most = std::log(1e18);  // more than any model has
  const auto loss_at = [&](double log_params) {
    const Parameters params(std::exp(log_params));
    const double loss =
        predicted_loss(law, params, model.units_for(budget, params)).value();
    return std::isfinite(loss) ? loss : kUnbounded;
  };
  const double step = (most - kLeast) / kGrid;
  double best = kLeast;
  for (int i = 1; i <= kGrid; ++i) {
    const double log_params = kLeast + step * i;
    best = loss_at(log_params) < loss_at(best) ? log_params : best;
  }
  constexpr int kBits = std::numeric_limits<double>::digits / 2;
  return boost::math::tools::brent_find_minima(
             loss_at, std::max(best - step, kLeast), std::min(best + step, most), kBits)
      .first;
}

}  // namespace

Optimum optimum_of(const Law& law, const CostModel& cost_model, Flops budget) {
  if (!(std::isfinite(budget.value()) && budget.value() > 0.0)) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("a budget is {} FLOPs; allowed: finite and above 0", budget.value()));
  }
  Optimum optimum;
  optimum.budget = budget;
  if (law.form == "allocation") {
    optimum.params = Parameters(law.value("params.coefficient") *
                                std::pow(budget.value(), law.value("params.exponent")));
  } else if (law.form == "chinchilla") {
    optimum.params = Parameters(
        std::exp(best_log_params(Chinchilla(law), cost_model, std::log(budget.value()))));
  } else if (law.form == "kaplan" || law.form == "data_constrained") {
    optimum.params = Parameters(std::exp(best_log_params(law, cost_model, budget)));
  } else {
    throw Error(
        ErrorCode::kFit,
        fmt::format("a law of form '{}' names no best size for a budget", law.form),
        "fit one that does: approach2 or approach3");
  }
  if (std::isfinite(optimum.params.value()) && optimum.params.value() > 0.0) {
    optimum.tokens = cost_model.units_for(budget, optimum.params);
    optimum.loss = predicted_loss(law, optimum.params, optimum.tokens);
  }
  return optimum;
}

}  // namespace sizewise::fitting
