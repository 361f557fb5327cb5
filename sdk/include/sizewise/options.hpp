#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sizewise {

/// A value that an option may have. Lists hold one type.
using OptionValue = std::variant<bool,
                                 int64_t,
                                 double,
                                 std::string,
                                 std::vector<int64_t>,
                                 std::vector<double>,
                                 std::vector<std::string>>;

/// A plugin's options: complete and valid, as the host resolved them against the
/// manifest. [any thread, once built]
class Options {
 public:
  Options();
  Options(const Options&);
  Options& operator=(const Options&);
  ~Options();

  /// Reads a JSON object. @throws Error kInput where the text is none, or a value is of
  /// no allowed type
  static Options from_json(std::string_view text);
  /// The options as one JSON object, keys sorted; numbers read back exactly.
  [[nodiscard]] std::string to_json() const;

  void set(std::string name, OptionValue value);
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, OptionValue, std::less<>>& values() const {
    return values_;
  }

  /// The option's value. T: bool, int64_t, double, std::string, or a vector of int64_t,
  /// double or std::string. An integer is also a double.
  /// @throws Error kConfiguration where the option is absent or of another type, naming
  /// both
  template <class T>
  [[nodiscard]] T get(std::string_view name) const;

  /// As get(), but `fallback` where the option is absent.
  template <class T>
  [[nodiscard]] T get_or(std::string_view name, T fallback) const {
    return has(name) ? get<T>(name) : std::move(fallback);
  }

 private:
  std::map<std::string, OptionValue, std::less<>> values_;
};

/// One option as a manifest declares it, in JSON Schema's words.
struct OptionSpec {
  std::string name;
  /// "boolean", "integer", "number", "string", or "array" (of `item_type`).
  std::string type;
  std::string item_type;
  std::string description;
  std::optional<OptionValue> default_value;
  std::optional<double> minimum;
  std::optional<double> maximum;
  /// The allowed values of a string or integer option, as texts; empty: any.
  std::vector<std::string> allowed;
  bool required = false;

  /// For messages: "integer, 1 to 64, default 4".
  [[nodiscard]] std::string summary() const;
};

/// All options of one plugin; checks what a user gave against them.
class OptionSchema {
 public:
  OptionSchema();
  OptionSchema(std::string plugin_id, std::vector<OptionSpec> specs);
  OptionSchema(const OptionSchema&);
  OptionSchema& operator=(const OptionSchema&);
  ~OptionSchema();

  [[nodiscard]] const std::vector<OptionSpec>& specs() const { return specs_; }
  [[nodiscard]] const OptionSpec* find(std::string_view name) const;

  /// Parses one KEY=VALUE of the command line by the option's declared type ("8,16" is a
  /// list).
  /// @throws Error kConfiguration for an unknown key (with the nearest known one) or a
  /// bad value
  [[nodiscard]] OptionValue parse(std::string_view name, std::string_view text) const;

  /// Checks types, ranges and required options, converts integers to numbers where a
  /// number is declared, and fills in defaults.
  /// @throws Error kConfiguration naming option, value received and values allowed
  [[nodiscard]] Options resolve(const Options& given) const;

 private:
  std::string plugin_id_;
  std::vector<OptionSpec> specs_;
};

/// The candidate nearest to `word` (synonyms such as num/count and params/parameters,
/// else an edit distance of at most a third of the word, a swap of neighbours being one
/// edit); empty where none is near. [any thread]
[[nodiscard]] std::string nearest_word(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace sizewise
