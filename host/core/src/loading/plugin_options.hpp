#pragma once

#include <string>
#include <vector>

#include "sizewise/manifest.hpp"
#include "sizewise/options.hpp"

namespace sizewise::loading {

/// What the user set, checked against the manifest and completed with its defaults. The
/// size of a model is not an option: where it is set as one it is left out, with a
/// warning.
/// @throws Error kConfiguration for an unknown option, a wrong type or a value out of
/// range
[[nodiscard]] Options complete_options(const Manifest& manifest,
                                       const Options& given,
                                       std::vector<std::string>& warnings);

}  // namespace sizewise::loading
