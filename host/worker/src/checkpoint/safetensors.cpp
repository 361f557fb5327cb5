#include "checkpoint/safetensors.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "checkpoint/safetensors_file.hpp"
#include "checkpoint/safetensors_header.hpp"
#include "checkpoint/tensor_type.hpp"
#include "running/durable_file.hpp"

namespace sizewise::checkpoint {
namespace {

WeightType type_of(const std::string& tensor, at::ScalarType type) {
  const std::optional<WeightType> known = weight_type(type);
  if (!known) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("tensor '{}' is of type {}, which a safetensors file cannot hold",
                    tensor,
                    c10::toString(type)),
        "have the model hold it as another type, for example float32");
  }
  return *known;
}

std::string_view text_of(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

/// Names with the widest types first, so that every tensor begins at a multiple of its
/// element's size; else alphabetical.
std::vector<std::string> aligned_order(const TensorMap& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    names.push_back(name);
  }
  std::stable_sort(names.begin(), names.end(), [&](const auto& left, const auto& right) {
    return tensors.at(left).element_size() > tensors.at(right).element_size();
  });
  return names;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const Safetensors& content) {
  SafetensorsHeader header;
  header.metadata = content.metadata;
  std::vector<at::Tensor> kept;  // the parts below look into these
  uint64_t offset = 0;
  for (const std::string& name : aligned_order(content.tensors)) {
    const at::Tensor& tensor = content.tensors.at(name);
    kept.push_back(tensor.detach().to(at::kCPU).contiguous());
    const uint64_t end = offset + kept.back().nbytes();
    header.tensors.push_back({name,
                              std::string(to_string(type_of(name, tensor.scalar_type()))),
                              tensor.sizes().vec(),
                              offset,
                              end});
    offset = end;
  }
  const std::string start = format_safetensors_header(header);
  std::vector<std::string_view> parts{start};
  for (const at::Tensor& tensor : kept) {
    parts.push_back(text_of(tensor));
  }
  running::replace_file(path, parts);
}

Safetensors read_safetensors(const std::filesystem::path& path) {
  SafetensorsFile file = open_safetensors_file(path);
  Safetensors content;
  content.metadata = std::move(file.header.metadata);
  for (const TensorEntry& entry : file.header.tensors) {
    at::Tensor tensor = at::empty(entry.shape, scalar_type(*weight_type(entry.type)));
    if (!file.stream.read(static_cast<char*>(tensor.mutable_data_ptr()),
                          static_cast<std::streamsize>(entry.end - entry.begin))) {
      refuse_safetensors(path, fmt::format("ends inside tensor '{}'", entry.name));
    }
    content.tensors.emplace(entry.name, std::move(tensor));
  }
  return content;
}

}  // namespace sizewise::checkpoint
