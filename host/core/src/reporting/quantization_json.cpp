#include <string>

#include <nlohmann/json.hpp>

#include "sizewise/quantization.hpp"

#include "tables/json_values.hpp"

namespace sizewise {
namespace {

using nlohmann::json;
using tables::number_or_nan;
using tables::number_or_null;

Error error_from(const json& object) {
  return {error_code_from_string(object.at("code").get<std::string>()),
          object.at("message").get<std::string>(),
          object.value("suggestion", "")};
}

json layer_to_json(const QuantizationReport::Layer& layer) {
  json object = {{"name", layer.name},
                 {"kind", layer.kind},
                 {"bits", layer.bits},
                 {"scheme", layer.scheme},
                 {"granularity", layer.granularity},
                 {"group_size", layer.group_size},
                 {"activation", layer.activation},
                 {"sqnr_db", number_or_null(layer.sqnr_db)},
                 {"kernel", layer.kernel}};
  if (layer.transposed) {
    object["transposed"] = true;
  }
  return object;
}

/// A text that may be null or absent.
std::string text_or_empty(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? std::string()
                                                   : found->get<std::string>();
}

QuantizationReport::Layer layer_from(const json& object) {
  QuantizationReport::Layer layer;
  layer.name = object.at("name").get<std::string>();
  layer.kind = object.at("kind").get<std::string>();
  layer.bits = object.at("bits").get<int>();
  layer.scheme = text_or_empty(object, "scheme");
  layer.granularity = text_or_empty(object, "granularity");
  const json group_size = object.value("group_size", json());
  layer.group_size = group_size.is_null() ? 0 : group_size.get<int64_t>();
  layer.activation = text_or_empty(object, "activation");
  layer.sqnr_db = number_or_nan(object, "sqnr_db");
  layer.kernel = text_or_empty(object, "kernel");
  layer.transposed = object.value("transposed", false);
  return layer;
}

json measured_to_json(const QuantizationReport::Measured& measured) {
  return {{"loss", number_or_null(measured.loss)},
          {"accuracy", number_or_null(measured.accuracy)},
          {"seconds_per_batch", number_or_null(measured.seconds_per_batch)}};
}

QuantizationReport::Measured measured_from(const json& object) {
  return {number_or_nan(object, "loss"),
          number_or_nan(object, "accuracy"),
          number_or_nan(object, "seconds_per_batch")};
}

void read_lists(const json& object, QuantizationReport& report) {
  for (const json& error : object.at("errors")) {
    report.errors.push_back(error_from(error));
  }
  report.warnings = object.at("warnings").get<std::vector<std::string>>();
  for (const json& layer : object.at("layers")) {
    report.layers.push_back(layer_from(layer));
  }
  for (const json& skipped : object.at("skipped")) {
    report.skipped.push_back(
        {skipped.at("name").get<std::string>(), skipped.at("reason").get<std::string>()});
  }
}

/// The parts that may be null.
void read_parts(const json& object, QuantizationReport& report) {
  const auto part = [&](const char* name) {
    return object.value(name, json());
  };
  if (const json bytes = part("bytes"); !bytes.is_null()) {
    report.bytes = {bytes.at("float").get<int64_t>(),
                    bytes.at("quantized").get<int64_t>(),
                    number_or_nan(bytes, "ratio")};
  }
  if (const json calibration = part("calibration"); !calibration.is_null()) {
    report.calibration = {calibration.at("batches").get<int64_t>(),
                          calibration.at("units").get<int64_t>(),
                          text_or_empty(calibration, "observer")};
  }
  if (const json evaluation = part("evaluation"); !evaluation.is_null()) {
    report.evaluation = {measured_from(evaluation.at("float")),
                         measured_from(evaluation.at("quantized"))};
  }
  report.output = text_or_empty(object, "output");
}

QuantizationReport report_from(const json& object) {
  QuantizationReport report;
  report.quantizer = object.at("quantizer").get<std::string>();
  report.options = Options::from_json(object.at("options").dump());
  report.success = object.at("success").get<bool>();
  report.interrupted = object.value("interrupted", false);
  read_lists(object, report);
  read_parts(object, report);
  return report;
}

}  // namespace

std::string QuantizationReport::to_json() const {
  json object = {{"quantizer", quantizer},
                 {"options", json::parse(options.to_json())},
                 {"success", success},
                 {"interrupted", interrupted},
                 {"errors", json::array()},
                 {"warnings", warnings},
                 {"layers", json::array()},
                 {"skipped", json::array()},
                 {"bytes", nullptr},
                 {"calibration", nullptr},
                 {"evaluation", nullptr},
                 {"output", output.empty() ? json() : json(output.string())}};
  for (const Error& error : errors) {
    object["errors"].push_back(tables::error_to_json(error));
  }
  for (const Layer& layer : layers) {
    object["layers"].push_back(layer_to_json(layer));
  }
  for (const Skipped& layer : skipped) {
    object["skipped"].push_back({{"name", layer.name}, {"reason", layer.reason}});
  }
  if (bytes) {
    object["bytes"] = {{"float", bytes->float_model},
                       {"quantized", bytes->quantized},
                       {"ratio", number_or_null(bytes->ratio)}};
  }
  if (calibration) {
    object["calibration"] = {{"batches", calibration->batches},
                             {"units", calibration->units},
                             {"observer", calibration->observer}};
  }
  if (evaluation) {
    object["evaluation"] = {{"float", measured_to_json(evaluation->float_model)},
                            {"quantized", measured_to_json(evaluation->quantized)}};
  }
  return tables::json_text(object);
}

QuantizationReport QuantizationReport::from_json(std::string_view text) {
  try {
    return report_from(json::parse(text));
  } catch (const json::exception& fault) {
    throw Error(ErrorCode::kInput, tables::json_fault(fault), "make it again");
  }
}

}  // namespace sizewise
