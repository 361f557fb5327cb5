#include <sizewise/model.hpp>

#define SIZEWISE_PLUGIN_KIND SIZEWISE_KIND_MODEL

class Net : private torch::nn::Module {
 public:
  explicit Net(int64_t /*size*/) {}
  torch::Tensor forward(const torch::Tensor& input) { return input; }
  int64_t num_params() const { return 1; }
};

SIZEWISE_MODEL(Net)
