#include "training/flop_counter.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/library.h>

#include "sizewise/model.hpp"

#include "support/networks.hpp"
#include "training/create_model.hpp"

namespace sizewise::training {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kSamples = 3;  // as in flop_reference.py

/// Forward, and forward with backward.
using Counts = std::pair<int64_t, int64_t>;

at::Tensor input_for(const DatasetInfo& data) {
  std::vector<int64_t> shape{kSamples};
  shape.insert(shape.end(), data.input_shape.begin(), data.input_shape.end());
  return data.input_type == "int64" ? at::randint(data.vocabulary, shape, at::kLong)
                                    : at::randn(shape);
}

Counts count(const std::string& name, int64_t size) {
  const DatasetInfo data = test::data_for(name);
  const auto model = create_model(test::make_family(name, data), size, 0);
  const at::Tensor input = input_for(data);
  const FlopCounter counter;
  const at::Tensor output = model->forward({{"input", input}}).at("output");
  const int64_t forward = counter.count().flops;
  output.sum().backward();
  EXPECT_THAT(counter.count().uncounted, IsEmpty()) << name;
  return {forward, counter.count().flops};
}

template <class Call>
FlopCount counted(Call&& call) {
  const FlopCounter counter;
  call();
  return counter.count();
}

/// What flop_reference.py prints: PyTorch's counter, run now.
nlohmann::json reference() {
  static const nlohmann::json kReference = [] {
    const std::string command = SIZEWISE_PYTHON " " SIZEWISE_FLOP_REFERENCE;
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"),
                                                     &::pclose);
    std::string text;
    std::array<char, 4096> buffer{};
    while (pipe != nullptr) {
      const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
      if (count == 0) {
        break;
      }
      text.append(buffer.data(), count);
    }
    return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  }();
  return kReference;
}

class EqualsPyTorch : public ::testing::TestWithParam<std::pair<const char*, int64_t>> {};

TEST_P(EqualsPyTorch, ForwardAndBackward) {
  const auto [name, size] = GetParam();
  ASSERT_TRUE(reference().is_object())
      << SIZEWISE_PYTHON " cannot run " SIZEWISE_FLOP_REFERENCE;
  // PyTorch's counter does not know oneDNN's fused LSTM layer; ours is tested below.
  const bool had_mkldnn = at::globalContext().userEnabledMkldnn();
  at::globalContext().setUserEnabledMkldnn(false);
  const Counts ours = count(name, size);
  at::globalContext().setUserEnabledMkldnn(had_mkldnn);
  EXPECT_EQ(ours.first, reference().at(name).at(0).get<int64_t>());
  EXPECT_EQ(ours.second, reference().at(name).at(1).get<int64_t>());
}

INSTANTIATE_TEST_SUITE_P(FlopCounter,
                         EqualsPyTorch,
                         ::testing::Values(std::pair{"mlp", 16},
                                           std::pair{"cnn", 6},
                                           std::pair{"gpt", 16},
                                           std::pair{"upsampler", 4},
                                           std::pair{"lstm", 8},
                                           std::pair{"translator", 8}),
                         [](const auto& network) {
                           return network.param.first;
                         });

TEST(FlopCounter, CountsAttentionAlikeForTheFusedKernelAndThePlainOne) {
  const auto attend = [] {
    const auto make = [](int64_t positions, int64_t width) {
      return at::randn({2, 3, positions, width}).requires_grad_(true);
    };
    at::scaled_dot_product_attention(make(10, 8), make(14, 8), make(14, 8))
        .sum()
        .backward();
  };
  at::globalContext().setSDPUseMath(true);
  const int64_t fused = counted(attend).flops;
  at::globalContext().setSDPUseFlash(false);
  const int64_t plain = counted(attend).flops;
  at::globalContext().setSDPUseFlash(true);
  const int64_t product = 2 * 2 * 3 * 10 * 14 * 8;
  EXPECT_EQ(plain, 6 * product);
  EXPECT_EQ(fused, 6 * product);
}

TEST(FlopCounter, CountsOneDnnsLstmLayerLikeItsMatrices) {
  const Counts fused = count("lstm", 8);
  at::globalContext().setUserEnabledMkldnn(false);
  const Counts parted = count("lstm", 8);
  at::globalContext().setUserEnabledMkldnn(true);
  EXPECT_EQ(fused.first, parted.first);
  // The fused layer computes the gradient of the first hidden state too, which nobody
  // asked for: one product of {samples, width} with {width, 4 width} a layer.
  EXPECT_EQ(fused.second, parted.second + 2 * (2 * kSamples * 8 * 32));
}

TEST(FlopCounter, CountsWhatEinsumAndProductsWithVectorsRun) {
  const auto [forward, both] = count("bilinear", 6);
  const int64_t enter = 2 * kSamples * 11 * 6;
  const int64_t vector = 2 * kSamples * 6;
  const int64_t head = 2 * kSamples * 6 * 5;
  EXPECT_GE(forward, enter + vector + head + 2 * kSamples * 6 * 6 * 6);
  EXPECT_GT(both, 2 * forward);
}

TEST(FlopCounter, CountsEachFormOfAProductOnce) {
  const at::Tensor a = at::randn({4, 5});
  const at::Tensor b = at::randn({5, 6});
  const at::Tensor c = at::randn({4, 6});
  const at::Tensor x = at::randn({5});
  const int64_t matrices = 2 * 4 * 5 * 6;
  EXPECT_EQ(counted([&] {
              a.mm(b);
            }).flops,
            matrices);
  EXPECT_EQ(counted([&] {
              a.matmul(b);
            }).flops,
            matrices);
  EXPECT_EQ(counted([&] {
              at::addmm(c, a, b);
            }).flops,
            matrices);
  EXPECT_EQ(counted([&] {
              c.clone().addmm_(a, b);
            }).flops,
            matrices);
  EXPECT_EQ(counted([&] {
              at::linear(a, b.t());
            }).flops,
            matrices);
  EXPECT_EQ(counted([&] {
              at::einsum("ij,jk->ik", {a, b});
            }).flops,
            matrices);
  EXPECT_EQ(counted([&] {
              a.unsqueeze(0).bmm(b.unsqueeze(0));
            }).flops,
            matrices);
  EXPECT_EQ(counted([&] {
              at::baddbmm(c.unsqueeze(0), a.unsqueeze(0), b.unsqueeze(0));
            }).flops,
            matrices);
  EXPECT_EQ(counted([&] {
              a.mv(x);
            }).flops,
            2 * 4 * 5);
  EXPECT_EQ(counted([&] {
              at::addmv(c.select(1, 0), a, x);
            }).flops,
            2 * 4 * 5);
  EXPECT_EQ(counted([&] {
              x.dot(x);
            }).flops,
            2 * 5);
  EXPECT_EQ(counted([&] {
              at::relu(a) + a;
            }).flops,
            0);
}

TEST(FlopCounter, CountsOneDnnsLinearLayer) {
  const at::Tensor input = at::randn({4, 5});
  const at::Tensor weight = at::randn({6, 5});
  const FlopCount count = counted([&] {
    at::linear(input.to_mkldnn(), weight.to_mkldnn(), at::randn({6}).to_mkldnn());
  });
  EXPECT_EQ(count.flops, 2 * 4 * 5 * 6);
}

TEST(FlopCounter, StopsWithItsLife) {
  const at::Tensor a = at::randn({4, 4});
  EXPECT_EQ(counted([&] {
              a.mm(a);
            }).flops,
            128);
  a.mm(a);
  EXPECT_EQ(counted([] {}).flops, 0);
}

at::Tensor own_product(const at::Tensor& left, const at::Tensor& right) {
  return left.sum() + right.sum();
}

TORCH_LIBRARY(sizewise_test, library) {
  library.def("own_product", &own_product);
}

TEST(FlopCounter, NamesMatrixWorkThatHasNoFormula) {
  const at::Tensor a = at::randn({40, 3});
  const FlopCount distances = counted([&] {
    at::cdist(a, a, 1.0);
  });
  EXPECT_THAT(distances.uncounted, ElementsAre("aten::_cdist_forward", "aten::cdist"));
  const auto own = c10::Dispatcher::singleton()
                       .findSchemaOrThrow("sizewise_test::own_product", "")
                       .typed<at::Tensor(const at::Tensor&, const at::Tensor&)>();
  EXPECT_THAT(counted([&] {
                own.call(a, a);
              }).uncounted,
              ElementsAre("sizewise_test::own_product"));
}

TEST(FlopCounter, DoesNotSuspectElementwiseWork) {
  const at::Tensor a = at::rand({4, 4}) + 1;
  const FlopCount count = counted([&] {
    at::igamma(a, a);
    at::lerp(a, a, a);
    at::cat({a, a});
    at::upsample_bilinear2d(a.view({1, 1, 4, 4}), {8, 8}, false);
  });
  EXPECT_THAT(count.uncounted, IsEmpty());
}

}  // namespace
}  // namespace sizewise::training
