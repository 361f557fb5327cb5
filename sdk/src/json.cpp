#include "json.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "sizewise/error.hpp"

namespace sizewise::detail {
namespace {

using nlohmann::json;

/// nlohmann would wrap an integer past 2^63 around.
int64_t integer_from_json(const json& value, std::string_view name) {
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (value.is_number_unsigned() && value.get<uint64_t>() > kMost) {
    throw Error(ErrorCode::kInput,
                "'" + std::string(name) + "' holds " + value.dump() +
                    "; the largest integer allowed is " + std::to_string(kMost));
  }
  return value.get<int64_t>();
}

template <class T>
std::vector<T> list_of(const json& value) {
  return value.get<std::vector<T>>();
}

OptionValue list_from_json(const json& value, std::string_view name) {
  const auto all = [&](auto test) {
    return std::all_of(value.begin(), value.end(), test);
  };
  if (all([](const json& v) {
        return v.is_number_integer();
      })) {
    std::vector<int64_t> list;
    for (const json& item : value) {
      list.push_back(integer_from_json(item, name));
    }
    return list;
  }
  if (all([](const json& v) {
        return v.is_number();
      })) {
    return list_of<double>(value);
  }
  if (all([](const json& v) {
        return v.is_string();
      })) {
    return list_of<std::string>(value);
  }
  throw Error(ErrorCode::kInput,
              "'" + std::string(name) + "' is the list " + value.dump() +
                  "; a list holds numbers alone or texts alone");
}

/// What is wrong, without the parser's own code and position.
std::string fault_of(std::string_view message) {
  constexpr std::string_view kBefore = " - ";
  const auto found = message.find(kBefore);
  return std::string(
      found == std::string_view::npos ? message : message.substr(found + kBefore.size()));
}

}  // namespace

json parse_json(std::string_view text, std::string_view what) {
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    const std::string_view before =
        text.substr(0, std::min(text.size(), error.byte > 0 ? error.byte - 1 : 0));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto newline = before.rfind('\n');
    const auto column =
        newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
    throw Error(ErrorCode::kInput,
                std::string(what) + " is not valid JSON: line " + std::to_string(line) +
                    ", column " + std::to_string(column) + ": " + fault_of(error.what()));
  } catch (const json::out_of_range&) {
    throw Error(ErrorCode::kInput,
                std::string(what) + " holds a number beyond what a double can hold",
                "write a smaller number");
  }
}

OptionValue option_value_from_json(const json& value, std::string_view name) {
  switch (value.type()) {
    case json::value_t::boolean:
      return value.get<bool>();
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return integer_from_json(value, name);
    case json::value_t::number_float:
      return value.get<double>();
    case json::value_t::string:
      return value.get<std::string>();
    case json::value_t::array:
      return list_from_json(value, name);
    default:
      throw Error(
          ErrorCode::kInput,
          "'" + std::string(name) + "' is " + value.dump() +
              "; an option is true or false, a number, a text, or a list of them");
  }
}

json option_value_to_json(const OptionValue& value) {
  return std::visit(
      [](const auto& held) {
        return json(held);
      },
      value);
}

std::string to_text(const OptionValue& value) {
  return option_value_to_json(value).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace sizewise::detail
