#pragma once

#include <optional>
#include <vector>

#include "fitting/fit_job.hpp"

namespace sizewise::fitting {

/// What a law says of each row: its loss, of a power law y(x); under data_constrained
/// with the row's unique_tokens, else tokens / epochs. NaN where it says nothing.
[[nodiscard]] std::vector<double> predicted_values(const Law& law, const RunTable& runs);

/// The same, and where the law predicts no loss at all the observed losses.
[[nodiscard]] std::vector<double> predicted_losses(const Law& law, const RunTable& runs);

/// Every row beside what the law says of it; empty where it says nothing.
/// @param places of the rows in the file's table
[[nodiscard]] std::vector<Residual> residuals_of(const Law& law,
                                                 const RunTable& runs,
                                                 const std::vector<std::size_t>& places,
                                                 const FitRequest& request);

/// Rows whose ln(predicted / observed) lies more than 5 robust standard deviations from
/// the median, and the law without them; nothing where there are none. Source of the
/// robust deviation, 1.4826 times the median distance from the median: Hampel 1974, The
/// influence curve, section 5.
[[nodiscard]] std::optional<OutlierReport> find_outliers(const FitJob& job,
                                                         const FitResult& best);

}  // namespace sizewise::fitting
