#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "sizewise/manifest.hpp"

namespace sizewise::contract {

/// The parameters of a size; grows with it.
using ParamsOfSize = std::function<int64_t(int64_t size)>;

/// Parameters of a size by a family that may have to make a model to count them: refuses
/// to make one larger than the smallest that had more than `largest` parameters.
/// @param known what the family can tell without a model
/// @param made counts on a model that is made for it
/// @throws Error kConfiguration, from the function returned
[[nodiscard]] ParamsOfSize bounded_params_of_size(
    std::function<std::optional<int64_t>(int64_t size)> known,
    ParamsOfSize made,
    double largest);

/// For each target, the allowed size whose parameter count is nearest to it in logarithm
/// (the smaller size where two are equally near).
///
/// Looks for an upper bound from the smallest size upwards, then bisects: no size is
/// asked for that is more than half as large again as the answer (or the next allowed
/// one).
/// @throws Error kConfiguration where a target is not positive
[[nodiscard]] std::vector<int64_t> invert_sizes(const SizeSpec& spec,
                                                const std::vector<double>& targets,
                                                const ParamsOfSize& params_of_size);

}  // namespace sizewise::contract
