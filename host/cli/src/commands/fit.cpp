#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "commands/commands.hpp"
#include "experiment_flags.hpp"
#include "fitting/fit_report.hpp"
#include "fitting/fit_report_json.hpp"
#include "loading/plugin_instance.hpp"
#include "reporting/fit_text.hpp"
#include "tables/run_table_file.hpp"

namespace sizewise::cli {
namespace {

using fitting::CostModel;
using fitting::FitReport;
using fitting::FitRequest;

void declare_flags(CommandLine& line) {
  line.positional("a table of runs or a run directory", 1, 1)
      .plugin(PluginKind::kFit)
      .values("budget", "C", "name the best size and data for C FLOPs")
      .value("bootstrap", "N", "resamples for the intervals (default 0: none)")
      .value("level", "SHARE", "of the intervals (default 0.95)")
      .value("seed", "SEED", "of the resamples (default 0)")
      .value("threads", "N", "for the resamples (default: all cores)")
      .values("columns", "NAME=COLUMN,...", "what the file calls params, tokens, ...")
      .values("where", "CONDITION", "use only rows such as 'keep240=1' or 'flops<1e21'")
      .value("cost-model",
             "NAME",
             "what a unit of data costs: counted (from the column flops) or 6nd "
             "(default: counted where the table has it)")
      .toggle("force", "name optima even where the law is not identified");
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

/// The conditions, by Sizewise's column names where --columns maps them.
std::vector<tables::RowFilter> filters_from(const CommandLine& line,
                                            const tables::ColumnNames& names) {
  std::vector<tables::RowFilter> filters;
  for (const std::string& text : line.texts("where")) {
    filters.push_back(tables::parse_row_filter(text));
    for (const auto& [ours, theirs] : names) {
      if (filters.back().column == theirs) {
        filters.back().column = ours;
      }
    }
  }
  return filters;
}

std::filesystem::path table_path(const std::string& word) {
  std::filesystem::path path(word);
  if (std::filesystem::is_directory(path)) {
    path /= "runs.csv";
    if (!std::filesystem::exists(path)) {
      throw Error(ErrorCode::kInput,
                  fmt::format("the folder '{}' holds no runs.csv", word),
                  "give a run directory that has finished trials, or a table");
    }
  }
  return path;
}

CostModel cost_model_from(const CommandLine& line, const RunTable& runs) {
  const std::string name = line.text_or("cost-model", "");
  if (name == "6nd") {
    return CostModel::six_per_parameter();
  }
  if (!name.empty() && name != "counted") {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("--cost-model is '{}'; allowed: counted, 6nd", name));
  }
  CostModel model = fitting::cost_model_of(runs);
  if (name == "counted" && !model.is_counted()) {
    throw Error(ErrorCode::kInput,
                "--cost-model counted needs a column flops with numbers above 0",
                "map one with --columns flops=NAME, or use --cost-model 6nd");
  }
  return model;
}

FitRequest request_from(const CommandLine& line, const tables::ColumnNames& names) {
  FitRequest request;
  for (const double budget : line.positive_list("budget")) {
    request.budgets.emplace_back(budget);
  }
  request.filters = filters_from(line, names);
  request.bootstrap = static_cast<int>(line.integer_or("bootstrap", 0, 0, 1000000));
  request.level = line.number_or("level", 0.95, 1e-6, 1.0 - 1e-6);
  request.seed = static_cast<uint64_t>(line.integer_or("seed", 0));
  const auto cores =
      static_cast<int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  request.threads = static_cast<int>(line.integer_or("threads", cores, 1, 4096));
  request.force = line.has("force");
  return request;
}

}  // namespace

int fit(const Arguments& arguments, Console& console) {
  CommandLine line("sizewise fit TABLE|RUN_DIR [--fit ID] [--budget C]... [flags]",
                   "Fits a scaling law to a table of runs (CSV or JSON lines) and names "
                   "the best size\nfor a budget. Exit code 1: the rows do not identify "
                   "the law.");
  declare_flags(line);
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const tables::ColumnNames names = columns_from(line);
  FitRequest request = request_from(line, names);
  const loading::PluginCatalog catalog = scan_plugins(line);
  const ChosenPlugin chosen = resolve_choice(
      choice_from(
          line, PluginKind::kFit, catalog, {.plugin = "approach3", .options = {}}),
      PluginKind::kFit,
      catalog,
      console);
  request.fit = {chosen.file.manifest.id, chosen.options};
  tables::RunTableFile table = tables::read_run_table(table_path(line.words()[0]), names);
  request.source = line.words()[0];
  request.lines = std::move(table.lines);
  const CostModel cost_model = cost_model_from(line, table.runs);
  const auto plugin = loading::instantiate<Fit>(chosen.file, chosen.options);
  const FitReport report = fitting::fit_runs(table.runs, request, *plugin, cost_model);
  console.result(line.json() ? fitting::fit_report_to_json(report).dump(2) + "\n"
                             : reporting::fit_text(report));
  return report.identified() ? 0 : 1;
}

}  // namespace sizewise::cli
