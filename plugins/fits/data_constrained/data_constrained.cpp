#include "repeated_data_law.hpp"

namespace {

/// The law of approach3 with effective data and parameters where data are repeated.
/// Source: Muennighoff et al. 2023 (arXiv 2305.16264), equations 4 to 6.
class DataConstrained : public sizewise::Fit {
 public:
  explicit DataConstrained(const sizewise::Options& options)
      : settings_(sizewise::fits::robust_settings(options)) {}

  [[nodiscard]] sizewise::FitResult fit(const sizewise::FitInput& input) const override {
    return sizewise::fits::fit_repeated_data_law(input, settings_);
  }

 private:
  sizewise::fits::RobustSettings settings_;
};

}  // namespace

SIZEWISE_FIT(DataConstrained)
