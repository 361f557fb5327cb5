#include <sizewise/fit.hpp>

namespace {

class ConsumerFit : public sizewise::Fit {
 public:
  sizewise::FitResult fit(const sizewise::FitInput& input) const override {
    sizewise::FitResult result;
    result.status = sizewise::FitStatus::kNotIdentified;
    result.reasons.push_back({"consumer", std::to_string(input.runs.rows()) + " rows"});
    return result;
  }
};

}  // namespace

SIZEWISE_FIT(ConsumerFit)
