#include "serving/fields.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::serving {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const json& params, const char* name, std::string_view allowed) {
  const auto found = params.find(name);
  throw Error(ErrorCode::kConfiguration,
              fmt::format("the request's '{}' is {}; allowed: {}",
                          name,
                          found == params.end() ? "absent" : found->dump(),
                          allowed),
              "see docs/worker-protocol.md");
}

bool is_given(const json& params, const char* name) {
  const auto found = params.find(name);
  return found != params.end() && !found->is_null();
}

}  // namespace

const json& object_field(const json& params, const char* name) {
  if (!params.contains(name) || !params.at(name).is_object()) {
    refuse(params, name, "an object");
  }
  return params.at(name);
}

int64_t integer_field(const json& params, const char* name, int64_t least) {
  if (!params.contains(name) || !params.at(name).is_number_integer() ||
      params.at(name).get<int64_t>() < least) {
    refuse(params, name, fmt::format("an integer of at least {}", least));
  }
  return params.at(name).get<int64_t>();
}

std::optional<int64_t> optional_integer_field(const json& params,
                                              const char* name,
                                              int64_t least) {
  if (!is_given(params, name)) {
    return std::nullopt;
  }
  return integer_field(params, name, least);
}

std::optional<double> optional_number_field(const json& params, const char* name) {
  if (!is_given(params, name)) {
    return std::nullopt;
  }
  if (!params.at(name).is_number() || !(params.at(name).get<double>() > 0)) {
    refuse(params, name, "a positive number");
  }
  return params.at(name).get<double>();
}

std::string text_field(const json& params, const char* name) {
  if (!params.contains(name) || !params.at(name).is_string()) {
    refuse(params, name, "a text");
  }
  return params.at(name).get<std::string>();
}

std::optional<std::string> optional_text_field(const json& params, const char* name) {
  if (!is_given(params, name)) {
    return std::nullopt;
  }
  return text_field(params, name);
}

bool flag_field(const json& params, const char* name) {
  if (!is_given(params, name)) {
    return false;
  }
  if (!params.at(name).is_boolean()) {
    refuse(params, name, "true or false");
  }
  return params.at(name).get<bool>();
}

std::vector<int64_t> sizes_field(const json& params, const char* name) {
  const auto fits = [](const json& value) {
    return value.is_number_integer() && value.get<int64_t>() >= 1;
  };
  if (!params.contains(name) || !params.at(name).is_array() ||
      !std::all_of(params.at(name).begin(), params.at(name).end(), fits)) {
    refuse(params, name, "a list of integers of at least 1");
  }
  return params.at(name).get<std::vector<int64_t>>();
}

std::vector<double> numbers_field(const json& params, const char* name) {
  const auto fits = [](const json& value) {
    return value.is_number() && value.get<double>() > 0;
  };
  if (!params.contains(name) || !params.at(name).is_array() ||
      !std::all_of(params.at(name).begin(), params.at(name).end(), fits)) {
    refuse(params, name, "a list of positive numbers");
  }
  return params.at(name).get<std::vector<double>>();
}

std::vector<std::string> texts_field(const json& params, const char* name) {
  if (!params.contains(name)) {
    return {};
  }
  const json& list = params.at(name);
  if (!list.is_array() || !std::all_of(list.begin(), list.end(), [](const json& value) {
        return value.is_string();
      })) {
    refuse(params, name, "a list of texts");
  }
  return list.get<std::vector<std::string>>();
}

}  // namespace sizewise::serving
