#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/quantization.hpp"

#include "planning/object_fields.hpp"
#include "tables/json_values.hpp"

namespace sizewise {
namespace {

using nlohmann::json;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

std::optional<int64_t> optional_count(const planning::Fields& fields, const char* field) {
  if (!fields.has(field)) {
    return std::nullopt;
  }
  int64_t count = 0;
  fields.read_integer(field, 1, kMost, count);
  return count;
}

QuantizationRequest request_from(const json& object) {
  planning::check_fields(object,
                         {"quantizer",
                          "dataset",
                          "loss",
                          "model",
                          "include",
                          "exclude",
                          "calibration_batches",
                          "batch_size",
                          "evaluate"},
                         "quantization");
  QuantizationRequest request;
  planning::read_choice(object, "quantizer", request.quantizer);
  planning::read_choice(object, "dataset", request.dataset);
  planning::read_choice(object, "loss", request.loss);
  planning::read_choice(object, "model", request.model);
  const planning::Fields fields(object);
  fields.read_words("include", request.include);
  fields.read_words("exclude", request.exclude);
  request.calibration_batches = optional_count(fields, "calibration_batches");
  request.batch_size = optional_count(fields, "batch_size");
  fields.read_flag("evaluate", request.evaluate);
  return request;
}

}  // namespace

QuantizationRequest QuantizationRequest::from_json(std::string_view text) {
  try {
    return request_from(json::parse(text));
  } catch (const json::exception& error) {
    throw Error(ErrorCode::kInput,
                fmt::format("the quantization is no JSON: {}", tables::json_fault(error)),
                "correct it there");
  }
}

}  // namespace sizewise
