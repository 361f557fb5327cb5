#include "serving/quantization.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/nn/module.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "checkpoint/checkpoint.hpp"
#include "quantizing/installed_weights.hpp"
#include "quantizing/layer_choice.hpp"
#include "quantizing/parameter_name.hpp"
#include "quantizing/quantize_file.hpp"
#include "quantizing/quantize_job.hpp"
#include "serving/checkpoint_model.hpp"
#include "serving/fields.hpp"
#include "serving/quantization_json.hpp"
#include "serving/result_json.hpp"
#include "training/evaluation.hpp"

namespace sizewise::serving {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// Tells the host where a quantization stands, at most ten times a second.
class StageEvents {
 public:
  explicit StageEvents(const EventSink& send_event) : send_event_(send_event) {}

  void tell(std::string_view stage, int64_t done, int64_t total) {
    const auto now = Clock::now();
    if (done != 0 && done != total && now - last_ < std::chrono::milliseconds(100)) {
      return;
    }
    last_ = now;
    send_event_(
        {{"event", "progress"}, {"stage", stage}, {"done", done}, {"total", total}});
  }

 private:
  const EventSink& send_event_;
  Clock::time_point last_ = Clock::now();
};

quantizing::NamePatterns patterns_of(const json& params) {
  return {texts_field(params, "include"), texts_field(params, "exclude")};
}

quantizing::NamedQuantizer quantizer_of(PluginStore& plugins, const json& params) {
  return plugins.new_quantizer(plugin_field(params, "quantizer"));
}

/// One float checkpoint on its way to a quantized one.
class CheckpointQuantization {
 public:
  CheckpointQuantization(PluginStore& plugins,
                         const json& params,
                         const EventSink& send_event)
      : params_(params),
        events_(send_event),
        quantizer_(quantizer_of(plugins, params)),
        loaded_(load_checkpoint_model(plugins, params)),
        evaluates_(flag_field(params, "evaluate")) {
    if (loaded_.is_quantized) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{} is quantized already", loaded_.folder.string()),
                  "give the folder of the float model");
    }
  }

  json run() {
    const bool is_measurable = validation_samples() > 0;
    const bool is_left_out = evaluates_ && !is_measurable;
    evaluates_ = evaluates_ && is_measurable;
    // First, because what cannot be quantized is known soonest.
    quantizing::QuantizedParts parts = quantize();
    if (is_left_out) {
      parts.warnings.push_back(fmt::format(
          "neither model is evaluated: dataset '{}' has no validation samples",
          loaded_.parts.dataset.id));
    }
    json float_evaluation;
    if (parts.errors.empty()) {
      float_evaluation = evaluation();
      install(parts);
    }
    if (!parts.errors.empty()) {
      return report_to_json(parts.info, parts.errors, parts.warnings);
    }
    // Before the files: an evaluation that fails or is stopped leaves none.
    const json quantized_evaluation = evaluation();
    write(parts);
    json report = report_to_json(parts.info, parts.errors, parts.warnings);
    if (evaluates_) {
      report["evaluation"] = {{"float", float_evaluation},
                              {"quantized", quantized_evaluation}};
    }
    return report;
  }

 private:
  /// Of the model as it is now; null where nobody asked.
  json evaluation() {
    if (!evaluates_) {
      return nullptr;
    }
    warm_up(loaded_);
    int64_t done = 0;
    const int64_t batches =
        (validation_samples() + loaded_.batch_size - 1) / loaded_.batch_size;
    return evaluation_to_json(training::evaluate_model(
        *loaded_.model, loaded_.parts, loaded_.device, loaded_.batch_size, [&] {
          events_.tell("evaluate", ++done, batches);
        }));
  }

  [[nodiscard]] int64_t validation_samples() const {
    return loaded_.parts.dataset.instance->info().validation_samples;
  }

  quantizing::QuantizedParts quantize() {
    loaded_.model->module().eval();
    quantizing::QuantizeJob job{
        loaded_.model->module(), quantizer_, patterns_of(params_)};
    job.run_batch = [this](int64_t i) {
      run_training_batch(loaded_, i);
    };
    job.calibration_batches = integer_field(params_, "calibration_batches", 1);
    job.units_in_batch = loaded_.batch_size * units_per_sample();
    job.progress = [this](std::string_view stage, int64_t done, int64_t total) {
      events_.tell(stage, done, total);
    };
    return quantizing::run_quantize_job(job);
  }

  [[nodiscard]] int64_t units_per_sample() const {
    return loaded_.parts.dataset.instance->info().units_per_sample;
  }

  void install(quantizing::QuantizedParts& parts) {
    try {
      const auto kernels =
          quantizing::install_weights(loaded_.model->module(), parts.weights);
      for (std::size_t i = 0; i < kernels.size(); ++i) {
        parts.info.layers[i].kernel = kernels[i]->route();
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kQuantization) {
        throw;
      }
      parts.errors.push_back(error);
    }
  }

  void write(quantizing::QuantizedParts& parts) {
    const std::filesystem::path output = text_field(params_, "output");
    parts.info.float_bytes = loaded_.bytes;
    parts.info.quantized_bytes = quantizing::write_quantized_files(
        output, quantizing::files_of(loaded_.model->module(), std::move(parts.weights)));
    json facts = loaded_.facts;
    // Where the float model is, so that both can be measured again side by side.
    facts["quantization"] = {
        {"quantizer", parts.info.quantizer},
        {"options", json::parse(parts.info.options.to_json())},
        {"float_model",
         {{"folder", std::filesystem::proximate(loaded_.folder, output).string()},
          {"weights_sha256", loaded_.facts.at("weights_sha256")}}}};
    checkpoint::write_facts(output, std::move(facts));
  }

  const json& params_;
  StageEvents events_;
  quantizing::NamedQuantizer quantizer_;
  CheckpointModel loaded_;
  bool evaluates_;
};

}  // namespace

json quantize_checkpoint(PluginStore& plugins,
                         const json& params,
                         const EventSink& send_event) {
  return CheckpointQuantization(plugins, params, send_event).run();
}

json quantize_weight_file(PluginStore& plugins,
                          const json& params,
                          const EventSink& send_event) {
  const quantizing::NamedQuantizer quantizer = quantizer_of(plugins, params);
  const quantizing::NamePatterns patterns = patterns_of(params);
  StageEvents events(send_event);
  std::vector<std::string> names;
  quantizing::FileSettings settings;
  settings.quantizer = quantizer.id;
  settings.reason_to_skip = [&](const std::string& name,
                                const std::vector<int64_t>& shape) {
    names.insert(names.end(), {quantizing::layer_name(name), name});
    return quantizing::reason_to_skip({name}, shape, patterns);
  };
  settings.progress = [&](uint64_t done, uint64_t total) {
    events.tell("quantize", static_cast<int64_t>(done), static_cast<int64_t>(total));
  };
  quantizing::FileQuantization done =
      quantizing::quantize_file(text_field(params, "weights"),
                                *quantizer.instance,
                                text_field(params, "output"),
                                settings);
  QuantizationInfo info;
  info.quantizer = quantizer.id;
  info.options = quantizer.options;
  info.layers = std::move(done.layers);
  info.skipped = std::move(done.skipped);
  info.float_bytes = done.float_bytes;
  info.quantized_bytes = done.quantized_bytes;
  std::vector<std::string> warnings = quantizing::warnings_of_unused(patterns, names);
  warnings.insert(warnings.end(), done.warnings.begin(), done.warnings.end());
  return report_to_json(info, done.errors, warnings);
}

}  // namespace sizewise::serving
