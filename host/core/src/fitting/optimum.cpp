#include "sizewise/optimum.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "fitting/interval.hpp"
#include "fitting/line_search.hpp"
#include "fitting/loss_surface.hpp"

namespace sizewise {
namespace {

using fitting::Chinchilla;
using fitting::kUnbounded;
using fitting::LossSurface;

// Where searches look: from one parameter, unit or operation to more than there will be.
constexpr double kLeastLog = 0.0;
const double kMostLogParams = std::log(1e60);
const double kMostLogBudget = std::log(1e60);

double checked(double value, std::string_view what) {
  if (!(std::isfinite(value) && value > 0.0)) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("{} is {}; allowed: finite and above 0", what, value));
  }
  return value;
}

void check(const Limits& limits) {
  if (limits.params && limits.tokens) {
    throw Error(ErrorCode::kConfiguration,
                "both params and tokens are given, so nothing is left to choose",
                "ask for the loss of this pair instead");
  }
  if (limits.params) {
    checked(limits.params->value(), "the model's size");
  }
  if (limits.tokens) {
    checked(limits.tokens->value(), "the amount of data");
  }
  if (limits.unique_tokens) {
    checked(limits.unique_tokens->value(), "the amount of different data");
  }
}

bool is_allocation(const Law& law) {
  return law.form == "allocation";
}

void refuse_power(const Law& law) {
  if (law.form == "power") {
    throw Error(ErrorCode::kFit,
                "a law of form 'power' names no best size for a budget",
                "fit one that does: approach2 or approach3");
  }
}

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
  double best = Training::kUnknown;
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

/// What a law and a cost model say together, in logarithms.
class Choice {
 public:
  Choice(const Law& law, const CostModel& cost_model, const Limits& limits)
      : surface_(law, limits.unique_tokens), cost_model_(cost_model), limits_(limits) {}

  [[nodiscard]] double log_cost(double log_params) const {
    return std::log(cost_model_.flops_per_unit(Parameters(std::exp(log_params))));
  }

  [[nodiscard]] double log_params_for(double log_budget) const {
    if (limits_.params) {
      return std::log(limits_.params->value());
    }
    if (limits_.tokens) {
      const double per_unit = std::exp(log_budget) / limits_.tokens->value();
      return std::log(cost_model_.largest_for(per_unit).value());
    }
    if (const Chinchilla* const law = surface_.closed_form()) {
      return best_log_params(*law, cost_model_, log_budget);
    }
    const double log_params = fitting::least_point(
        [&](double tried) {
          return surface_.loss(tried, log_budget - log_cost(tried));
        },
        kLeastLog,
        kMostLogParams);
    // At the end of what is searched there is no minimum.
    return log_params < kMostLogParams - 1.0 ? log_params : Training::kUnknown;
  }

  [[nodiscard]] Training at(double log_params, double log_tokens) const {
    Training training;
    training.params = Parameters(std::exp(log_params));
    training.tokens = Units(std::exp(log_tokens));
    training.budget = Flops(std::exp(log_tokens + log_cost(log_params)));
    training.loss = Nats(surface_.loss(log_params, log_tokens));
    return training;
  }

  [[nodiscard]] Training for_budget(double log_budget) const {
    const double log_params = log_params_for(log_budget);
    if (!std::isfinite(log_params)) {
      return {};
    }
    Training training = at(log_params, log_budget - log_cost(log_params));
    training.budget = Flops(std::exp(log_budget));
    return training;
  }

  /// ln D at which a size reaches a loss; infinite where it never does.
  [[nodiscard]] double log_tokens_for(double log_params, double loss) const {
    return fitting::first_root(
        [&](double log_tokens) {
          return loss - surface_.loss(log_params, log_tokens);
        },
        kLeastLog,
        surface_.log_most_tokens().value_or(kMostLogBudget));
  }

  [[nodiscard]] double log_params_reaching(double log_tokens, double loss) const {
    return fitting::first_root(
        [&](double log_params) {
          return loss - surface_.loss(log_params, log_tokens);
        },
        kLeastLog,
        kMostLogParams);
  }

  [[nodiscard]] const LossSurface& surface() const { return surface_; }

 private:
  LossSurface surface_;
  const CostModel& cost_model_;
  const Limits& limits_;
};

Training never() {
  Training training;
  training.budget = Flops(kUnbounded);
  return training;
}

/// The allocation law's answer: it knows no loss, and its N* no limits.
Training allocated(const Law& law, const CostModel& cost_model, double budget) {
  Training training;
  training.budget = Flops(budget);
  training.params = Parameters(law.value("params.coefficient") *
                               std::pow(budget, law.value("params.exponent")));
  if (std::isfinite(training.params.value()) && training.params.value() > 0.0) {
    training.tokens = cost_model.units_for(training.budget, training.params);
  }
  return training;
}

/// The budget whose best use has some number at least as large as asked.
template <class Number>
Training reaching(const Law& law,
                  const CostModel& cost_model,
                  const Limits& limits,
                  double log_wanted,
                  const Number& number) {
  const double log_budget = fitting::first_root(
      [&](double tried) {
        const Training best =
            best_for_budget(law, cost_model, Flops(std::exp(tried)), limits);
        return std::log(number(best)) - log_wanted;
      },
      kLeastLog,
      kMostLogBudget);
  return std::isfinite(log_budget)
             ? best_for_budget(law, cost_model, Flops(std::exp(log_budget)), limits)
             : never();
}

}  // namespace

Training best_for_budget(const Law& law,
                         const CostModel& cost_model,
                         Flops budget,
                         const Limits& limits) {
  checked(budget.value(), "the budget");
  check(limits);
  refuse_power(law);
  if (is_allocation(law) && !limits.params && !limits.tokens) {
    return allocated(law, cost_model, budget.value());
  }
  Training best = Choice(law, cost_model, limits).for_budget(std::log(budget.value()));
  // As it was asked: a logarithm and back would change its last digits.
  if (std::isfinite(best.budget.value())) {
    best.budget = budget;
  }
  return best;
}

Training least_for_loss(const Law& law,
                        const CostModel& cost_model,
                        Nats loss,
                        const Limits& limits) {
  checked(loss.value(), "the loss");
  check(limits);
  const Choice choice(law, cost_model, limits);
  if (limits.params) {
    const double log_params = std::log(limits.params->value());
    const double log_tokens = choice.log_tokens_for(log_params, loss.value());
    return std::isfinite(log_tokens) ? choice.at(log_params, log_tokens) : never();
  }
  if (limits.tokens) {
    const double log_tokens = std::log(limits.tokens->value());
    const double log_params = choice.log_params_reaching(log_tokens, loss.value());
    return std::isfinite(log_params) ? choice.at(log_params, log_tokens) : never();
  }
  const double log_budget = fitting::first_root(
      [&](double tried) {
        return loss.value() - choice.for_budget(tried).loss.value();
      },
      kLeastLog,
      kMostLogBudget);
  return std::isfinite(log_budget) ? choice.for_budget(log_budget) : never();
}

Training best_for_params(const Law& law,
                         const CostModel& cost_model,
                         Parameters params,
                         const Limits& limits) {
  checked(params.value(), "the model's size");
  Limits others = limits;
  others.params.reset();
  others.tokens.reset();
  return reaching(
      law, cost_model, others, std::log(params.value()), [](const Training& best) {
        return best.params.value();
      });
}

Training best_for_tokens(const Law& law,
                         const CostModel& cost_model,
                         Units tokens,
                         const Limits& limits) {
  checked(tokens.value(), "the amount of data");
  Limits others = limits;
  others.params.reset();
  others.tokens.reset();
  return reaching(
      law, cost_model, others, std::log(tokens.value()), [](const Training& best) {
        return best.tokens.value();
      });
}

Serving least_for_serving(const Law& law,
                          const CostModel& cost_model,
                          Nats loss,
                          Units served,
                          const Limits& limits) {
  constexpr double kForwardShare = 1.0 / 3.0;
  if (!(std::isfinite(served.value()) && served.value() >= 0.0)) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("the units served are {}; allowed: finite, 0 and above",
                            served.value()));
  }
  Limits others = limits;
  others.params.reset();
  others.tokens.reset();
  Serving serving;
  serving.served = served;
  serving.trained_best = least_for_loss(law, cost_model, loss, others);
  if (!std::isfinite(serving.trained_best.budget.value())) {
    serving.training = never();
    serving.total_flops = serving.trained_best_total = Flops(kUnbounded);
    return serving;
  }
  const Choice choice(law, cost_model, others);
  const auto served_flops = [&](Parameters params) {
    return kForwardShare * cost_model.flops_per_unit(params) * served.value();
  };
  const auto total_of = [&](const Training& training) {
    return training.budget.value() + served_flops(training.params);
  };
  const auto total = [&](double log_params) {
    return total_of(
        choice.at(log_params, choice.log_tokens_for(log_params, loss.value())));
  };
  // Serving makes size dearer, so the model is no larger than the one trained best.
  const double log_params = fitting::least_point(
      [&](double tried) {
        return std::log(total(tried));
      },
      kLeastLog,
      std::log(serving.trained_best.params.value()));
  // No smaller model may reach the loss at all, where the data are limited.
  serving.training =
      total(log_params) <= total_of(serving.trained_best)
          ? choice.at(log_params, choice.log_tokens_for(log_params, loss.value()))
          : serving.trained_best;
  serving.serving_flops = Flops(served_flops(serving.training.params));
  serving.total_flops = Flops(total_of(serving.training));
  serving.trained_best_total = Flops(total_of(serving.trained_best));
  return serving;
}

}  // namespace sizewise
