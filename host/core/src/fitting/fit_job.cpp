#include "fitting/fit_job.hpp"

#include <algorithm>
#include <cmath>

#include "sizewise/error.hpp"

#include "loading/plugin_instance.hpp"

namespace sizewise::fitting {
namespace {

template <class Test>
bool all_values(const FitResult& result, const Test& test) {
  return !result.law.values.empty() && std::all_of(result.law.values.begin(),
                                                   result.law.values.end(),
                                                   [&test](const auto& entry) {
                                                     return test(entry.second);
                                                   });
}

}  // namespace

FitResult FitJob::run(const FitInput& input) const {
  return loading::call_plugin(request.fit.plugin, [&] {
    return fit.fit(input);
  });
}

std::optional<FitResult> FitJob::try_run(FitInput input) const {
  input.noise = request.noise;
  try {
    FitResult result = run(input);
    return has_law(result) ? std::optional(std::move(result)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // too few rows, say: an outcome of this input
  }
}

bool has_law(const FitResult& result) {
  return all_values(result, [](double value) {
    return !std::isnan(value);
  });
}

bool has_finite_law(const FitResult& result) {
  return all_values(result, [](double value) {
    return std::isfinite(value);
  });
}

}  // namespace sizewise::fitting
