#include <sizewise/options.hpp>

#include "fuzz.hpp"

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  const Options options = Options::from_json(input);
  const std::string text = options.to_json();
  require(Options::from_json(text).to_json() == text,
          "options read back what they wrote");
}
