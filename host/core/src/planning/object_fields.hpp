#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sizewise/experiment.hpp"

// What people write as JSON, read field by field: a wrong one is named with what is
// allowed.

namespace sizewise::planning {

/// What a message calls a field: by its name in JSON, or by the flag that sets it.
enum class FieldNames { kFields, kFlags };

/// @throws Error kConfiguration where it is no object or has a field that is not `known`
void check_fields(const nlohmann::json& object,
                  const std::vector<std::string>& known,
                  std::string_view what);

/// Reads a plugin's choice, where the field is there: an id or a path, or {"plugin",
/// "options"}.
/// @throws Error kConfiguration where it is neither
void read_choice(const nlohmann::json& object, const char* field, PluginChoice& to);

/// Reads the fields of an object that are there; the others keep their values. What is
/// not allowed is an Error kConfiguration.
class Fields {
 public:
  /// @param object is borrowed
  explicit Fields(const nlohmann::json& object, FieldNames names = FieldNames::kFields)
      : object_(object), names_(names) {}

  [[nodiscard]] bool has(const char* field) const { return find(field) != nullptr; }

  void read_number(const char* field, double least, double most, double& to) const;

  template <class Integer>
  void read_integer(const char* field, int64_t least, int64_t most, Integer& to) const {
    if (has(field)) {
      to = static_cast<Integer>(integer(field, least, most));
    }
  }

  void read_flag(const char* field, bool& to) const;

  /// @param allowed empty: any text
  void read_word(const char* field,
                 const std::vector<std::string>& allowed,
                 std::string& to) const;

  void read_words(const char* field, std::vector<std::string>& to) const;

  void read_budgets(const char* field, std::vector<Flops>& to) const;

  /// "'batch_size'" or "--batch-size".
  [[nodiscard]] std::string name_of(std::string field) const;

 private:
  [[nodiscard]] const nlohmann::json* find(const char* field) const;
  [[nodiscard]] int64_t integer(const char* field, int64_t least, int64_t most) const;
  [[noreturn]] void refuse(const char* field,
                           const nlohmann::json& value,
                           std::string_view allowed) const;

  const nlohmann::json& object_;
  FieldNames names_;
};

}  // namespace sizewise::planning
