#include "saturating_law.hpp"

namespace {

using sizewise::fits::ResidualKind;

/// y = y_inf + k x^-a for any two columns, by variable projection over a and robust
/// regression.
class Power : public sizewise::Fit {
 public:
  explicit Power(const sizewise::Options& options) {
    static_cast<sizewise::fits::RobustSettings&>(settings_) =
        sizewise::fits::robust_settings(options);
    settings_.x = options.get<std::string>("x");
    settings_.y = options.get<std::string>("y");
    settings_.residual = options.get<std::string>("residual") == "log"
                             ? ResidualKind::kLog
                             : ResidualKind::kLinear;
  }

  [[nodiscard]] sizewise::FitResult fit(const sizewise::FitInput& input) const override {
    return sizewise::fits::fit_saturating_law(input, settings_);
  }

 private:
  sizewise::fits::SaturatingSettings settings_;
};

}  // namespace

SIZEWISE_FIT(Power)
