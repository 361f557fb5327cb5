#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "console.hpp"
#include "experiment_flags.hpp"
#include "fitting/fit_report.hpp"
#include "tables/run_table_file.hpp"

// The flags of `sizewise fit`. Private to this folder.

namespace sizewise::cli {

void declare_fit_flags(CommandLine& line);

/// What --columns maps.
/// @throws Error kConfiguration where a name is mapped twice
[[nodiscard]] tables::ColumnNames columns_from(const CommandLine& line);

/// The table that a word names: a file, or the runs.csv of a run directory.
/// @throws Error kInput where the folder holds none
[[nodiscard]] std::filesystem::path table_path(const std::string& word);

/// The fits to compare, one or more: --fit ID,ID,... and the options that each knows;
/// without --fit a run directory's own, else approach3.
/// @throws Error kConfiguration for an unknown plugin, an option that none of them knows,
/// or a bad value
[[nodiscard]] std::vector<ChosenPlugin> fits_from(const CommandLine& line,
                                                  const loading::PluginCatalog& catalog,
                                                  Console& console);

/// --cost-model, else counted where the table has FLOPs.
/// @throws Error kConfiguration for another name, kInput where nothing is counted or a
/// row cannot have cost what it says
[[nodiscard]] CostModel cost_model_from(const CommandLine& line,
                                        const RunTable& runs,
                                        const fitting::FitRequest& request);

/// All flags but those of the plugin and the table.
/// @throws Error kConfiguration naming the flag and the values allowed
[[nodiscard]] fitting::FitRequest request_from(const CommandLine& line,
                                               const tables::ColumnNames& names);

}  // namespace sizewise::cli
