#include "quantizing/onednn_linear.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "kernels/int8_product.hpp"
#include "kernels/processor_level.hpp"
#include "quantizing/made_up_weights.hpp"

// oneDNN's product beside our own. These run again in processes whose environment caps
// the processor's level (CMakeLists.txt).
namespace sizewise::quantizing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

/// The same layer by oneDNN and by our loops.
struct TwoProducts {
  std::vector<float> onednn;
  std::vector<float> own;
};

TwoProducts both(int64_t rows, int64_t columns, int64_t channels, bool per_row) {
  const at::Tensor x = torch::randn({rows, columns}) + 0.3;
  kernels::CodeBuffer buffer;
  EXPECT_FALSE(quantize_dynamic(
      {x.const_data_ptr<float>(), rows, columns, columns},
      per_row ? kernels::CodeRange::kSymmetric : kernels::CodeRange::kAsymmetric,
      per_row ? kernels::ScalePer::kRow : kernels::ScalePer::kTensor,
      buffer));
  const at::Tensor codes = torch::randint(-128, 128, {channels, columns}, torch::kChar);
  const auto* first = codes.const_data_ptr<int8_t>();
  const std::vector<int8_t> weights(first, first + codes.numel());
  const at::Tensor scales = torch::rand({channels});
  const auto* scale = scales.const_data_ptr<float>();
  const at::Tensor biases = torch::randn({channels});
  const auto* bias = biases.const_data_ptr<float>();
  TwoProducts products;
  products.onednn.resize(static_cast<std::size_t>(rows * channels));
  products.own.resize(products.onednn.size());
  EXPECT_TRUE(OnednnLinear::takes(buffer.view()));
  OnednnLinear(weights, channels, columns)
      .multiply(buffer.view(), scale, bias, products.onednn.data());
  multiply(kernels::Int8Weights(
               weights, channels, columns, {scale, static_cast<std::size_t>(channels)}),
           buffer.view(),
           {0, channels},
           bias,
           products.own.data(),
           channels);
  return products;
}

/// What this program prints in a process of its own, where LibTorch starts anew.
std::string output_of_child(const std::string& environment, const std::string& test) {
  const std::string command = environment + " '" +
                              std::filesystem::read_symlink("/proc/self/exe").string() +
                              "' --gtest_filter=" + test + " 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  std::vector<char> part(4096);
  while (pipe != nullptr) {
    const std::size_t count = fread(part.data(), 1, part.size(), pipe.get());
    if (count == 0) {
      break;
    }
    text.append(part.data(), count);
  }
  return text;
}

TEST(OnednnLinear, HasTheBitsOfOurProductWhereItIsTaken) {
  torch::manual_seed(1);
  if (!fault_of_onednn_linear().empty()) {
    EXPECT_EQ(onednn_route(), "");
    EXPECT_FALSE(onednn_pays(1 << 20, int64_t{1} << 50));
    return;
  }
  for (const bool per_row : {false, true}) {
    for (const auto& [rows, columns, channels] : std::vector<std::array<int64_t, 3>>{
             {1, 64, 10}, {64, 4096, 256}, {33, 77, 19}, {16, 1001, 130}}) {
      const TwoProducts products = both(rows, columns, channels, per_row);
      EXPECT_EQ(products.onednn, products.own) << rows << " x " << columns;
    }
  }
}

TEST(OnednnLinear, IsNotTakenWhereItsSumsSaturate) {
  const char* cap = std::getenv("ONEDNN_MAX_CPU_ISA");
  const std::string isa = cap == nullptr ? "" : cap;
  if (isa == "AVX2" || isa == "AVX512_CORE") {
    EXPECT_THAT(fault_of_onednn_linear(), HasSubstr("sums of 255 x"));
    EXPECT_LE(kernels::used_level(), kernels::ProcessorLevel::kAvx2);
    return;
  }
  const std::string found =
      output_of_child("ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2",
                      "OnednnLinear.IsNotTakenWhereItsSumsSaturate");
  EXPECT_THAT(found, HasSubstr("[  PASSED  ] 1 test."));
}

TEST(OnednnLinear, IsTakenWhereOnlyOurLoopsAreCapped) {
  if (std::getenv("ATEN_CPU_CAPABILITY") == nullptr) {
    const std::string found = output_of_child(
        "ATEN_CPU_CAPABILITY=avx2", "OnednnLinear.IsTakenWhereOnlyOurLoopsAreCapped");
    EXPECT_THAT(found, HasSubstr("[  PASSED  ] 1 test."));
    return;
  }
  const bool exact = fault_of_onednn_linear().empty();
  EXPECT_EQ(onednn_pays(64, int64_t{1} << 30), exact);
  test::LayerPlan plan{512, 1024};
  const auto kernel = test::made_kernel(plan);
  EXPECT_EQ(kernel->route().find("onednn") != std::string::npos, exact);
  const int64_t before = kernel->bytes();
  const at::Tensor x = torch::randn({64, 1024});
  const at::Tensor many = kernel->linear(x, std::nullopt);
  EXPECT_EQ(kernel->bytes() > before, exact);  // what oneDNN has packed for itself
  EXPECT_TRUE(
      kernel->linear(x.narrow(0, 5, 1), std::nullopt).equal(many.narrow(0, 5, 1)));
  plan.scheme = Scheme::kAsymmetric;
  EXPECT_THAT(test::made_kernel(plan)->route(), Not(HasSubstr("onednn")));
}

TEST(OnednnLinear, RunsInt8KernelsAndNoReference) {
  if (std::getenv("ONEDNN_VERBOSE") != nullptr) {
    (void)both(64, 1024, 256, true);
    return;
  }
  const std::string found =
      output_of_child("ONEDNN_VERBOSE=1", "OnednnLinear.RunsInt8KernelsAndNoReference");
  // Such as "exec,cpu,matmul,brg_matmul:avx512_core_vnni,undef,src:u8:a:... wei:s8:...".
  EXPECT_THAT(found, ContainsRegex("exec,cpu,matmul,[^,]*,[^,]*,src:u8.* wei:s8"));
  EXPECT_THAT(found, Not(HasSubstr(",ref")));
}

}  // namespace
}  // namespace sizewise::quantizing
