#include <sizewise/model.hpp>

#define SIZEWISE_PLUGIN_KIND SIZEWISE_KIND_MODEL

class Net : public torch::nn::Module {
 public:
  explicit Net(int64_t /*size*/) {}
  torch::Tensor forward(const torch::Tensor& input) { return input; }
};

SIZEWISE_MODEL(Net)
