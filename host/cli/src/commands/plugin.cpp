#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "commands/commands.hpp"
#include "experiment_flags.hpp"
#include "model_sizes.hpp"
#include "reporting/text.hpp"
#include "tables/json_values.hpp"

namespace sizewise::cli {
namespace {

using nlohmann::json;
using reporting::wrapped;

json list_as_json(const loading::PluginCatalog& catalog) {
  json object = {{"plugins", json::array()}, {"refused", json::array()}};
  for (const loading::PluginFile& plugin : catalog.plugins()) {
    object["plugins"].push_back({{"id", plugin.manifest.id},
                                 {"kind", to_string(plugin.manifest.kind)},
                                 {"version", plugin.manifest.version},
                                 {"summary", plugin.manifest.summary},
                                 {"path", plugin.path.string()}});
  }
  for (const loading::RefusedFile& refusal : catalog.refused()) {
    object["refused"].push_back({{"path", refusal.path.string()},
                                 {"code", refusal.code},
                                 {"message", refusal.message},
                                 {"suggestion", refusal.suggestion}});
  }
  return object;
}

std::string list_as_text(const loading::PluginCatalog& catalog) {
  std::size_t id_width = 2;
  std::size_t version_width = 7;
  for (const loading::PluginFile& plugin : catalog.plugins()) {
    id_width = std::max(id_width, plugin.manifest.id.size());
    version_width = std::max(version_width, plugin.manifest.version.size());
  }
  const auto row = [&](std::string_view id,
                       std::string_view kind,
                       std::string_view version,
                       std::string_view summary) {
    const std::string start = fmt::format(
        "{:<{}}  {:<9}  {:<{}}  ", id, id_width, kind, version, version_width);
    // The summary hangs in its column; its first line stands beside the rest.
    return start + wrapped(summary, start.size()).substr(start.size());
  };
  std::string text = row("ID", "KIND", "VERSION", "SUMMARY");
  for (const loading::PluginFile& plugin : catalog.plugins()) {
    text += row(plugin.manifest.id,
                to_string(plugin.manifest.kind),
                plugin.manifest.version,
                plugin.manifest.summary);
  }
  if (!catalog.refused().empty()) {
    text += "\nRefused:\n";
  }
  for (const loading::RefusedFile& refusal : catalog.refused()) {
    text += "  " + refusal.path.string() + "\n";
    text += wrapped(refusal.code + ": " + refusal.message, 4);
    text += wrapped(refusal.suggestion, 4);
  }
  return text;
}

int list(const Arguments& arguments, Console& console) {
  CommandLine line("sizewise plugin list [flags]",
                   "Lists the plugins that are found, and the files that are refused and "
                   "why.\nNothing of a plugin runs.");
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const loading::PluginCatalog catalog = scan_plugins(line);
  console.result(line.json() ? tables::json_text(list_as_json(catalog)) + "\n"
                             : list_as_text(catalog));
  return 0;
}

json plugin_as_json(const loading::PluginFile& plugin,
                    const std::vector<ModelSize>& sizes) {
  const json manifest = json::parse(plugin.manifest.json);
  json object = {{"id", plugin.manifest.id},
                 {"kind", to_string(plugin.manifest.kind)},
                 {"version", plugin.manifest.version},
                 {"summary", plugin.manifest.summary},
                 {"path", plugin.path.string()},
                 {"build_tag", plugin.build_tag},
                 {"size", manifest.value("size", json())},
                 {"options", manifest.value("options", json::object())}};
  for (const ModelSize& size : sizes) {
    json& entry =
        object["sizes"].emplace_back(json{{"size", size.size}, {"params", size.params}});
    if (size.asked_params) {
      entry["asked_params"] = *size.asked_params;
    }
  }
  return object;
}

std::string sizes_as_text(const SizeSpec& spec, const std::vector<ModelSize>& sizes) {
  std::string text =
      fmt::format("\n{:>12}  {:>16}  {:>16}\n", spec.name, "PARAMETERS", "ASKED FOR");
  for (const ModelSize& size : sizes) {
    text +=
        fmt::format("{:>12}  {:>16}  {:>16}\n",
                    size.size,
                    size.params,
                    size.asked_params ? fmt::format("{:.6g}", *size.asked_params) : "-");
  }
  return text;
}

std::string plugin_as_text(const loading::PluginFile& plugin) {
  const Manifest& manifest = plugin.manifest;
  std::string text = fmt::format(
      "{} {}, a {} plugin\n", manifest.id, manifest.version, to_string(manifest.kind));
  text += wrapped(manifest.summary, 2);
  text += fmt::format("  {}\n", plugin.path.string());
  if (manifest.size) {
    const SizeSpec& size = *manifest.size;
    text += fmt::format("\nSize: {}, {} to {}, a multiple of {}\n",
                        size.name,
                        size.minimum,
                        size.maximum,
                        size.multiple_of);
    text += wrapped(size.description, 6);
  }
  text += manifest.options.specs().empty() ? "\nIt has no options.\n" : "\nOptions:\n";
  for (const OptionSpec& spec : manifest.options.specs()) {
    text += wrapped(fmt::format("{} ({})", spec.name, spec.summary()), 2);
    text += wrapped(spec.description, 6);
  }
  return text;
}

int show(const Arguments& arguments, Console& console) {
  CommandLine line(
      "sizewise plugin show ID|FILE [flags]",
      "Shows what a plugin is and every option that it has. Of a model it "
      "also counts\nthe parameters of sizes, or finds the sizes of parameter "
      "counts: a worker makes\nthe models.");
  line.positional("the plugin's id", 1, 1);
  add_model_size_flags(line);
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const loading::PluginCatalog catalog = scan_plugins(line);
  const loading::PluginFile plugin = catalog.find(line.words().front());
  const std::vector<ModelSize> sizes = model_sizes(line, plugin, catalog, console);
  if (line.json()) {
    console.result(tables::json_text(plugin_as_json(plugin, sizes)) + "\n");
  } else {
    std::string text = plugin_as_text(plugin);
    if (plugin.manifest.size && !sizes.empty()) {
      text += sizes_as_text(*plugin.manifest.size, sizes);
    }
    console.result(text);
  }
  return 0;
}

constexpr std::string_view kHelp =
    "Usage: sizewise plugin list [flags]\n"
    "       sizewise plugin show ID|FILE [flags]\n\n"
    "Lists the plugins that are found, or shows one of them.\n"
    "sizewise plugin list --help and sizewise plugin show --help explain more.\n";

}  // namespace

int plugin(const Arguments& arguments, Console& console) {
  const std::string word = arguments.empty() ? "" : arguments.front();
  const auto rest = [&] {
    return Arguments(arguments.begin() + 1, arguments.end());
  };
  if (word == "list") {
    return list(rest(), console);
  }
  if (word == "show") {
    return show(rest(), console);
  }
  if (word == "--help") {
    console.result(kHelp);
    return 0;
  }
  const std::string near = nearest_word(word, {"list", "show", "--help"});
  throw Error(
      ErrorCode::kConfiguration,
      word.empty()
          ? std::string("`sizewise plugin` needs a word: list or show")
          : fmt::format("unknown command 'plugin {}'{}",
                        word,
                        near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
      "run `sizewise plugin --help`");
}

}  // namespace sizewise::cli
