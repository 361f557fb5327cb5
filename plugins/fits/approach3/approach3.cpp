#include "parametric_fit.hpp"

namespace {

using sizewise::fits::ResidualKind;

/// L = E + A/N^alpha + B/D^beta, fitted to ln L: the sum of Huber's loss over the rows,
/// at its global minimum. Source: Hoffmann et al. 2022 (arXiv 2203.15556), section 3.3
/// and equation 3; Besiroglu et al. 2024 (arXiv 2404.10102) on the minimum and the sum.
class Approach3 : public sizewise::Fit {
 public:
  explicit Approach3(const sizewise::Options& options)
      : settings_(sizewise::fits::parametric_settings(options, ResidualKind::kLog)) {}

  [[nodiscard]] sizewise::FitResult fit(const sizewise::FitInput& input) const override {
    return sizewise::fits::fit_parametric_law(input, settings_);
  }

 private:
  sizewise::fits::ParametricSettings settings_;
};

}  // namespace

SIZEWISE_FIT(Approach3)
