#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "commands/commands.hpp"
#include "commands/fit_flags.hpp"
#include "fitting/comparison.hpp"
#include "fitting/fit_report_json.hpp"
#include "loading/plugin_instance.hpp"
#include "reporting/fit_text.hpp"
#include "tables/json_values.hpp"

namespace sizewise::cli {
namespace {

using fitting::FitReport;

/// Resamples of a comparison unless told: without intervals it says nothing.
constexpr int kComparisonResamples = 200;

std::string json_of(const std::vector<FitReport>& reports) {
  nlohmann::json object = fitting::fit_report_to_json(reports.front());
  if (reports.size() > 1) {
    object["comparison"] =
        fitting::comparison_to_json(reports, fitting::differences_of(reports));
  }
  return tables::json_text(object) + "\n";
}

std::string text_of(const std::vector<FitReport>& reports) {
  std::string text;
  for (const FitReport& report : reports) {
    text += text.empty() ? "" : "\n";
    text += reporting::fit_text(report);
  }
  if (reports.size() > 1) {
    text += reporting::comparison_text(reports, fitting::differences_of(reports));
  }
  return text;
}

}  // namespace

int fit(const Arguments& arguments, Console& console) {
  CommandLine line("sizewise fit TABLE|RUN_DIR [--fit ID] [--budget C]... [flags]",
                   "Fits a scaling law to a table of runs (CSV or JSON lines) and names "
                   "the best size\nfor a budget. Exit code 1: the rows do not identify "
                   "the law.");
  declare_fit_flags(line);
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const tables::ColumnNames names = columns_from(line);
  fitting::FitRequest request = request_from(line, names);
  const std::vector<ChosenPlugin> fits = fits_from(line, scan_plugins(line), console);
  if (fits.size() > 1 && !line.has("bootstrap")) {
    request.bootstrap = kComparisonResamples;
  }
  const std::filesystem::path path = table_path(line.words()[0]);
  tables::RunTableFile table = tables::read_run_table(path, names);
  request.source = path.string();
  request.lines = std::move(table.lines);
  const CostModel cost_model = cost_model_from(line, table.runs, request);
  std::vector<FitReport> reports;
  for (const ChosenPlugin& chosen : fits) {
    request.fit = {chosen.file.manifest.id, chosen.options};
    const auto plugin = loading::instantiate<Fit>(chosen.file, chosen.options);
    reports.push_back(fitting::fit_runs(table.runs, request, *plugin, cost_model));
  }
  console.result(line.json() ? json_of(reports) : text_of(reports));
  const bool is_answered =
      std::all_of(reports.begin(), reports.end(), [](const FitReport& report) {
        return report.identified();
      });
  return is_answered ? 0 : 1;
}

}  // namespace sizewise::cli
