#include "serving/quantization_json.hpp"

#include <nlohmann/json.hpp>

#include "tables/json_values.hpp"

namespace sizewise::serving {
namespace {

using nlohmann::json;

const char* word_for(LayerKind kind) {
  switch (kind) {
    case LayerKind::kLinear:
      return "linear";
    case LayerKind::kConv1d:
      return "conv1d";
    case LayerKind::kConv2d:
      return "conv2d";
    case LayerKind::kConv3d:
      return "conv3d";
    case LayerKind::kEmbedding:
      break;
  }
  return "embedding";
}

const char* word_for(Granularity granularity) {
  switch (granularity) {
    case Granularity::kTensor:
      return "tensor";
    case Granularity::kChannel:
      return "channel";
    case Granularity::kGroup:
      break;
  }
  return "group";
}

const char* word_for(ActivationTreatment activation) {
  switch (activation) {
    case ActivationTreatment::kNone:
      return "none";
    case ActivationTreatment::kDynamicPerTensor:
    case ActivationTreatment::kDynamicPerToken:
      return "dynamic";
    case ActivationTreatment::kStatic:
      break;
  }
  return "static";
}

json layer_to_json(const QuantizedLayerInfo& layer) {
  json object = {
      {"name", layer.name},
      {"kind", word_for(layer.kind)},
      {"bits", layer.bits},
      {"scheme", layer.scheme == Scheme::kSymmetric ? "symmetric" : "asymmetric"},
      {"granularity", word_for(layer.granularity)},
      {"group_size", layer.group_size},
      {"activation", word_for(layer.activation)},
      {"sqnr_db", tables::number_or_null(layer.sqnr_db)},
      {"kernel", layer.kernel}};
  if (layer.transposed) {
    object["transposed"] = true;
  }
  return object;
}

json calibration_to_json(const std::optional<CalibrationInfo>& calibration) {
  if (!calibration) {
    return nullptr;
  }
  return {{"batches", calibration->batches},
          {"units", calibration->units},
          {"observer", calibration->observer}};
}

json bytes_to_json(const QuantizationInfo& info) {
  if (info.quantized_bytes == 0) {
    return nullptr;
  }
  return {{"float", info.float_bytes},
          {"quantized", info.quantized_bytes},
          {"ratio",
           static_cast<double>(info.float_bytes) /
               static_cast<double>(info.quantized_bytes)}};
}

}  // namespace

json report_to_json(const QuantizationInfo& info,
                    const std::vector<Error>& errors,
                    const std::vector<std::string>& warnings) {
  json report = {{"quantizer", info.quantizer},
                 {"options", json::parse(info.options.to_json())},
                 {"success", errors.empty()},
                 {"errors", json::array()},
                 {"warnings", warnings},
                 {"layers", json::array()},
                 {"skipped", json::array()},
                 {"bytes", bytes_to_json(info)},
                 {"calibration", calibration_to_json(info.calibration)},
                 {"evaluation", nullptr}};
  for (const Error& error : errors) {
    report["errors"].push_back(tables::error_to_json(error));
  }
  for (const QuantizedLayerInfo& layer : info.layers) {
    report["layers"].push_back(layer_to_json(layer));
  }
  for (const SkippedLayer& skipped : info.skipped) {
    report["skipped"].push_back({{"name", skipped.name}, {"reason", skipped.reason}});
  }
  return report;
}

}  // namespace sizewise::serving
