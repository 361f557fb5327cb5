#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "sizewise/error.hpp"
#include "sizewise/fit.hpp"

#include "fitting/fit_report.hpp"

// A fit that can be computed by hand, and what the tests of the host's part share.

namespace sizewise::fitting::testing {

/// A fit whose E is the weighted mean loss and whose other parameters are fixed: what the
/// host adds can be computed by hand. Its objective is the squared distance from E (held
/// or not), so that its profile is a parabola.
class MeanFit : public Fit {
 public:
  [[nodiscard]] FitResult fit(const FitInput& input) const override {
    double sum = 0.0;
    double total = 0.0;
    for (std::size_t row = 0; row < input.runs.rows(); ++row) {
      const double loss = input.runs.loss()[row];
      if (!(loss > 0.0)) {
        throw Error(ErrorCode::kInput, "a loss cannot be used");
      }
      const double weight = weight_of(input, row);
      sum += weight * loss;
      total += weight;
    }
    FitResult result;
    result.status = FitStatus::kIdentified;
    const auto held = input.fixed.find("E");
    const double e = held == input.fixed.end() ? sum / total : held->second;
    result.law = {"chinchilla",
                  {{"E", e}, {"A", 400}, {"B", 400}, {"alpha", 0.3}, {"beta", 0.3}},
                  {}};
    result.objective = 0.0;
    double squares = 0.0;
    for (std::size_t row = 0; row < input.runs.rows(); ++row) {
      const double off = input.runs.loss()[row] - e;
      const double from_mean = input.runs.loss()[row] - sum / total;
      result.objective += 0.5 * weight_of(input, row) * off * off;
      squares += weight_of(input, row) * from_mean * from_mean;
    }
    result.dispersion = squares / (total - 1.0);
    result.parameters = {"E"};
    result.covariance = {result.dispersion / total};
    result.a = result.b = 0.5;
    return result;
  }

 private:
  static double weight_of(const FitInput& input, std::size_t row) {
    return input.weights.empty() ? 1.0 : input.weights[row];
  }
};

/// Five sizes by four amounts of data; the loss is 2 + 0.01 i.
inline RunTable table() {
  RunTable runs;
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  for (int i = 0; i < 20; ++i) {
    params.push_back(1e6 * std::pow(2.0, i % 5));
    tokens.push_back(1e8 * std::pow(3.0, i / 5));
    loss.push_back(2.0 + 0.01 * i);
  }
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", loss);
  return runs;
}

/// Asks the best use of 1e18 FLOPs.
inline FitRequest request() {
  FitRequest asked;
  asked.fit.plugin = "mean";
  asked.asked.questions = {{Question::Kind::kBudget, 1e18}};
  return asked;
}

inline FitReport fit_table(const RunTable& runs, const FitRequest& asked) {
  return fit_runs(runs, asked, MeanFit(), cost_model_of(runs));
}

inline std::vector<std::string> codes(const FitReport& report) {
  std::vector<std::string> found;
  for (const Reason& reason : report.result.reasons) {
    found.push_back(reason.code);
  }
  return found;
}

}  // namespace sizewise::fitting::testing
