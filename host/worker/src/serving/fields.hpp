#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

// Reading the fields of a request: a wrong one is an Error that names it, what it holds
// and what is allowed.

namespace sizewise::serving {

/// @throws Error kConfiguration where the field is absent or no object
[[nodiscard]] const nlohmann::json& object_field(const nlohmann::json& params,
                                                 const char* name);

/// @throws Error kConfiguration where the field is absent or no integer of at least
///   `least`
[[nodiscard]] int64_t integer_field(const nlohmann::json& params,
                                    const char* name,
                                    int64_t least);

/// The same where an absent field or null means nothing.
[[nodiscard]] std::optional<int64_t> optional_integer_field(const nlohmann::json& params,
                                                            const char* name,
                                                            int64_t least);

/// Nothing where the field is absent or null.
/// @throws Error kConfiguration where it is no positive number
[[nodiscard]] std::optional<double> optional_number_field(const nlohmann::json& params,
                                                          const char* name);

/// @throws Error kConfiguration where the field is absent or no text
[[nodiscard]] std::string text_field(const nlohmann::json& params, const char* name);

/// The same where an absent field or null means nothing.
[[nodiscard]] std::optional<std::string> optional_text_field(const nlohmann::json& params,
                                                             const char* name);

/// False where absent. @throws Error kConfiguration where the field is no boolean
[[nodiscard]] bool flag_field(const nlohmann::json& params, const char* name);

/// @throws Error kConfiguration where the field is absent or no list of integers of at
///   least 1
[[nodiscard]] std::vector<int64_t> sizes_field(const nlohmann::json& params,
                                               const char* name);

/// @throws Error kConfiguration where the field is absent or no list of positive numbers
[[nodiscard]] std::vector<double> numbers_field(const nlohmann::json& params,
                                                const char* name);

/// An empty list where absent. @throws Error kConfiguration where the field is no list of
///   texts
[[nodiscard]] std::vector<std::string> texts_field(const nlohmann::json& params,
                                                   const char* name);

}  // namespace sizewise::serving
