#include "robust_settings.hpp"

#include <limits>
#include <string>

namespace sizewise::fits {
namespace {

constexpr double kAbsoluteDelta = 1e-12;  // below what any residual means

}  // namespace

double RobustSettings::working_delta() const {
  return absolute ? kAbsoluteDelta : delta;
}

double RobustSettings::unit(double total_weight) const {
  return (absolute ? kAbsoluteDelta : 1.0) * (mean ? total_weight : 1.0);
}

RobustSettings robust_settings(const Options& options) {
  RobustSettings settings;
  const auto loss = options.get<std::string>("loss");
  settings.absolute = loss == "l1";
  settings.delta = loss == "mse" ? std::numeric_limits<double>::infinity()
                                 : options.get<double>("delta");
  settings.mean = options.get<std::string>("reduction") == "mean";
  return settings;
}

}  // namespace sizewise::fits
