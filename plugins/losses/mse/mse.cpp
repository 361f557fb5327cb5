#include <sstream>

#include <ATen/ops/mse_loss.h>

#include "sizewise/error.hpp"
#include "sizewise/loss.hpp"

namespace {

using sizewise::Error;
using sizewise::ErrorCode;
using sizewise::LossValue;
using sizewise::TensorMap;

/// The squared difference of `output` and `target`, which have one shape {batch, ...}. A
/// unit is one sample: the mean is over its numbers, then over samples.
class MeanSquaredError final : public sizewise::Loss {
 public:
  [[nodiscard]] LossValue compute(const TensorMap& outputs,
                                  const TensorMap& batch,
                                  bool /*count_hits*/) const override {
    const at::Tensor& output = sizewise::tensor_at(outputs, "output");
    const at::Tensor& target = sizewise::tensor_at(batch, "target");
    check(output, target);
    LossValue value;
    // In bfloat16 a mean over many samples would lose the small differences.
    value.mean = at::mse_loss(
        output.scalar_type() == at::kDouble ? output : output.to(at::kFloat), target);
    value.units = target.size(0);
    return value;
  }

 private:
  static void check(const at::Tensor& output, const at::Tensor& target) {
    if (output.dim() < 1 || output.sizes() != target.sizes() ||
        !output.is_floating_point() || !target.is_floating_point()) {
      std::ostringstream text;
      text << "mse: the model's 'output' is " << output.toString() << ' '
           << output.sizes() << " and the dataset's 'target' is " << target.toString()
           << ' ' << target.sizes()
           << "; allowed: floating-point numbers of one shape {batch, ...}";
      throw Error(ErrorCode::kPlugin,
                  text.str(),
                  "choose a dataset whose targets are numbers, or --loss cross_entropy "
                  "for labels");
    }
  }
};

}  // namespace

SIZEWISE_LOSS(MeanSquaredError)
