#include "commands/fit_flags.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/error.hpp"

#include "fitting/cost_checks.hpp"
#include "fitting/row_selection.hpp"
#include "planning/processors.hpp"
#include "question_flags.hpp"
#include "running/durable_file.hpp"

namespace sizewise::cli {
namespace {

using fitting::FitRequest;

/// A condition, by Sizewise's column names where --columns maps them.
tables::RowFilter filter_from(const std::string& text, const tables::ColumnNames& names) {
  tables::RowFilter filter = tables::parse_row_filter(text);
  for (const auto& [ours, theirs] : names) {
    if (filter.column == theirs) {
      filter.column = ours;
      break;
    }
  }
  return filter;
}

/// The fit that a run directory was begun with; none where the word names no such folder.
PluginChoice own_fit(const std::string& word) {
  const std::filesystem::path path = std::filesystem::path(word) / "experiment.json";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return {"approach3", {}};
  }
  try {
    return Experiment::from_json(running::read_file(path)).fit;
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{}: {}", path.string(), error.message()),
                "name the fit with --fit, or give the folder's runs.csv");
  }
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    parts.push_back(part);
  }
  return parts;
}

/// The options of the command line that a fit knows; counts those taken in `taken`.
Options options_known_to(const Manifest& manifest,
                         const std::vector<std::string>& settings,
                         std::vector<bool>& taken) {
  Options options;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const std::size_t equals = settings[i].find('=');
    const std::string key = settings[i].substr(0, equals);
    if (equals == std::string::npos || manifest.options.find(key) == nullptr) {
      continue;
    }
    options.set(key, manifest.options.parse(key, settings[i].substr(equals + 1)));
    taken[i] = true;
  }
  return options;
}

std::vector<ChosenPlugin> several_fits(const std::vector<std::string>& ids,
                                       const CommandLine& line,
                                       const loading::PluginCatalog& catalog,
                                       Console& console) {
  const std::vector<std::string>& settings = line.texts("fit-option");
  std::vector<bool> taken(settings.size(), false);
  std::vector<ChosenPlugin> fits;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (std::count(ids.begin(), ids.end(), ids[i]) > 1) {
      throw Error(ErrorCode::kConfiguration,
                  fmt::format("--fit names '{}' twice", ids[i]),
                  "compare different fits, or run the command once for each option");
    }
    const Manifest manifest = catalog.find(PluginKind::kFit, ids[i]).manifest;
    fits.push_back(resolve_choice({ids[i], options_known_to(manifest, settings, taken)},
                                  PluginKind::kFit,
                                  catalog,
                                  console));
  }
  for (std::size_t i = 0; i < settings.size(); ++i) {
    if (!taken[i]) {
      throw Error(ErrorCode::kConfiguration,
                  fmt::format("--fit-option {}: none of {} has this option",
                              settings[i],
                              fmt::join(ids, ", ")),
                  "`sizewise plugin show ID` lists the options of a fit");
    }
  }
  return fits;
}

}  // namespace

void declare_fit_flags(CommandLine& line) {
  line.positional("a table of runs (- reads standard input) or a run directory", 1, 1);
  line.value("fit",
             "ID",
             "the fit plugin: an id, or the path of a .so; several ids with commas "
             "between them are compared (default: a run directory's own, else approach3)")
      .values("fit-option", "KEY=VALUE", "sets an option of the fit");
  add_question_flags(line);
  line.value("bootstrap",
             "N",
             "resamples for the intervals (default: 200 where fits are compared, where a "
             "fit tells no standard errors, and where run_id repeats; else none)")
      .value("level", "SHARE", "of the intervals (default 0.95)")
      .value("noise", "S", "standard deviation of ln loss over seeds, where it is known")
      .values("profile",
              "NAME",
              "the interval of a value of the law, such as E, by profile likelihood")
      .values("hold-out",
              "CONDITION",
              "predict the rows with, say, 'flops>=1e21' from "
              "the others (default: those of the largest "
              "budget, where there are 4)")
      .toggle("residuals", "print the errors by FLOPs and the rows farthest from the law")
      .toggle("sensitivity",
              "fit every other column params_... as N too, and FLOPs as 6 N D")
      .value("seed", "SEED", "of the resamples (default 0)")
      .value("threads", "N", "for the resamples (default: all cores)")
      .values("columns", "NAME=COLUMN,...", "what the file calls params, tokens, ...")
      .values("where", "CONDITION", "use only rows such as 'keep240=1' or 'flops<1e21'")
      .value("cost-model",
             "NAME",
             "what a unit of data costs: counted (from the column flops) or 6nd "
             "(default: counted where the table has it)")
      .toggle("force", "recommend even where the law is not identified");
}

tables::ColumnNames columns_from(const CommandLine& line) {
  tables::ColumnNames names;
  for (const std::string& text : line.texts("columns")) {
    for (auto& [ours, theirs] : tables::parse_column_names(text)) {
      if (!names.try_emplace(ours, theirs).second) {
        throw Error(ErrorCode::kConfiguration,
                    fmt::format("--columns names '{}' twice", ours));
      }
    }
  }
  return names;
}

std::filesystem::path table_path(const std::string& word) {
  std::filesystem::path path(word == "-" ? "/dev/stdin" : word);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    path /= "runs.csv";
    if (!std::filesystem::exists(path, ignored)) {
      throw Error(ErrorCode::kInput,
                  fmt::format("the folder '{}' holds no runs.csv", word),
                  "give a run directory that has finished trials, or a table");
    }
  }
  return path;
}

std::vector<ChosenPlugin> fits_from(const CommandLine& line,
                                    const loading::PluginCatalog& catalog,
                                    Console& console) {
  const std::vector<std::string> ids = split_at_commas(line.text_or("fit", ""));
  if (ids.size() > 1) {
    return several_fits(ids, line, catalog, console);
  }
  const PluginChoice base =
      ids.empty() ? own_fit(line.words()[0]) : PluginChoice{"approach3", {}};
  return {resolve_choice(choice_from(line, PluginKind::kFit, catalog, base),
                         PluginKind::kFit,
                         catalog,
                         console)};
}

CostModel cost_model_from(const CommandLine& line,
                          const RunTable& runs,
                          const FitRequest& request) {
  const std::string name = line.text_or("cost-model", "");
  if (name == "6nd") {
    return CostModel::six_per_parameter();
  }
  if (line.has("cost-model") && name != "counted") {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("--cost-model is '{}'; allowed: counted, 6nd", name));
  }
  const std::vector<std::size_t> used = fitting::sort_rows(runs, request).used;
  fitting::check_flops(runs, used, request);
  CostModel model = cost_model_of(used.size() == runs.rows() ? runs : runs.select(used));
  if (name == "counted" && !model.is_counted()) {
    throw Error(ErrorCode::kInput,
                "--cost-model counted needs a column flops with numbers above 0",
                "map one with --columns flops=NAME, or use --cost-model 6nd");
  }
  return model;
}

FitRequest request_from(const CommandLine& line, const tables::ColumnNames& names) {
  constexpr double kLeastNoise = 1e-12;
  constexpr int64_t kMostReplicates = 1000000;
  FitRequest request;
  request.asked = asked_from(line);
  for (const std::string& text : line.texts("where")) {
    request.filters.push_back(filter_from(text, names));
  }
  for (const std::string& text : line.texts("hold-out")) {
    request.hold_out.push_back(filter_from(text, names));
  }
  request.bootstrap =
      static_cast<int>(line.integer_or("bootstrap", 0, 0, kMostReplicates));
  request.bootstrap_where_needed = !line.has("bootstrap");
  request.level = line.number_or("level", 0.95, 1e-6, 1.0 - 1e-6);
  request.noise = line.number_or("noise", FitResult::kUnknown, kLeastNoise, 0.999);
  for (const std::string& name : line.texts("profile")) {
    if (std::find(request.profiles.begin(), request.profiles.end(), name) ==
        request.profiles.end()) {
      request.profiles.push_back(name);
    }
  }
  request.residuals = line.has("residuals");
  request.sensitivity = line.has("sensitivity");
  request.seed = static_cast<uint64_t>(line.integer_or("seed", 0));
  request.threads =
      static_cast<int>(line.integer_or("threads", planning::usable_cores(), 1, 4096));
  request.force = line.has("force");
  return request;
}

}  // namespace sizewise::cli
