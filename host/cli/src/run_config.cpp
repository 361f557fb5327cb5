#include "run_config.hpp"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "sizewise/quantization.hpp"

#include "running/config_file.hpp"

namespace sizewise::cli {

RunConfig run_config_from_json(std::string_view text) {
  nlohmann::json experiment = nlohmann::json::parse(text, nullptr, false);
  if (!experiment.is_object()) {
    return {.experiment = Experiment::from_json(text),
            .quantizer = {},
            .calibration_batches = {}};
  }
  nlohmann::json quantization = nlohmann::json::object();
  for (const char* field : {"quantizer", "calibration_batches"}) {
    if (const auto found = experiment.find(field); found != experiment.end()) {
      quantization[field] = std::move(*found);
      experiment.erase(found);
    }
  }
  QuantizationRequest request = QuantizationRequest::from_json(quantization.dump());
  return {.experiment = Experiment::from_json(experiment.dump()),
          .quantizer = std::move(request.quantizer),
          .calibration_batches = request.calibration_batches};
}

RunConfig run_config_from(const CommandLine& line) {
  return line.has("config")
             ? running::read_config(line.text_or("config", ""), &run_config_from_json)
             : RunConfig{};
}

}  // namespace sizewise::cli
