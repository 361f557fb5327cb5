#include "quantizing/quantize_file.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/safetensors_writer.hpp"
#include "checkpoint/tensor_type.hpp"
#include "checkpoint/weight_file.hpp"
#include "quantizing/parameter_name.hpp"
#include "quantizing/quantization_config.hpp"
#include "quantizing/quantize_job.hpp"
#include "quantizing/quantized_config_file.hpp"
#include "quantizing/weight_error.hpp"
#include "quantizing/weight_names.hpp"
#include "quantizing/weight_tensors.hpp"
#include "running/durable_file.hpp"
#include "training/guarded.hpp"

namespace sizewise::quantizing {
namespace {

namespace fs = std::filesystem;
using checkpoint::WeightFile;
using checkpoint::WeightTensor;
using checkpoint::WeightType;

using Texts = std::map<std::string, std::string>;

constexpr std::size_t kMostDimensions = 5;

/// Whether numbers of a type are worth fewer bits.
bool is_floating(WeightType type) {
  return type == WeightType::kF64 || type == WeightType::kF32 ||
         type == WeightType::kF16 || type == WeightType::kBF16;
}

bool is_float8(WeightType type) {
  return type == WeightType::kF8E4M3 || type == WeightType::kF8E5M2;
}

/// Why a tensor of 2 or more dimensions stays as it is; nothing where it is a layer's
/// weight.
std::optional<std::string> reason_of(const WeightTensor& tensor,
                                     const FileSettings& settings) {
  if (tensor.bytes == 0) {
    return "its weight has no elements";
  }
  if (tensor.shape.size() > kMostDimensions) {
    return fmt::format("its weight has {} dimensions; a layer's has at most {}",
                       tensor.shape.size(),
                       kMostDimensions);
  }
  if (is_float8(tensor.type)) {
    return fmt::format("its weight is of type {} already", to_string(tensor.type));
  }
  return settings.reason_to_skip ? settings.reason_to_skip(tensor.name, tensor.shape)
                                 : std::nullopt;
}

void check_paths(const fs::path& weights, const fs::path& output) {
  const bool is_folder = fs::is_directory(weights);
  const fs::path folder = is_folder ? weights : weights.parent_path();
  const bool is_checkpoint = is_folder || weights.filename() == checkpoint::kWeightsFile;
  if (is_checkpoint && has_config(folder.empty() ? "." : folder)) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: is quantized already", weights.string()),
                "name the weights that it was made of");
  }
  std::error_code not_there;
  if (is_folder ? fs::equivalent(weights, output, not_there)
                : fs::equivalent(weights, output / checkpoint::kWeightsFile, not_there)) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{}: the quantized weights would take its place", weights.string()),
        "name another folder for the output");
  }
}

/// One pass over one file.
class FilePass {
 public:
  FilePass(const fs::path& weights,
           const Quantizer& quantizer,
           const fs::path& output,
           const FileSettings& settings)
      : quantizer_(quantizer),
        output_(output),
        settings_(settings),
        file_(checkpoint::open_weight_file(weights)),
        tied_(tied_names(*file_)) {
    choose();
    refuse_without_layers(weights);
    refuse_names(weights, file_->tensors(), is_layer_);
    warn_of_skipped(weights);
    running::make_folder(output);
    writer_ = std::make_unique<checkpoint::SafetensorsWriter>(
        output / checkpoint::kWeightsFile, room_, Texts{{"format", "pt"}});
  }

  FileQuantization run() {
    result_.float_bytes = file_->file_bytes();
    uint64_t all = 0;
    for (const WeightTensor& tensor : file_->tensors()) {
      all += tensor.bytes;
    }
    uint64_t done = 0;
    for (std::size_t i = 0; i < file_->tensors().size(); ++i) {
      if (is_layer_[i]) {
        quantize(i);
      } else if (!is_tied(i)) {
        copy(i);
      }
      done += file_->tensors()[i].bytes;
      if (settings_.progress) {
        settings_.progress(done, all);
      }
    }
    if (result_.errors.empty()) {
      finish();
    }
    return std::move(result_);
  }

 private:
  /// Whether another tensor of the file stands for it.
  [[nodiscard]] bool is_tied(std::size_t index) const {
    return file_->tied().contains(file_->tensors()[index].name);
  }

  void choose() {
    for (std::size_t i = 0; i < file_->tensors().size(); ++i) {
      const WeightTensor& tensor = file_->tensors()[i];
      const bool may_be = tensor.shape.size() >= 2 && !is_tied(i) &&
                          (is_floating(tensor.type) || is_float8(tensor.type));
      const auto reason = may_be ? reason_of(tensor, settings_) : std::nullopt;
      if (reason) {
        result_.skipped.push_back({layer_name(tensor.name), *reason});
      }
      is_layer_.push_back(may_be && !reason);
      room_ += room_for(tensor, is_layer_.back());
    }
  }

  void refuse_without_layers(const fs::path& weights) const {
    if (std::find(is_layer_.begin(), is_layer_.end(), true) != is_layer_.end()) {
      return;
    }
    const std::string reason =
        result_.skipped.empty()
            ? "it has no floating-point tensor of 2 to 5 dimensions"
            : fmt::format("'{}': {}", result_.skipped[0].name, result_.skipped[0].reason);
    throw Error(
        ErrorCode::kInput,
        fmt::format("{}: no layer can be quantized: {}", weights.string(), reason),
        "give weights of linear layers, convolutions or embeddings, or other "
        "include and exclude patterns");
  }

  void warn_of_skipped(const fs::path& weights) {
    std::vector<std::string> names;
    for (const checkpoint::SkippedValue& value : file_->skipped()) {
      names.push_back(fmt::format("'{}' ({})", value.name, value.kind));
    }
    if (!names.empty()) {
      result_.warnings.push_back(fmt::format(
          "{}: {} beside the weights {} left out; the bytes of the float file "
          "count {}",
          weights.string(),
          fmt::join(names, ", "),
          names.size() == 1 ? "is" : "are",
          names.size() == 1 ? "it" : "them"));
    }
  }

  /// A tensor that stays as it is.
  void copy(std::size_t index) {
    if (!result_.errors.empty()) {
      return;
    }
    const WeightTensor& tensor = file_->tensors()[index];
    const at::Tensor values = checkpoint::read_tensor(*file_, index);
    writer_->add(tensor.name, tensor.type, tensor.shape, checkpoint::bytes_of(values));
    note_other(tensor.name,
               static_cast<int64_t>(tensor.shape.size()),
               is_floating(tensor.type),
               config_);
    for (const auto& [name, stored] : tied_) {
      if (stored == tensor.name) {
        config_.tied.emplace(name, stored);
      }
    }
  }

  void quantize(std::size_t index) {
    const WeightTensor& tensor = file_->tensors()[index];
    const LayerView view = view_of(index);
    try {
      QuantizedWeight weight = description_of(tensor, view.kind);
      weight.numbers = training::guarded(settings_.quantizer, [&] {
        return quantizer_.quantize(view);
      });
      EncodedWeight parts = encoded(weight);
      result_.layers.push_back(info_of(weight));
      result_.layers.back().sqnr_db = weight_sqnr_db(view.weight, weight.numbers);
      if (result_.errors.empty()) {
        write(std::move(parts));
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kQuantization) {
        throw;
      }
      result_.errors.push_back(error);
    }
  }

  /// Undefined where no tensor beside the weight is one number for each output.
  at::Tensor bias_of(const WeightTensor& weight) {
    const std::string name = bias_beside(weight.name);
    for (std::size_t i = 0; i < file_->tensors().size(); ++i) {
      const WeightTensor& tensor = file_->tensors()[i];
      if (tensor.name == name && is_floating(tensor.type) && tensor.shape.size() == 1 &&
          tensor.shape[0] == weight.shape[0]) {
        return checkpoint::read_tensor(*file_, i).to(at::kFloat);
      }
    }
    return {};
  }

  LayerView view_of(std::size_t index) {
    const WeightTensor& tensor = file_->tensors()[index];
    LayerView view;
    view.name = layer_name(tensor.name);
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): choose() asked it
    view.kind = *kind_of_weight(tensor.name, tensor.shape.size());
    view.weight = checkpoint::read_tensor(*file_, index)
                      .reshape({tensor.shape[0], -1})
                      .to(at::kFloat);
    view.bias = bias_of(tensor);
    return view;
  }

  [[nodiscard]] QuantizedWeight description_of(const WeightTensor& tensor,
                                               LayerKind kind) const {
    QuantizedWeight weight;
    weight.name = tensor.name;
    weight.names = {tensor.name};
    for (const auto& [name, stored] : tied_) {
      if (stored == tensor.name) {
        weight.names.push_back(name);
      }
    }
    weight.kind = kind;
    weight.shape = tensor.shape;
    weight.use = use_of(kind);
    return weight;
  }

  void write(EncodedWeight parts) {
    for (const auto& [name, values] : parts.tensors) {
      // NOLINTNEXTLINE(bugprone-unchecked-optional-access): of types that files have
      const auto type = *checkpoint::weight_type(values.scalar_type());
      writer_->add(name, type, values.sizes().vec(), checkpoint::bytes_of(values));
    }
    note_weight(std::move(parts.stored), config_);
  }

  void finish() {
    const std::string text = format_config(config_);
    remove_config(output_);
    result_.quantized_bytes = writer_->finish();
    write_config(output_, text);
  }

  const Quantizer& quantizer_;
  const fs::path& output_;
  const FileSettings& settings_;
  std::unique_ptr<WeightFile> file_;
  Texts tied_;
  std::vector<bool> is_layer_;  ///< one a tensor
  uint64_t room_ = 0;
  std::unique_ptr<checkpoint::SafetensorsWriter> writer_;
  QuantizationConfig config_;
  FileQuantization result_;
};

}  // namespace

std::optional<LayerKind> kind_of_weight(const std::string& name, std::size_t dimensions) {
  constexpr std::size_t kFirst = 2;
  switch (dimensions) {
    case kFirst:
      return name.find("embed") == std::string::npos ? LayerKind::kLinear
                                                     : LayerKind::kEmbedding;
    case kFirst + 1:
      return LayerKind::kConv1d;
    case kFirst + 2:
      return LayerKind::kConv2d;
    case kFirst + 3:
      return LayerKind::kConv3d;
    default:
      return std::nullopt;
  }
}

WeightUse use_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::kLinear:
      return WeightUse::kLinear;
    case LayerKind::kEmbedding:
      return WeightUse::kEmbedding;
    case LayerKind::kConv1d:
    case LayerKind::kConv2d:
    case LayerKind::kConv3d:
      break;
  }
  return WeightUse::kConvolution;
}

FileQuantization quantize_file(const fs::path& weights,
                               const Quantizer& quantizer,
                               const fs::path& output,
                               const FileSettings& settings) {
  if (quantizer.needs().any()) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("quantizer '{}' needs calibration data, and weights alone have none",
                    settings.quantizer),
        "use per_channel or dynamic, or quantize a model's folder with --dataset");
  }
  check_paths(weights, output);
  return FilePass(weights, quantizer, output, settings).run();
}

}  // namespace sizewise::quantizing
