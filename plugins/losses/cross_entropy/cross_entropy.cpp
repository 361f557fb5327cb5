#include <sstream>

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>

#include "sizewise/error.hpp"
#include "sizewise/loss.hpp"

namespace {

using sizewise::Error;
using sizewise::ErrorCode;
using sizewise::LossValue;
using sizewise::TensorMap;

// LibTorch's and Python's default.
constexpr int64_t kNoLabel = -100;

/// Scores `output` {batch, [positions...,] classes} against labels `target` {batch,
/// [positions...]}. A unit is one label; a label of -100 is none: it is scored nowhere.
class CrossEntropy final : public sizewise::Loss {
 public:
  [[nodiscard]] LossValue compute(const TensorMap& outputs,
                                  const TensorMap& batch,
                                  bool count_hits) const override {
    const at::Tensor& output = sizewise::tensor_at(outputs, "output");
    const at::Tensor& target = sizewise::tensor_at(batch, "target");
    check(output, target);
    const at::Tensor labels = target.flatten();
    // In bfloat16 the logarithm of a sum over classes would be good to 2 digits only.
    const at::Tensor scores = output.flatten(0, -2).to(
        output.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
    LossValue value;
    value.mean =
        at::cross_entropy_loss(scores, labels, {}, at::Reduction::Mean, kNoLabel);
    value.units = labels.ne(kNoLabel).sum().item<int64_t>();
    if (count_hits) {
      value.hits = scores.argmax(-1).eq(labels).sum();
    }
    return value;
  }

 private:
  static void check(const at::Tensor& output, const at::Tensor& target) {
    if (output.dim() < 2 || !output.is_floating_point() ||
        target.scalar_type() != at::kLong ||
        output.sizes().slice(0, output.dim() - 1) != target.sizes()) {
      std::ostringstream text;
      text << "cross_entropy: the model's 'output' is " << output.toString() << ' '
           << output.sizes() << " and the dataset's 'target' is " << target.toString()
           << ' ' << target.sizes()
           << "; allowed: floating-point scores {batch, [positions,] classes} and int64 "
              "labels of the same shape without its last dimension";
      throw Error(ErrorCode::kPlugin,
                  text.str(),
                  "choose a model that scores classes and a dataset with labels, or "
                  "--loss mse for targets that are numbers");
    }
  }
};

}  // namespace

SIZEWISE_LOSS(CrossEntropy)
