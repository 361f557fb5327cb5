#include <stdexcept>
#include <string>

#include <sizewise/fit.hpp>

namespace {

/// A law that is its option, and every way to fail that a C++ plugin has.
class GoodFit : public sizewise::Fit {
 public:
  explicit GoodFit(const sizewise::Options& options)
      : fault_(options.get<std::string>("fault")),
        coefficient_(options.get<double>("coefficient")) {
    if (fault_ == "create") {
      throw sizewise::Error(
          sizewise::ErrorCode::kFit, "cannot be made today", "ask it for another fault");
    }
  }

  [[nodiscard]] sizewise::FitResult fit(const sizewise::FitInput& input) const override {
    if (fault_ == "error") {
      throw sizewise::Error(
          sizewise::ErrorCode::kInput, "the column is wrong", "mend it");
    }
    if (fault_ == "exception") {
      throw std::runtime_error("an exception of the standard library");
    }
    if (fault_ == "other") {
      throw 17;
    }
    sizewise::FitResult result;
    result.status = sizewise::FitStatus::kIdentified;
    result.law = {"power", {{"k", coefficient_}}, {}};
    result.objective = static_cast<double>(input.runs.rows());
    return result;
  }

 private:
  std::string fault_;
  double coefficient_;
};

}  // namespace

SIZEWISE_FIT(GoodFit)
