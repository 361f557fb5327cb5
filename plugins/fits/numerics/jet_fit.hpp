#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "sizewise/fit.hpp"

#include "jet_problem.hpp"
#include "law_uncertainty.hpp"
#include "multi_start.hpp"
#include "normal_matrix.hpp"
#include "robust_settings.hpp"

// Fits of laws that are written once, as a formula over any number type: what is left for
// the plugin is the formula, its starts and what it takes to be identified.

namespace sizewise::fits {

/// A fitted law and the minimum it came from.
template <int Size>
struct JetFit {
  FitResult result;
  RobustMinimum<Size> minimum;
  bool has_minimum = false;
};

/// Refuses values that the search's own bounds stopped; they leave `free`.
template <class Model, class Point>
void judge_bounds(const Model& model,
                  const Point& point,
                  std::vector<int>& free,
                  FitResult& result) {
  const auto& box = model.box();
  std::erase_if(free, [&](int i) {
    const bool is_stopped = point[i] <= box.lower[i] || point[i] >= box.upper[i];
    if (is_stopped) {
      refuse_identification(result,
                            "unbounded_value",
                            std::string(Model::kKeys[static_cast<std::size_t>(i)]) +
                                " ran to the end of what is searched: these rows do not "
                                "bound it; add rows that show its effect");
    }
    return is_stopped;
  });
}

/// Adds standard errors and the judgement of the Jacobian.
template <int Size, class Model>
void describe_jet_fit(const Model& model,
                      const JetProblem<Size, Model>& problem,
                      double noise,
                      JetFit<Size>& fit) {
  const auto& point = fit.minimum.point;
  std::vector<int> free = model.free_coordinates(point);
  judge_bounds(model, point, free, fit.result);
  RobustColumns<Size> columns(model.weights());
  problem.with_curvature_of(1).linearize(point, nullptr, columns);  // none is needed
  const Eigen::MatrixXd products =
      robust_sums(columns, columns.residual, std::numeric_limits<double>::infinity())
          .hessian(free, free);
  judge_condition(condition_number(products), fit.result);
  columns.residual.resize(model.weights().size());
  const RobustLoss loss(problem.delta());
  const LossMoments moments =
      noise > 0.0
          ? moments_of_noise(model.deviations(noise), model.weights(), loss)
          : moments_of_residuals(
                columns.residual, model.weights(), loss, static_cast<int>(free.size()));
  fit.result.dispersion = moments.dispersion();
  const Eigen::MatrixXd inverse = inverse_products(products);
  if (inverse.size() == 0) {
    return;
  }
  const Eigen::MatrixXd units = model.table_units(point)(free, free);
  std::vector<std::string> names;
  for (const int coordinate : free) {
    names.emplace_back(Model::kKeys[static_cast<std::size_t>(coordinate)]);
  }
  set_covariance(
      names, moments.variance() * units * inverse * units.transpose(), fit.result);
}

/// The lowest minimum that descents from some points reach on a sample of the rows,
/// polished on all of them.
/// @param few the law on that sample, or the law itself
template <int Size, class Model>
Search<Size> search_jet_law(const Model& model,
                            const Model& few,
                            const RobustSettings& settings,
                            const std::vector<Eigen::Matrix<double, Size, 1>>& starts) {
  const JetProblem<Size, Model> problem(few, settings.working_delta());
  RobustColumns<Size> columns(few.weights());
  double lowest = std::numeric_limits<double>::infinity();
  for (const auto& start : starts) {
    problem.linearize(problem.resolve(start), nullptr, columns);
    const double value = robust_value(columns.weight, columns.residual, problem.delta());
    lowest = value < lowest ? value : lowest;
  }
  const double delta = least_smooth_delta(problem, lowest);
  Search<Size> search;
  const auto minima = descend_in_steps<Size>(problem, delta, starts, search);
  if (few.weights().size() < model.weights().size()) {
    constexpr std::size_t kMostWork = 400'000;
    // Second derivatives cost the square of their number.
    constexpr std::size_t kCurvatureRows = Size > 5 ? 10'000 : kMostWork;
    const JetProblem<Size, Model> all(model, settings.working_delta());
    polish_lowest(all.with_curvature_of(kCurvatureRows), minima, kMostWork, search);
    if (!search.best.converged) {
      polish_lowest(all, {search.best}, kMostWork, search);
    }
  }
  return search;
}

/// The result of a search, with its uncertainty.
///
/// Model: what JetProblem takes; law(point); table_units(point), d keys / d coordinates;
/// free_coordinates(point); deviations(noise) of the residuals; kKeys.
template <int Size, class Model>
JetFit<Size> fit_jet_law(const FitInput& input,
                         const RobustSettings& settings,
                         const Model& model,
                         const Search<Size>& search) {
  const JetProblem<Size, Model> problem(model, settings.working_delta());
  const double total =
      std::accumulate(model.weights().begin(), model.weights().end(), 0.0);
  JetFit<Size> fit;
  fit.minimum = search.best;
  fit.has_minimum = search.best.point.allFinite();
  fit.result.law = model.law(search.best.point);
  fit.result.status = FitStatus::kIdentified;
  fit.result.objective = search.best.value;
  fit.result.starts_tried = search.starts;
  fit.result.starts_within_tenth_percent = search.starts_within_tenth_percent;
  if (!fit.has_minimum) {
    refuse_identification(fit.result,
                          "no_minimum",
                          "the search found no minimum of finite value; look for rows "
                          "whose loss is out of all proportion");
  } else {
    if (!search.best.converged) {
      refuse_identification(fit.result,
                            "not_converged",
                            "the descent to the minimum ended before its steps became "
                            "small; try another --fit-option delta or loss=mse");
    }
    if (input.warm_start == nullptr) {  // refits tell values alone
      describe_jet_fit(model, problem, input.noise, fit);
    }
  }
  const double unit = settings.unit(total);
  fit.result.objective /= unit;
  fit.result.dispersion /= unit;
  return fit;
}

}  // namespace sizewise::fits
