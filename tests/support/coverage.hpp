#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <vector>

#include "fitting/fit_report.hpp"
#include "loading/plugin_catalog.hpp"
#include "loading/plugin_instance.hpp"
#include "loading/plugin_options.hpp"
#include "simulated_sweeps.hpp"

// How often the 95 % intervals of the bootstrap hold the truth of simulated sweeps.

namespace sizewise::testing {

/// Of one number, over many sweeps.
struct Coverage {
  double share = 0.0;        ///< of the intervals that hold the truth
  double width_ratio = 0.0;  ///< the median width over the delta method's
};

struct CoverageOfBoth {
  Coverage a;
  Coverage params;  ///< N* of ten times the largest budget; widths of its logarithm
};

namespace detail {

inline Coverage coverage_of(std::vector<double> widths, int held, double delta_width) {
  const auto middle = widths.begin() + static_cast<std::ptrdiff_t>(widths.size() / 2);
  std::nth_element(widths.begin(), middle, widths.end());
  return {static_cast<double>(held) / static_cast<double>(widths.size()),
          *middle / delta_width};
}

}  // namespace detail

/// @param plugins the folder of the shipped plugins
inline CoverageOfBoth measure_coverage(const std::filesystem::path& plugins,
                                       int sweeps,
                                       int replicates,
                                       int threads,
                                       bool shares_noise) {
  const auto catalog = loading::PluginCatalog::scan(loading::SearchPath{{plugins}});
  const loading::PluginFile file = catalog.find(PluginKind::kFit, "approach3");
  std::vector<std::string> warnings;
  const Options options = loading::complete_options(file.manifest, {}, warnings);
  const auto fit = loading::instantiate<Fit>(file, options);
  fitting::FitRequest request;
  request.fit = {"approach3", options};
  request.asked.questions = {{fitting::Question::Kind::kBudget, SimulatedSweep::kTarget}};
  request.bootstrap = replicates;
  request.threads = threads;
  request.leaves_out_largest = false;
  request.force = true;
  const CostModel cost_model = CostModel::six_per_parameter();
  const Law law = simulated_law();
  const double true_a = law.value("beta") / (law.value("alpha") + law.value("beta"));
  const double true_params =
      best_for_budget(law, cost_model, Flops(SimulatedSweep::kTarget)).params.value();
  std::vector<double> a_widths;
  std::vector<double> params_widths;
  int a_held = 0;
  int params_held = 0;
  for (int i = 0; i < sweeps; ++i) {
    const auto seed = static_cast<uint64_t>(i) + 1;
    request.seed = seed;
    const SimulatedSweep sweep = simulate(seed, shares_noise);
    const fitting::FitReport report =
        fitting::fit_runs(sweep.runs, request, *fit, cost_model);
    const fitting::Interval a = report.bootstrap->interval.at("a");
    const fitting::Interval params = report.optima.at(0).params_interval.value();
    a_held += a.contains(true_a) ? 1 : 0;
    params_held += params.contains(true_params) ? 1 : 0;
    a_widths.push_back(a.high - a.low);
    params_widths.push_back(std::log(params.high / params.low));
  }
  const auto [of_a, of_params] = delta_method_widths(simulate(1, shares_noise));
  return {detail::coverage_of(std::move(a_widths), a_held, of_a),
          detail::coverage_of(std::move(params_widths), params_held, of_params)};
}

}  // namespace sizewise::testing
