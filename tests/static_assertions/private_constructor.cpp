#include <sizewise/model.hpp>

#define SIZEWISE_PLUGIN_KIND SIZEWISE_KIND_MODEL

class Net : public torch::nn::Module {
 public:
  torch::Tensor forward(const torch::Tensor& input) { return input; }
  int64_t num_params() const { return sizewise::count_params(*this); }

 private:
  explicit Net(int64_t /*size*/) {}
};

SIZEWISE_MODEL(Net)
