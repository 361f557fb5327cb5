#include "quantizing/onednn_convolution.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sizewise/error.hpp"

#include "quantizing/convolution_reference.hpp"
#include "quantizing/convolution_routes.hpp"

namespace sizewise::quantizing {
namespace {

// A size of which oneDNN's messages tell this convolution from those of the self-test.
const test::ConvolutionCase kDense{
    "dense", {2, 64, 20, 20}, {64, 64, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, {0, 0}, false, 1}};

QuantizedWeight dense_weight(const test::WeightKind& kind = {}) {
  QuantizedWeight weight = test::random_weight(kDense, kind);
  weight.numbers.activation = ActivationTreatment::kDynamicPerTensor;
  return weight;
}

/// What this program prints to both streams when it runs one of its tests anew, with a
/// variable set.
std::string output_of_test(const std::string& test, const std::string& variable) {
  const std::string program = std::string("/proc/") + std::to_string(::getpid()) + "/exe";
  const std::string command =
      variable + " " + program + " --gtest_filter=" + test + " 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"),
                                                   &::pclose);
  std::string text;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), static_cast<int>(part.size()), pipe.get()) != nullptr) {
    text += part.data();
  }
  return text;
}

TEST(OnednnConvolution, RunsADenseConvolutionWhereItIsExact) {
  const QuantizedWeight weight = dense_weight();
  if (!can_run_onednn(weight)) {
    EXPECT_THAT(fault_of_onednn_convolution(), testing::HasSubstr("sums"));
    EXPECT_THROW(static_cast<void>(make_convolution(weight, ConvolutionRoute::kOnednn)),
                 Error);
    EXPECT_EQ(choose_route(weight, 1), ConvolutionRoute::kColumns);
    return;
  }
  EXPECT_EQ(fault_of_onednn_convolution(), "");
  const at::Tensor output =
      make_convolution(weight, ConvolutionRoute::kOnednn)
          ->run(test::random_input(kDense.input), std::nullopt, kDense.geometry);
  EXPECT_EQ(output.sizes(), at::IntArrayRef({2, 64, 20, 20}));
}

/// As oneDNN itself tells.
TEST(OnednnConvolution, RunsBytesAndNoReferenceKernel) {
  if (!fault_of_onednn_convolution().empty()) {
    EXPECT_FALSE(can_run_onednn(dense_weight()));
    return;
  }
  std::istringstream output(output_of_test(
      "OnednnConvolution.RunsADenseConvolutionWhereItIsExact", "ONEDNN_VERBOSE=1"));
  std::string line;
  int runs = 0;
  while (std::getline(output, line)) {
    if (line.find("exec,cpu,convolution") == std::string::npos ||
        line.find("mb2_ic64oc64_ih20") == std::string::npos) {
      continue;
    }
    ++runs;
    EXPECT_THAT(line, testing::HasSubstr("src:u8"));
    EXPECT_THAT(line, testing::HasSubstr("wei:s8"));
    EXPECT_THAT(line, testing::Not(testing::HasSubstr("convolution,ref")));
  }
  EXPECT_EQ(runs, 1);
}

TEST(OnednnConvolution, IsNotAskedForWhatItWouldIgnore) {
  const QuantizedWeight weight = dense_weight();
  const auto refuses = [](const QuantizedWeight& other) {
    EXPECT_FALSE(can_run_onednn(other));
    EXPECT_THROW(static_cast<void>(make_convolution(other, ConvolutionRoute::kOnednn)),
                 Error);
  };
  refuses(dense_weight({.scheme = Scheme::kAsymmetric}));
  refuses(dense_weight({.granularity = Granularity::kGroup, .group_size = 64}));
  QuantizedWeight per_image = weight;
  per_image.numbers.activation = ActivationTreatment::kDynamicPerToken;
  refuses(per_image);
  QuantizedWeight transposed = weight;
  transposed.use = WeightUse::kTransposedConvolution;
  refuses(transposed);
}

}  // namespace
}  // namespace sizewise::quantizing
