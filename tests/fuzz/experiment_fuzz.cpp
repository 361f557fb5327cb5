#include <sizewise/experiment.hpp>

#include "fuzz.hpp"

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  const std::string text = Experiment::from_json(input).to_json();
  require(Experiment::from_json(text).to_json() == text,
          "an experiment reads back what it wrote");
}
