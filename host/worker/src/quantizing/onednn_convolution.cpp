#include "quantizing/onednn_convolution.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <ATen/TensorOperators.h>
#include <ATen/core/stack.h>
#include <ATen/cpu/Utils.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "quantizing/operator_call.hpp"
#include "training/guarded.hpp"

namespace sizewise::quantizing {
namespace {

// Weights are packed for a zero point other than 0, which may be any then.
constexpr int64_t kSomeZeroPoint = 1;

std::vector<int64_t> with_flat_axis(std::vector<int64_t> numbers, int64_t flat) {
  numbers.insert(numbers.begin(), flat);
  return numbers;
}

ConvolutionGeometry with_flat_axis(const ConvolutionGeometry& geometry) {
  ConvolutionGeometry wider = geometry;
  wider.stride = with_flat_axis(geometry.stride, 1);
  wider.padding = with_flat_axis(geometry.padding, 0);
  wider.dilation = with_flat_axis(geometry.dilation, 1);
  return wider;
}

/// A convolution that the self-test tries.
struct Trial {
  const char* what;
  int64_t channels;
  int64_t outputs;
  int64_t groups;
};

// oneDNN has other code for each kind.
constexpr Trial kTrials[] = {{"a dense convolution", 64, 64, 1},
                             {"a convolution of few channels", 3, 17, 1},
                             {"a convolution of groups", 32, 48, 2},
                             {"a depthwise convolution", 40, 40, 40}};

/// Codes from `least` on, in no short period, or all the same.
at::Tensor trial_codes(at::IntArrayRef shape, int64_t least, std::optional<int64_t> all) {
  at::Tensor codes = at::full(shape, all.value_or(0), at::kLong);
  auto* values = codes.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; !all && i < codes.numel(); ++i) {
    values[i] =
        static_cast<int64_t>((static_cast<uint32_t>(i) * 2654435761U >> 13) & 255) +
        least;
  }
  return codes;
}

/// @param all the code of every weight, the inputs' being 255; nothing for scattered
/// codes
bool is_exact(const Trial& trial, std::optional<int64_t> all) {
  constexpr int64_t kSize = 9;
  const int64_t zero_point = all ? 0 : 7;
  const at::Tensor weight =
      trial_codes({trial.outputs, trial.channels / trial.groups, 3, 3}, -128, all);
  const std::optional<int64_t> input_code = all ? std::optional<int64_t>(255) : all;
  const at::Tensor input = trial_codes({2, kSize, kSize, trial.channels}, 0, input_code);
  const ConvolutionGeometry geometry{{1, 2}, {1, 1}, {1, 1}, {0, 0}, false, trial.groups};
  CodedImages coded;
  coded.codes = input.to(at::kByte).reshape({-1});
  coded.images = input.size(0);
  coded.channels = trial.channels;
  coded.framed_sizes = {kSize, kSize};
  coded.parameters = {{1.0F, static_cast<int32_t>(zero_point)}};
  const OnednnConvolution convolution(
      weight.to(at::kChar), at::ones({trial.outputs}), geometry);
  const at::Tensor sums = convolution.run(coded, {});
  // In double the sums are exact.
  const at::Tensor values = (input - zero_point).permute({0, 3, 1, 2});
  const at::Tensor expected = at::convolution(values.to(at::kDouble),
                                              weight.to(at::kDouble),
                                              std::nullopt,
                                              geometry.stride,
                                              geometry.padding,
                                              geometry.dilation,
                                              false,
                                              geometry.output_padding,
                                              trial.groups);
  const double most = expected.abs().max().item<double>();
  return (sums.to(at::kDouble) - expected).abs().max().item<double>() <= 1e-6 * most;
}

std::string find_convolution_fault() {
  const c10::NoGradGuard no_gradients;
  try {
    for (const Trial& trial : kTrials) {
      for (const int64_t all : {127, -128}) {
        if (!is_exact(trial, all)) {
          return fmt::format("sums of 255 x {} in {}", all, trial.what);
        }
      }
      if (!is_exact(trial, std::nullopt)) {
        return fmt::format("sums in {}", trial.what);
      }
    }
  } catch (const std::exception& error) {
    return training::without_backtrace(error.what());
  }
  return {};
}

bool environment_allows_tiles() {
  const char* variable = std::getenv("ONEDNN_MAX_CPU_ISA");
  std::string isa = variable == nullptr ? "" : variable;
  std::transform(isa.begin(), isa.end(), isa.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return isa.empty() || isa == "default" || isa == "all" ||
         isa.find("amx") != std::string::npos;
}

}  // namespace

const std::string& fault_of_onednn_convolution() {
  static const std::string kFault = find_convolution_fault();
  return kFault;
}

bool onednn_has_tiles() {
  static const bool kHasTiles = [] {
    const auto capabilities = at::cpu::get_cpu_capabilities();
    const auto found = capabilities.find("amx_int8");
    return found != capabilities.end() && found->second.isBool() &&
           found->second.toBool() && environment_allows_tiles();
  }();
  return kHasTiles;
}

OnednnConvolution::OnednnConvolution(const at::Tensor& codes,
                                     const at::Tensor& scales,
                                     const ConvolutionGeometry& geometry)
    : geometry_(codes.dim() == 3 ? with_flat_axis(geometry) : geometry),
      is_flat_(codes.dim() == 3),
      scales_(scales.contiguous()),
      zero_points_(at::zeros({scales.size(0)}, at::kInt)) {
  packed_ = call_operator("onednn::qconv_prepack",
                          {is_flat_ ? codes.unsqueeze(2) : codes,
                           scales_,
                           1.0,
                           kSomeZeroPoint,
                           geometry_.stride,
                           geometry_.padding,
                           geometry_.dilation,
                           geometry_.groups,
                           c10::IValue()});
}

at::Tensor OnednnConvolution::run(const CodedImages& coded,
                                  const at::Tensor& bias) const {
  std::vector<int64_t> sizes = coded.framed_sizes;
  if (is_flat_) {
    sizes = with_flat_axis(sizes, 1);
  }
  std::vector<int64_t> shape{coded.images};
  std::vector<int64_t> order{0, static_cast<int64_t>(sizes.size()) + 1};
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    shape.push_back(sizes[axis]);
    order.push_back(static_cast<int64_t>(axis) + 1);
  }
  shape.push_back(coded.channels);
  const at::Tensor codes = coded.codes.narrow(0, 0, coded.images * coded.image_bytes())
                               .view(shape)
                               .permute(order);
  const kernels::CodeParameters& parameters = coded.parameters.front();
  const at::Tensor output =
      call_operator("onednn::qconv_pointwise",
                    {codes,
                     static_cast<double>(parameters.scale),
                     static_cast<int64_t>(parameters.zero_point),
                     packed_,
                     scales_,
                     zero_points_,
                     bias.defined() ? c10::IValue(bias) : c10::IValue(),
                     geometry_.stride,
                     geometry_.padding,
                     geometry_.dilation,
                     geometry_.groups,
                     1.0,
                     int64_t{0},
                     at::kFloat,
                     "none",
                     c10::List<std::optional<at::Scalar>>(),
                     std::string()});
  return is_flat_ ? output.squeeze(2) : output;
}

int64_t OnednnConvolution::bytes() const {
  return static_cast<int64_t>(packed_.nbytes() + scales_.nbytes() +
                              zero_points_.nbytes());
}

}  // namespace sizewise::quantizing
