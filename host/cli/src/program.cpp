#include "program.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "boundary.hpp"
#include "commands/commands.hpp"
#include "tables/json_values.hpp"

namespace sizewise::cli {
namespace {

struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(const Arguments& arguments, Console& console);
};

/// Every command, one row each, in alphabetical order.
const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands = {
      {"evaluate", "measure a saved model on a dataset", evaluate},
      {"find-optimal", "plan, train, fit and recommend a size", find_optimal},
      {"fit", "fit a scaling law to a table of runs", fit},
      {"plan", "say what a run would train first", plan},
      {"plugin", "list the plugins that are found, show one", plugin},
      {"predict", "predict a loss, or the best use of a budget, from a law", predict},
      {"quantize", "quantize a saved model, or weights alone", quantize},
      {"report", "print what a run directory holds", report},
      {"run", "continue a run directory", run},
      {"train", "train one model and save it", train},
  };
  return kCommands;
}

std::string help() {
  std::string text =
      "Usage: sizewise COMMAND [flags]\n\n"
      "How large a model should be, on how much data, and at which precision.\n\n"
      "Commands:\n";
  for (const Command& command : commands()) {
    text += fmt::format("  {:<14} {}\n", command.name, command.summary);
  }
  return text +
         "\nsizewise COMMAND --help explains one. sizewise --version prints the "
         "version.\n";
}

[[noreturn]] void refuse_command(const std::string& name) {
  std::vector<std::string> known = {"--help", "--version"};
  for (const Command& command : commands()) {
    known.emplace_back(command.name);
  }
  const std::string near = nearest_word(name, known);
  throw Error(
      ErrorCode::kConfiguration,
      fmt::format("unknown command '{}'{}",
                  name,
                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
      fmt::format(
          "commands: {}; run `sizewise --help`",
          fmt::join(std::vector<std::string>(known.begin() + 2, known.end()), ", ")));
}

int dispatch(const Arguments& arguments, Console& console) {
  if (arguments.empty()) {
    throw Error(ErrorCode::kConfiguration,
                "no command is given",
                "run `sizewise --help` for the list");
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    console.result(help());
    return 0;
  }
  if (name == "--version") {
    console.result("sizewise " SIZEWISE_VERSION "\n");
    return 0;
  }
  for (const Command& command : commands()) {
    if (command.name == name) {
      return command.run({arguments.begin() + 1, arguments.end()}, console);
    }
  }
  refuse_command(name);
}

/// Outcomes of work that ran are 1; what the user or the system must change is 2; ours
/// is 3.
int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kTraining:
    case ErrorCode::kFit:
    case ErrorCode::kQuantization:
    case ErrorCode::kValidation:
      return 1;
    case ErrorCode::kConfiguration:
    case ErrorCode::kInput:
    case ErrorCode::kPlugin:
    case ErrorCode::kIo:
      return 2;
    case ErrorCode::kInternal:
      break;
  }
  return 3;
}

int report_error(const Error& error, bool as_json, Console& console, std::FILE* out) {
  console.fail(error);
  if (as_json) {
    const nlohmann::json object = {{"error", tables::error_to_json(error)}};
    // A write that fails here has nowhere left to be reported but the exit code.
    const std::string text = tables::json_text(object) + "\n";
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), out));
    static_cast<void>(std::fflush(out));
  }
  return exit_code(error.code());
}

void check_text(const Arguments& arguments) {
  for (const std::string& argument : arguments) {
    if (!is_utf8(argument)) {
      throw Error(ErrorCode::kInput,
                  fmt::format("the argument '{}' is not UTF-8", argument),
                  "give files and folders names in UTF-8");
    }
  }
}

int run_command(const Arguments& arguments, Console& console) {
  return with_errors_alone([&] {
    check_text(arguments);
    const int code = dispatch(arguments, console);
    console.flush();
    return code;
  });
}

}  // namespace

int run_program(const Arguments& arguments, std::FILE* out, std::FILE* err) {
  Console console(out, err);
  try {
    return run_command(arguments, console);
  } catch (const Error& error) {
    const bool as_json =
        std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    return report_error(error, as_json, console, out);
  }
}

}  // namespace sizewise::cli
