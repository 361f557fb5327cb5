#include "kaplan_law.hpp"

namespace {

/// L = ((Nc/N)^(aN/aD) + Dc/D)^aD by robust regression on ln L.
/// Source: Kaplan et al. 2020 (arXiv 2001.08361), equation 1.5.
class Kaplan : public sizewise::Fit {
 public:
  explicit Kaplan(const sizewise::Options& options)
      : settings_(sizewise::fits::robust_settings(options)) {}

  [[nodiscard]] sizewise::FitResult fit(const sizewise::FitInput& input) const override {
    return sizewise::fits::fit_kaplan_law(input, settings_);
  }

 private:
  sizewise::fits::RobustSettings settings_;
};

}  // namespace

SIZEWISE_FIT(Kaplan)
