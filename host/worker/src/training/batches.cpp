#include "training/batches.hpp"

#include <algorithm>
#include <optional>

#include <ATen/Context.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/error.hpp"

#include "training/guarded.hpp"

namespace sizewise::training {
namespace {

void check_rows(const Named<Dataset>& dataset,
                const TensorMap& batch,
                const BatchRequest& request) {
  const at::Tensor& input = tensor_at(batch, "input");
  if (input.dim() < 1 || input.size(0) != request.samples) {
    throw Error(ErrorCode::kPlugin,
                fmt::format("plugin '{}': batch() was asked for {} samples and answered "
                            "with {}",
                            dataset.id,
                            request.samples,
                            describe_tensors(batch)));
  }
}

int64_t cuda_devices() {
  return at::hasCUDA()
             ? at::globalContext().getAcceleratorHooksInterface(c10::kCUDA).deviceCount()
             : 0;
}

}  // namespace

TensorMap fetch_batch(const Named<Dataset>& dataset,
                      const BatchRequest& request,
                      const c10::Device& device) {
  TensorMap batch = guarded(dataset.id, [&] {
    TensorMap made = dataset.instance->batch(request);
    check_rows(dataset, made, request);
    return made;
  });
  if (!device.is_cpu()) {
    for (auto& [name, tensor] : batch) {
      tensor = tensor.to(device, /*non_blocking=*/true);
    }
  }
  return batch;
}

std::string describe_tensors(const TensorMap& tensors) {
  std::string text;
  for (const auto& [name, tensor] : tensors) {
    if (!text.empty()) {
      text += ", ";
    }
    if (tensor.defined()) {
      text += fmt::format("{} {} [{}]",
                          name,
                          c10::toString(tensor.scalar_type()),
                          fmt::join(tensor.sizes(), ", "));
    } else {
      text += fmt::format("{} undefined", name);
    }
  }
  return text.empty() ? "nothing" : text;
}

c10::Device device_from_name(const std::string& name) {
  constexpr const char* kAllowed = R"(allowed: "cpu", "cuda" or "cuda:0" and so on)";
  std::optional<c10::Device> device;
  try {
    device.emplace(name);
  } catch (const c10::Error&) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("'device' is \"{}\"; {}", name, kAllowed));
  }
  if (!device->is_cpu() && !device->is_cuda()) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("'device' is \"{}\"; {}", name, kAllowed));
  }
  const int64_t count = cuda_devices();
  if (device->is_cuda() && std::max<int64_t>(device->index(), 0) >= count) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format(
            "'device' is \"{}\", and this worker sees {} CUDA devices", name, count),
        "use --device cpu, or a LibTorch built for CUDA on a machine that has it");
  }
  return *device;
}

std::vector<std::string> device_names() {
  std::vector<std::string> names{"cpu"};
  for (int64_t i = 0; i < cuda_devices(); ++i) {
    names.push_back(fmt::format("cuda:{}", i));
  }
  return names;
}

}  // namespace sizewise::training
