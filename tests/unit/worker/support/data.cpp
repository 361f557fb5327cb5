#include "support/data.hpp"

#include <atomic>
#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "support/networks.hpp"

namespace sizewise::test {
namespace {

/// Inputs are random; a target is a fixed function of its input.
class SyntheticDataset final : public Dataset {
 public:
  explicit SyntheticDataset(DatasetInfo data) : data_(std::move(data)) {
    const int64_t samples = data_.train_samples + data_.validation_samples;
    auto generator = at::make_generator<at::CPUGeneratorImpl>(7);
    std::vector<int64_t> shape{samples};
    shape.insert(shape.end(), data_.input_shape.begin(), data_.input_shape.end());
    if (data_.input_type == "int64") {
      inputs_ = at::randint(data_.vocabulary, shape, generator, at::kLong);
      targets_ = (inputs_ * 5 + 3).remainder(data_.classes);
    } else {
      inputs_ = at::randn(shape, generator, at::TensorOptions(at::kFloat));
      const at::Tensor flat = inputs_.flatten(1);
      const at::Tensor mix = at::randn(
          {flat.size(1), data_.classes}, generator, at::TensorOptions(at::kFloat));
      targets_ = flat.matmul(mix).argmax(1);
    }
  }

  [[nodiscard]] const DatasetInfo& info() const override { return data_; }

  [[nodiscard]] TensorMap batch(const BatchRequest& request) const override {
    std::vector<int64_t> rows;
    if (request.split == Split::kValidation) {
      for (int64_t i = 0; i < request.samples; ++i) {
        rows.push_back(data_.train_samples + request.first_sample + i);
      }
    } else {
      const EpochShuffle order(data_.train_samples, request.seed);
      for (int64_t i = 0; i < request.samples; ++i) {
        rows.push_back(order.sample_at(request.first_sample + i));
      }
    }
    const at::Tensor index = at::tensor(rows, at::kLong);
    return {{"input", inputs_.index_select(0, index)},
            {"target", targets_.index_select(0, index)}};
  }

  [[nodiscard]] std::string fingerprint() const override { return data_.to_json(); }

 private:
  DatasetInfo data_;
  at::Tensor inputs_;
  at::Tensor targets_;
};

class CrossEntropy : public Loss {
 public:
  [[nodiscard]] LossValue compute(const TensorMap& outputs,
                                  const TensorMap& batch,
                                  bool count_hits) const override {
    const at::Tensor output = tensor_at(outputs, "output");
    const at::Tensor scores = output.reshape({-1, output.size(-1)});
    const at::Tensor target = mask(tensor_at(batch, "target").flatten());
    const at::Tensor counted = target.ne(kIgnored);
    LossValue value;
    value.mean =
        at::cross_entropy_loss(scores, target, {}, at::Reduction::Mean, kIgnored);
    value.units = counted.sum().item<int64_t>();
    if (count_hits) {
      value.hits = scores.argmax(-1).eq(target).sum();
    }
    return value;
  }

 protected:
  static constexpr int64_t kIgnored = -100;
  [[nodiscard]] virtual at::Tensor mask(const at::Tensor& target) const { return target; }
};

class MaskedCrossEntropy final : public CrossEntropy {
  [[nodiscard]] at::Tensor mask(const at::Tensor& target) const override {
    return target.masked_fill(target.remainder(3).eq(0), kIgnored);
  }
};

class FailingLoss final : public Loss {
 public:
  explicit FailingLoss(int64_t good_calls) : left_(good_calls) {}
  [[nodiscard]] LossValue compute(const TensorMap& outputs,
                                  const TensorMap& batch,
                                  bool count_hits) const override {
    LossValue value = inner_.compute(outputs, batch, count_hits);
    if (left_-- <= 0) {
      value.mean = value.mean * std::numeric_limits<float>::quiet_NaN();
    }
    return value;
  }

 private:
  CrossEntropy inner_;
  mutable std::atomic<int64_t> left_;
};

}  // namespace

training::Named<Dataset> make_dataset(DatasetInfo data,
                                      int64_t train,
                                      int64_t validation) {
  data.train_samples = train > 0 ? train : data.train_samples;
  data.validation_samples = validation > 0 ? validation : data.validation_samples;
  return {"synthetic", std::make_shared<SyntheticDataset>(std::move(data))};
}

training::Named<Loss> make_cross_entropy() {
  return {"cross_entropy", std::make_shared<CrossEntropy>()};
}

training::Named<Loss> make_masked_cross_entropy() {
  return {"masked_cross_entropy", std::make_shared<MaskedCrossEntropy>()};
}

training::Named<Loss> make_failing_loss(int64_t good_calls) {
  return {"failing", std::make_shared<FailingLoss>(good_calls)};
}

training::Ingredients make_ingredients(const std::string& family) {
  const DatasetInfo data = data_for(family);
  training::Ingredients parts{
      make_family(family, data), make_dataset(data), make_cross_entropy(), Recipe{}};
  parts.recipe.batch_size = 8;
  return parts;
}

}  // namespace sizewise::test
