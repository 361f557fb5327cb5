#include <sizewise/model.hpp>

#define SIZEWISE_PLUGIN_KIND SIZEWISE_KIND_MODEL

class Net : public torch::nn::Module {
 public:
  explicit Net(int64_t /*size*/) {}
  torch::Tensor forward(const torch::Tensor& input) { return input; }
  int64_t count_parameters() const { return sizewise::count_params(*this); }
};

SIZEWISE_MODEL(Net)
