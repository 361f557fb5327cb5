#include "sample_order.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "sizewise/error.hpp"

namespace sizewise::datasets {

std::vector<int64_t> samples_of(const BatchRequest& request, const SplitSizes& sizes) {
  if (request.first_sample < 0 || request.samples < 1) {
    throw Error(ErrorCode::kInput,
                "a batch of " + std::to_string(request.samples) +
                    " samples from position " + std::to_string(request.first_sample) +
                    "; allowed: at least 1 sample from position 0 or later");
  }
  if (request.split == Split::kValidation) {
    const int64_t first = std::min(request.first_sample, sizes.validation);
    const int64_t left = sizes.validation - first;
    std::vector<int64_t> samples(
        static_cast<std::size_t>(std::min(request.samples, left)));
    std::iota(samples.begin(), samples.end(), first);
    return samples;
  }
  const EpochShuffle shuffle(sizes.train, request.seed);
  std::vector<int64_t> samples(static_cast<std::size_t>(request.samples));
  int64_t position = request.first_sample;
  for (int64_t& sample : samples) {
    sample = shuffle.sample_at(position++);
  }
  return samples;
}

}  // namespace sizewise::datasets
