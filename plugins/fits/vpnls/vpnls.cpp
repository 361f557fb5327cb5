#include "parametric_fit.hpp"

namespace {

using sizewise::fits::ResidualKind;

/// L = E + A/N^alpha + B/D^beta by variable projection: least squares (or Huber's loss)
/// of L itself, or of ln L. Source: Golub and Pereyra 2003, "Separable nonlinear least
/// squares"; arXiv 2603.22339 on its use for this law.
class Vpnls : public sizewise::Fit {
 public:
  explicit Vpnls(const sizewise::Options& options)
      : settings_(sizewise::fits::parametric_settings(
            options,
            options.get<std::string>("residual") == "log" ? ResidualKind::kLog
                                                          : ResidualKind::kLinear)) {}

  [[nodiscard]] sizewise::FitResult fit(const sizewise::FitInput& input) const override {
    return sizewise::fits::fit_parametric_law(input, settings_);
  }

 private:
  sizewise::fits::ParametricSettings settings_;
};

}  // namespace

SIZEWISE_FIT(Vpnls)
