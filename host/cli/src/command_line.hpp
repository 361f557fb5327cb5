#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/manifest.hpp"

#include "console.hpp"

namespace sizewise::cli {

/// What follows the command's name.
using Arguments = std::vector<std::string>;

/// The flags of one command, declared first and read after parse(). Every command also
/// has --help, --json, --quiet and --plugin-dir. A flag's name is given without its
/// dashes.
///
/// ```cpp
/// CommandLine line("sizewise predict LAW --params N", "Predicts a loss.");
/// line.positional("LAW", 1, 1).value("params", "N", "parameters of the model");
/// if (!line.parse(arguments, console)) {
///   return 0;  // --help was asked for
/// }
/// const double params = line.number_or("params", 1e6, 1);
/// ```
class CommandLine {
 public:
  /// @param usage "sizewise fit TABLE --fit ID [flags]"
  /// @param summary a sentence or two for --help
  CommandLine(std::string usage, std::string summary);

  CommandLine& toggle(std::string name, std::string description);
  CommandLine& value(std::string name, std::string placeholder, std::string description);
  /// As value(), but it may be given several times.
  CommandLine& values(std::string name, std::string placeholder, std::string description);
  /// --KIND ID and the repeatable --KIND-option KEY=VALUE.
  CommandLine& plugin(PluginKind kind);
  /// Words without dashes: at least `least` and at most `most` of them, called `name` in
  /// messages.
  CommandLine& positional(std::string name, std::size_t least, std::size_t most);

  /// Reads the arguments. False where --help was given: its text is printed and the
  /// command has nothing more to do.
  /// @throws Error kConfiguration for an unknown flag (with the nearest known one), a
  /// flag without its value, a flag given twice, or too few or too many words
  [[nodiscard]] bool parse(const Arguments& arguments, Console& console);

  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::string text_or(std::string_view name,
                                    const std::string& fallback) const;
  /// The values of a repeatable flag, in order.
  [[nodiscard]] const std::vector<std::string>& texts(std::string_view name) const;
  /// The words without dashes, in order.
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }

  /// @throws Error kConfiguration where the value is no number or outside [least, most]
  [[nodiscard]] double number_or(std::string_view name,
                                 double fallback,
                                 double least = std::numeric_limits<double>::lowest(),
                                 double most = std::numeric_limits<double>::max()) const;
  /// @throws Error kConfiguration where the value is no integer or outside [least, most]
  [[nodiscard]] int64_t integer_or(
      std::string_view name,
      int64_t fallback,
      int64_t least = 0,
      int64_t most = std::numeric_limits<int64_t>::max()) const;
  /// All numbers of a flag that takes lists (1e9,3e9 or 1e9:1e11:5), repeated or not.
  /// @throws Error kConfiguration where a number is not positive
  [[nodiscard]] std::vector<double> positive_list(std::string_view name) const;

  /// Whether the result is to be one JSON object.
  [[nodiscard]] bool json() const { return has("json"); }
  /// The --plugin-dir folders, in order.
  [[nodiscard]] std::vector<std::filesystem::path> plugin_dirs() const;

 private:
  enum class FlagKind { kToggle, kValue, kValues };
  struct Flag {
    std::string name;
    FlagKind kind;
    std::string placeholder;
    std::string description;
  };

  class Parser;

  [[nodiscard]] std::string help() const;
  [[nodiscard]] const std::string* find(std::string_view name) const;

  std::string usage_;
  std::string summary_;
  std::string words_name_ = "argument";
  std::size_t least_words_ = 0;
  std::size_t most_words_ = 0;
  std::vector<Flag> flags_;
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
  std::vector<std::string> words_;
};

}  // namespace sizewise::cli
