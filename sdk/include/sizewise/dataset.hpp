#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sizewise/dataset_info.hpp"
#include "sizewise/digest.hpp"
#include "sizewise/plugin.hpp"
#include "sizewise/tensor_map.hpp"

namespace sizewise {

/// The part of the data that a batch comes from.
enum class Split { kTrain, kValidation };

/// Where a batch lies in the stream of samples that a trial sees. The training stream
/// repeats the split, shuffled anew by each epoch's own order; so a position is one
/// number, and a trial that stopped resumes from it exactly.
struct BatchRequest {
  Split split = Split::kTrain;
  int64_t first_sample =
      0;  ///< position in the stream; may pass the split's end when training
  int64_t samples = 1;  ///< how many; a validation batch ends with the split
  uint64_t seed = 0;    ///< orders the training stream; validation is never shuffled
};

/// A dataset plugin.
class Dataset {
 public:
  static constexpr std::string_view kInterfaceName = "sizewise.dataset/1";
  virtual ~Dataset();

  [[nodiscard]] virtual const DatasetInfo& info() const = 0;

  /// The samples asked for: `input` of shape {samples, input_shape...}, `target` of shape
  /// {samples, target_shape...}, and whatever else the dataset names; on the CPU,
  /// contiguous. The same request gives the same tensors. [after create, any thread]
  [[nodiscard]] virtual TensorMap batch(const BatchRequest& request) const = 0;

  /// A text that changes when the data change: its files' sha256_of_file(), say.
  /// Part of what names a trial. [after create]
  [[nodiscard]] virtual std::string fingerprint() const = 0;
};

/// The order of a training stream: a permutation of [0, samples) for each epoch and seed,
/// computed without storing it. [any thread]
class EpochShuffle {
 public:
  /// @throws Error kInput where samples < 1
  explicit EpochShuffle(int64_t samples, uint64_t seed);
  /// The sample at a position of the stream (epoch = position / samples).
  [[nodiscard]] int64_t sample_at(int64_t position) const;

 private:
  int64_t samples_;
  uint64_t seed_;
};

}  // namespace sizewise

/// Exports a class that derives from sizewise::Dataset and is made from (const Options&).
#define SIZEWISE_DATASET(Class)                                                        \
  static_assert(std::derived_from<Class, ::sizewise::Dataset>,                         \
                #Class " must derive publicly from sizewise::Dataset");                \
  static_assert(::sizewise::detail::kIsPluginConstructible<Class>,                     \
                #Class " needs a public constructor from (const sizewise::Options&)"); \
  SIZEWISE_EXPORT_PLUGIN(::sizewise::Dataset, Class, SIZEWISE_KIND_DATASET)
