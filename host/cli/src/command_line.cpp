#include "command_line.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "numbers.hpp"
#include "reporting/text.hpp"

namespace sizewise::cli {
namespace {

namespace po = boost::program_options;

constexpr const char* kWords = "sizewise-words";

/// --name and --name=value and --name value; no prefixes of names, because `--size` must
/// not silently mean --sizes, and no one-letter flags.
constexpr int kStyle = po::command_line_style::allow_long |
                       po::command_line_style::long_allow_adjacent |
                       po::command_line_style::long_allow_next;

/// Boost counts the line's end as a column.
constexpr unsigned kLineLength = reporting::kTextWidth;

/// Boost gives option names with or without their dashes.
std::string bare(std::string name) {
  name.erase(0, name.find_first_not_of('-'));
  return name.substr(0, name.find('='));
}

[[noreturn]] void refuse(std::string message, std::string_view usage) {
  throw Error(ErrorCode::kConfiguration,
              std::move(message),
              fmt::format("usage: {}; --help lists all flags", usage));
}

}  // namespace

/// The only place that knows Boost.Program_options.
class CommandLine::Parser {
 public:
  explicit Parser(const CommandLine& line)
      : line_(line), flags_("Flags", kLineLength, kLineLength / 2) {
    for (const Flag& flag : line.flags_) {
      if (flag.kind == FlagKind::kToggle) {
        flags_.add_options()(flag.name.c_str(), flag.description.c_str());
      } else {
        // Repeats are collected here and judged in check_repeats(), which can say more
        // than Boost.
        flags_.add_options()(
            flag.name.c_str(),
            po::value<std::vector<std::string>>()->composing()->value_name(
                flag.placeholder),
            flag.description.c_str());
      }
    }
    all_.add(flags_).add_options()(kWords, po::value<std::vector<std::string>>());
    positions_.add(kWords, -1);
  }

  [[nodiscard]] std::string help() const {
    std::ostringstream text;
    text << flags_;
    return text.str();
  }

  [[nodiscard]] std::vector<po::option> parse(const Arguments& arguments) const {
    try {
      return po::command_line_parser(arguments)
          .options(all_)
          .positional(positions_)
          .style(kStyle)
          .run()
          .options;
    } catch (const po::unknown_option& error) {
      refuse_unknown("--" + bare(error.get_option_name()));
    } catch (const po::error_with_option_name& error) {
      refuse_syntax(bare(error.get_option_name()));
    }
  }

  /// @param given the flag as it was written, with its dashes
  [[noreturn]] void refuse_unknown(const std::string& given) const {
    std::vector<std::string> known;
    for (const Flag& flag : line_.flags_) {
      known.push_back(flag.name);
    }
    const std::string near = nearest_word(bare(given), known);
    refuse(fmt::format("unknown flag '{}'{}",
                       given,
                       near.empty() ? "" : fmt::format("; did you mean '--{}'?", near)),
           line_.usage_);
  }

 private:
  [[noreturn]] void refuse_syntax(const std::string& name) const {
    const auto flag = std::find_if(
        line_.flags_.begin(), line_.flags_.end(), [&](const Flag& candidate) {
          return candidate.name == name;
        });
    if (flag == line_.flags_.end()) {
      refuse_unknown("--" + name);
    }
    refuse(
        flag->kind == FlagKind::kToggle
            ? fmt::format("--{} takes no value", name)
            : fmt::format("--{} needs a value: --{} {}", name, name, flag->placeholder),
        line_.usage_);
  }

  const CommandLine& line_;
  po::options_description flags_;
  po::options_description all_;
  po::positional_options_description positions_;
};

CommandLine::CommandLine(std::string usage, std::string summary)
    : usage_(std::move(usage)), summary_(std::move(summary)) {
  toggle("help", "print this and exit");
  toggle("json", "print one JSON object on standard output and nothing else there");
  toggle("quiet", "no progress and no notes on standard error");
  values("plugin-dir", "DIR", "look for plugins here too");
}

CommandLine& CommandLine::toggle(std::string name, std::string description) {
  flags_.push_back({std::move(name), FlagKind::kToggle, "", std::move(description)});
  return *this;
}

CommandLine& CommandLine::value(std::string name,
                                std::string placeholder,
                                std::string description) {
  flags_.push_back({std::move(name),
                    FlagKind::kValue,
                    std::move(placeholder),
                    std::move(description)});
  return *this;
}

CommandLine& CommandLine::values(std::string name,
                                 std::string placeholder,
                                 std::string description) {
  flags_.push_back({std::move(name),
                    FlagKind::kValues,
                    std::move(placeholder),
                    std::move(description) + " (repeatable)"});
  return *this;
}

CommandLine& CommandLine::plugin(PluginKind kind) {
  const std::string name(to_string(kind));
  value(name, "ID", fmt::format("the {} plugin: an id, or the path of a .so", name));
  return values(
      name + "-option", "KEY=VALUE", fmt::format("sets an option of the {}", name));
}

CommandLine& CommandLine::positional(std::string name,
                                     std::size_t least,
                                     std::size_t most) {
  words_name_ = std::move(name);
  least_words_ = least;
  most_words_ = most;
  return *this;
}

bool CommandLine::parse(const Arguments& arguments, Console& console) {
  const Parser parser(*this);
  for (const po::option& option : parser.parse(arguments)) {
    if (option.string_key == kWords) {
      words_.insert(words_.end(), option.value.begin(), option.value.end());
    } else {
      auto& to = given_[option.string_key];
      to.insert(to.end(), option.value.begin(), option.value.end());
    }
  }
  for (const std::string& word : words_) {
    // One dash: "-h" and its like are flags that do not exist here, not files.
    if (word.size() > 1 && word.front() == '-') {
      parser.refuse_unknown(word);
    }
  }
  console.set_quiet(has("quiet"));
  if (has("help")) {
    console.result(help());
    return false;
  }
  for (const Flag& flag : flags_) {
    if (flag.kind == FlagKind::kValue && texts(flag.name).size() > 1) {
      refuse(fmt::format("--{} is given {} times; it takes one value",
                         flag.name,
                         texts(flag.name).size()),
             usage_);
    }
  }
  if (words_.size() < least_words_) {
    refuse(fmt::format("{} is missing", words_name_), usage_);
  }
  if (words_.size() > most_words_) {
    refuse(fmt::format("unexpected argument '{}'", words_[most_words_]), usage_);
  }
  return true;
}

std::string CommandLine::help() const {
  return fmt::format("{}\n{}\n{}",
                     reporting::hanging("Usage: ", usage_),
                     reporting::wrapped(summary_, 0),
                     Parser(*this).help());
}

bool CommandLine::has(std::string_view name) const {
  return given_.find(name) != given_.end();
}

const std::string* CommandLine::find(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() || found->second.empty() ? nullptr : &found->second.back();
}

std::string CommandLine::text_or(std::string_view name,
                                 const std::string& fallback) const {
  const std::string* text = find(name);
  return text != nullptr ? *text : fallback;
}

const std::vector<std::string>& CommandLine::texts(std::string_view name) const {
  static const std::vector<std::string> kNone;
  const auto found = given_.find(name);
  return found == given_.end() ? kNone : found->second;
}

double CommandLine::number_or(std::string_view name,
                              double fallback,
                              double least,
                              double most) const {
  const std::string* text = find(name);
  return text != nullptr ? parse_number(fmt::format("--{}", name), *text, least, most)
                         : fallback;
}

int64_t CommandLine::integer_or(std::string_view name,
                                int64_t fallback,
                                int64_t least,
                                int64_t most) const {
  const std::string* text = find(name);
  return text != nullptr ? parse_integer(fmt::format("--{}", name), *text, least, most)
                         : fallback;
}

std::vector<double> CommandLine::positive_list(std::string_view name) const {
  std::vector<double> numbers;
  for (const std::string& text : texts(name)) {
    const std::vector<double> some = parse_positive_list(fmt::format("--{}", name), text);
    numbers.insert(numbers.end(), some.begin(), some.end());
  }
  return numbers;
}

std::vector<std::filesystem::path> CommandLine::plugin_dirs() const {
  const std::vector<std::string>& dirs = texts("plugin-dir");
  return {dirs.begin(), dirs.end()};
}

}  // namespace sizewise::cli
