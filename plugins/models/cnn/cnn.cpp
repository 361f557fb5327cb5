#include <string>
#include <vector>

#include <ATen/ops/max_pool2d.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

namespace {

using sizewise::DatasetInfo;
using sizewise::Error;
using sizewise::ErrorCode;
using sizewise::Options;
using torch::nn::Conv2d;
using torch::nn::Conv2dOptions;
using torch::nn::GroupNorm;
using torch::nn::GroupNormOptions;
using torch::nn::Linear;

/// Blocks of 3x3 convolution, norm, ReLU and 2x2 max pooling, then the mean over what is
/// left of the image, then a linear layer. The norm is over a whole sample, so that a
/// sample's outputs never depend on its batch.
class Cnn : public torch::nn::Module {
 public:
  /// @throws Error kConfiguration where channels < 1, or the data are no images of at
  /// least 2^blocks pixels a side with classes
  Cnn(int64_t channels, const Options& options, const DatasetInfo& data) {
    check(channels, options, data);
    int64_t inputs = data.channels;
    int64_t outputs = channels;
    for (int64_t block = 0; block < options.get<int64_t>("blocks"); ++block) {
      const std::string number = std::to_string(block);
      // The norm that follows has a bias, which makes one here redundant.
      convolutions_.push_back(register_module(
          "convolution" + number,
          Conv2d(Conv2dOptions(inputs, outputs, 3).padding(1).bias(false))));
      norms_.push_back(
          register_module("norm" + number, GroupNorm(GroupNormOptions(1, outputs))));
      inputs = outputs;
      outputs *= 2;
    }
    head_ = register_module("head", Linear(inputs, data.classes));
  }

  /// {batch, channels, height, width} -> {batch, classes}
  at::Tensor forward(const at::Tensor& input) {
    at::Tensor image = input;
    for (std::size_t block = 0; block < convolutions_.size(); ++block) {
      image = norms_[block]->forward(convolutions_[block]->forward(image)).relu_();
      image = at::max_pool2d(image, {2, 2});
    }
    return head_(image.mean({2, 3}));
  }

  int64_t num_params() const { return sizewise::count_params(*this); }

  static int64_t num_params_of(int64_t channels,
                               const Options& options,
                               const DatasetInfo& data) {
    check(channels, options, data);
    int64_t params = 0;
    int64_t inputs = data.channels;
    int64_t outputs = channels;
    for (int64_t block = 0; block < options.get<int64_t>("blocks"); ++block) {
      params += 9 * inputs * outputs + 2 * outputs;
      inputs = outputs;
      outputs *= 2;
    }
    return params + (inputs + 1) * data.classes;
  }

 private:
  static void check(int64_t channels, const Options& options, const DatasetInfo& data) {
    if (channels < 1) {
      throw Error(
          ErrorCode::kConfiguration,
          "cnn: the channels are " + std::to_string(channels) + "; allowed: 1 or more");
    }
    if (data.channels < 1 || data.input_shape.size() != 3 || data.classes < 1 ||
        data.input_shape[0] != data.channels || !data.target_shape.empty()) {
      throw Error(ErrorCode::kConfiguration,
                  "cnn: the dataset has inputs of " +
                      std::to_string(data.input_shape.size()) + " dimensions, " +
                      std::to_string(data.channels) + " channels and " +
                      std::to_string(data.classes) +
                      " classes; allowed: images {channels, height, width} with one "
                      "label each",
                  "choose a dataset of images: --dataset idx_images");
    }
    const int64_t least = int64_t{1} << options.get<int64_t>("blocks");
    if (data.input_shape[1] < least || data.input_shape[2] < least) {
      throw Error(ErrorCode::kConfiguration,
                  "cnn: the images are " + std::to_string(data.input_shape[1]) + " x " +
                      std::to_string(data.input_shape[2]) + "; " +
                      std::to_string(options.get<int64_t>("blocks")) +
                      " blocks, each of which halves them, need at least " +
                      std::to_string(least) + " x " + std::to_string(least),
                  "set the option blocks to a smaller number");
    }
  }

  std::vector<Conv2d> convolutions_;
  std::vector<GroupNorm> norms_;
  Linear head_{nullptr};
};

}  // namespace

SIZEWISE_MODEL(Cnn)
