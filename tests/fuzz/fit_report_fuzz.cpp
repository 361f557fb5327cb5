#include <nlohmann/json.hpp>

#include "fitting/fit_report_json.hpp"
#include "fuzz.hpp"

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  const auto object = nlohmann::json::parse(input, nullptr, false);
  if (object.is_discarded()) {
    return;
  }
  const std::string text =
      fitting::fit_report_to_json(fitting::fit_report_from_json(object)).dump();
  const auto again = fitting::fit_report_from_json(nlohmann::json::parse(text));
  require(fitting::fit_report_to_json(again).dump() == text,
          "a fit's report reads back what it wrote");
}
