#pragma once

#include "sizewise/experiment.hpp"

#include "command_line.hpp"
#include "console.hpp"
#include "loading/plugin_catalog.hpp"

// The flags that say what to do with which plugins, shared by the commands. What the
// command line says goes before the config file, and that before the plugin's defaults.

namespace sizewise::cli {

/// A plugin found and set: every option has its value.
struct ChosenPlugin {
  loading::PluginFile file;
  Options options;
};

/// --optimizer, --learning-rate and the rest of a Recipe.
CommandLine& add_recipe_flags(CommandLine& line);

/// What every command for one model takes: --model, --dataset and --loss with their
/// options, --threads and --worker.
CommandLine& add_single_model_flags(CommandLine& line);

/// --config, the plugins of all kinds of an Experiment, --budgets, --target-budget,
/// --bootstrap, and the recipe's flags.
CommandLine& add_experiment_flags(CommandLine& line);

/// The catalog of --plugin-dir and the usual places.
/// @throws Error kInput where a --plugin-dir does not exist
[[nodiscard]] loading::PluginCatalog scan_plugins(const CommandLine& line);

/// `base` with the recipe's flags over it.
/// @throws Error kConfiguration naming the flag or field and the values allowed
[[nodiscard]] Recipe recipe_from(const CommandLine& line, const Recipe& base = {});

/// `base` with --KIND and --KIND-option over it. Options of the base stay only while the
/// plugin stays the same. Empty where neither names a plugin.
/// @throws Error kConfiguration for an unknown plugin or option or a bad value
[[nodiscard]] PluginChoice choice_from(const CommandLine& line,
                                       PluginKind kind,
                                       const loading::PluginCatalog& catalog,
                                       PluginChoice base = {});

/// The plugin of a choice, with all its options; a size that is set as an option is left
/// out with a warning.
/// @throws Error kConfiguration where the choice is empty, the plugin is unknown or of
/// another kind, or an option is not allowed
[[nodiscard]] ChosenPlugin resolve_choice(const PluginChoice& choice,
                                          PluginKind kind,
                                          const loading::PluginCatalog& catalog,
                                          Console& console);

/// The experiment of --config (or the defaults) with all flags over it.
/// @throws Error kIo where the file cannot be read, kInput or kConfiguration where it or
/// a flag is wrong
[[nodiscard]] Experiment experiment_from(const CommandLine& line,
                                         const loading::PluginCatalog& catalog);

}  // namespace sizewise::cli
