#include "fitting/residuals.hpp"

#include <algorithm>
#include <cmath>

#include "fitting/loss_surface.hpp"
#include "fitting/row_selection.hpp"
#include "fitting/statistics.hpp"

namespace sizewise::fitting {
namespace {

/// The observed numbers that a law is about; empty where the table lacks them.
std::span<const double> observed_column(const Law& law, const RunTable& runs) {
  const auto named = law.texts.find("y");
  const std::string column =
      law.form == "power" && named != law.texts.end() ? named->second : "loss";
  return runs.has_numbers(column) ? runs.numbers(column) : std::span<const double>();
}

std::vector<double> power_values(const Law& law, const RunTable& runs) {
  std::vector<double> values(runs.rows(), FitResult::kUnknown);
  const auto named = law.texts.find("x");
  if (named == law.texts.end() || !runs.has_numbers(named->second)) {
    return values;
  }
  const auto x = runs.numbers(named->second);
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    values[row] = law.value("y_inf") + law.value("k") * std::pow(x[row], -law.value("a"));
  }
  return values;
}

double usable_or(std::span<const double> column, std::size_t row, double fallback) {
  return !column.empty() && std::isfinite(column[row]) && column[row] > 0.0 ? column[row]
                                                                            : fallback;
}

std::vector<double> repeated_values(const Law& law, const RunTable& runs) {
  const auto column = [&](const char* name) {
    return runs.has_numbers(name) ? runs.numbers(name) : std::span<const double>();
  };
  const auto unique = column("unique_tokens");
  const auto epochs = column("epochs");
  const auto params = runs.params();
  const auto all_tokens = runs.tokens();
  std::vector<double> values;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    const double tokens = all_tokens[row];
    const double once = tokens / std::max(1.0, usable_or(epochs, row, 1.0));
    values.push_back(loss_with_repeats(law,
                                       Parameters(params[row]),
                                       Units(tokens),
                                       Units(usable_or(unique, row, once)))
                         .value());
  }
  return values;
}

/// A table's rows beside a law.
class Rows {
 public:
  Rows(const Law& law,
       const RunTable& runs,
       const std::vector<std::size_t>& places,
       const FitRequest& request)
      : runs_(runs),
        places_(places),
        request_(request),
        observed_(observed_column(law, runs)),
        predicted_(predicted_values(law, runs)),
        flops_(flops_of_rows(runs)) {}

  [[nodiscard]] bool has(std::size_t row) const {
    return !observed_.empty() && std::isfinite(observed_[row]) &&
           std::isfinite(predicted_[row]);
  }

  [[nodiscard]] Residual at(std::size_t row) const {
    const bool has_sizes = runs_.has_numbers("params") && runs_.has_numbers("tokens");
    Residual residual;
    residual.line = line_of(request_, places_[row]);
    residual.params = has_sizes ? runs_.params()[row] : FitResult::kUnknown;
    residual.tokens = has_sizes ? runs_.tokens()[row] : FitResult::kUnknown;
    residual.observed = observed_[row];
    residual.predicted = predicted_[row];
    residual.flops = flops_[row];
    return residual;
  }

  /// ln(predicted / observed); NaN where a row has none.
  [[nodiscard]] std::vector<double> log_errors() const {
    std::vector<double> errors(runs_.rows(), FitResult::kUnknown);
    for (std::size_t row = 0; row < errors.size(); ++row) {
      errors[row] =
          has(row) ? std::log(predicted_[row] / observed_[row]) : FitResult::kUnknown;
    }
    return errors;
  }

 private:
  const RunTable& runs_;
  const std::vector<std::size_t>& places_;
  const FitRequest& request_;
  std::span<const double> observed_;
  std::vector<double> predicted_;
  std::vector<double> flops_;
};

}  // namespace

double Residual::log_error() const {
  return std::log(predicted / observed);
}

std::vector<double> predicted_values(const Law& law, const RunTable& runs) {
  if (law.form == "power") {
    return power_values(law, runs);
  }
  if (!runs.has_numbers("params") || !runs.has_numbers("tokens")) {
    return std::vector<double>(runs.rows(), FitResult::kUnknown);
  }
  if (law.form == "data_constrained") {
    return repeated_values(law, runs);
  }
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  std::vector<double> values;
  values.reserve(runs.rows());
  if (law.form == "chinchilla") {
    const Chinchilla surface(law);
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      values.push_back(surface.loss(std::log(params[row]), std::log(tokens[row])));
    }
    return values;
  }
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    values.push_back(
        predicted_loss(law, Parameters(params[row]), Units(tokens[row])).value());
  }
  return values;
}

std::vector<double> predicted_losses(const Law& law, const RunTable& runs) {
  std::vector<double> losses = predicted_values(law, runs);
  const auto observed = runs.loss();
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    losses[row] = std::isfinite(losses[row]) ? losses[row] : observed[row];
  }
  return losses;
}

std::vector<Residual> residuals_of(const Law& law,
                                   const RunTable& runs,
                                   const std::vector<std::size_t>& places,
                                   const FitRequest& request) {
  const Rows rows(law, runs, places, request);
  std::vector<Residual> residuals;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    if (rows.has(row)) {
      residuals.push_back(rows.at(row));
    }
  }
  return residuals;
}

std::optional<OutlierReport> find_outliers(const FitJob& job, const FitResult& best) {
  constexpr double kMostDeviations = 5.0;
  constexpr double kNormalMedian = 1.482602218505602;
  constexpr double kLeastLimit = 1e-6;  // rounding has no outliers
  constexpr std::size_t kMostListed = 20;
  const Rows rows(best.law, job.used, job.places, job.request);
  std::vector<double> distances = rows.log_errors();
  const double median = quantile(distances, 0.5);
  for (double& distance : distances) {
    distance = std::fabs(distance - median);
  }
  OutlierReport report;
  report.limit =
      std::max(kMostDeviations * kNormalMedian * quantile(distances, 0.5), kLeastLimit);
  std::vector<double> weights(job.used.rows(), 1.0);
  std::vector<std::size_t> far;
  for (std::size_t row = 0; row < distances.size(); ++row) {
    if (distances[row] > report.limit) {
      far.push_back(row);
      weights[row] = 0.0;
    }
  }
  if (far.empty()) {
    return std::nullopt;
  }
  report.count = far.size();
  std::stable_sort(far.begin(), far.end(), [&](std::size_t first, std::size_t second) {
    return distances[first] > distances[second];
  });
  far.resize(std::min(far.size(), kMostListed));
  for (const std::size_t row : far) {
    report.rows.push_back(rows.at(row));
  }
  if (const auto without = job.try_run({job.used, weights, &best})) {
    report.law_without = without->law;
    report.a_without = without->a;
  }
  return report;
}

}  // namespace sizewise::fitting
