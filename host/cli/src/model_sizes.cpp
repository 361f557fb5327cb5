#include "model_sizes.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "experiment_flags.hpp"
#include "numbers.hpp"
#include "running/worker.hpp"

namespace sizewise::cli {
namespace {

using nlohmann::json;

json plugin_json(const ChosenPlugin& plugin) {
  return {{"path", plugin.file.path.string()},
          {"options", json::parse(plugin.options.to_json())}};
}

/// The model and, where one is named, the dataset: a `setting` of the worker's protocol.
json setting_json(const CommandLine& line,
                  const loading::PluginFile& model,
                  const loading::PluginCatalog& catalog,
                  Console& console) {
  const PluginChoice named{model.path.string(), {}};
  json setting = {
      {"model",
       plugin_json(resolve_choice(choice_from(line, PluginKind::kModel, catalog, named),
                                  PluginKind::kModel,
                                  catalog,
                                  console))}};
  const PluginChoice dataset = choice_from(line, PluginKind::kDataset, catalog);
  if (!dataset.plugin.empty()) {
    setting["dataset"] =
        plugin_json(resolve_choice(dataset, PluginKind::kDataset, catalog, console));
  }
  return setting;
}

std::vector<int64_t> asked_sizes(const CommandLine& line, const SizeSpec& spec) {
  std::vector<int64_t> sizes;
  for (const double number : line.positive_list("sizes")) {
    const auto size = static_cast<int64_t>(number);
    if (static_cast<double>(size) != number || !spec.allows(size)) {
      throw Error(ErrorCode::kConfiguration,
                  fmt::format("--sizes holds {}; allowed: {}, {} to {}, a multiple of {}",
                              number,
                              spec.name,
                              spec.minimum,
                              spec.maximum,
                              spec.multiple_of),
                  fmt::format("the nearest is {}", spec.nearest(number)));
    }
    sizes.push_back(size);
  }
  return sizes;
}

/// One conversation with a worker about one model.
class ModelQuestion {
 public:
  ModelQuestion(json setting, const Manifest& manifest)
      : setting_(std::move(setting)), manifest_(manifest), worker_({}) {}

  std::vector<int64_t> sizes_for(const std::vector<double>& params) {
    json request = setting_;
    request["size"] = json::parse(manifest_.json).at("size");
    request["params"] = params;
    return ask("invert", request).at("sizes").get<std::vector<int64_t>>();
  }

  std::vector<ModelSize> describe(const std::vector<int64_t>& sizes) {
    json request = setting_;
    request["sizes"] = sizes;
    request["check"] = false;
    request["count_flops"] = false;
    std::vector<ModelSize> described;
    const json answer = ask("describe", request);
    for (const json& entry : answer.at("sizes")) {
      described.push_back({std::nullopt,
                           entry.at("size").get<int64_t>(),
                           entry.at("params").get<int64_t>()});
    }
    return described;
  }

 private:
  json ask(const char* method, const json& request) {
    try {
      return worker_.call(method, request, fmt::format("model '{}'", manifest_.id));
    } catch (const Error& error) {
      // What a model reads from its data it cannot guess.
      if (error.code() == ErrorCode::kIo || setting_.contains("dataset")) {
        throw;
      }
      throw Error(error.code(),
                  error.message(),
                  "this model may need to know its data: name it with --dataset ID and "
                  "--dataset-option KEY=VALUE");
    }
  }

  json setting_;
  const Manifest& manifest_;
  running::Worker worker_;
};

}  // namespace

CommandLine& add_model_size_flags(CommandLine& line) {
  return line.values("sizes", "LIST", "count the parameters of these sizes: 16,32")
      .values("params", "LIST", "find the sizes nearest to these parameter counts: 1e6")
      .values("model-option", "KEY=VALUE", "sets an option of the model that is counted")
      .plugin(PluginKind::kDataset);
}

std::vector<ModelSize> model_sizes(const CommandLine& line,
                                   const loading::PluginFile& model,
                                   const loading::PluginCatalog& catalog,
                                   Console& console) {
  if (!line.has("sizes") && !line.has("params")) {
    return {};
  }
  const Manifest& manifest = model.manifest;
  if (!manifest.size) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("'{}' is a {} plugin, which has no sizes",
                            manifest.id,
                            to_string(manifest.kind)),
                "leave out --sizes and --params, or name a model");
  }
  const std::vector<int64_t> sizes = asked_sizes(line, *manifest.size);
  const std::vector<double> targets = line.positive_list("params");
  ModelQuestion question(setting_json(line, model, catalog, console), manifest);
  std::vector<ModelSize> answer;
  if (!sizes.empty()) {
    answer = question.describe(sizes);
  }
  if (!targets.empty()) {
    std::vector<ModelSize> found = question.describe(question.sizes_for(targets));
    for (std::size_t i = 0; i < found.size() && i < targets.size(); ++i) {
      found[i].asked_params = targets[i];
    }
    answer.insert(answer.end(), found.begin(), found.end());
  }
  return answer;
}

}  // namespace sizewise::cli
