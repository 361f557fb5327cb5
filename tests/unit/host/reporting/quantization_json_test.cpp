#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sizewise/host.hpp"

namespace sizewise {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

json answer() {
  return json::parse(R"({
    "quantizer": "static", "options": {"bits": 8, "observer": "mse"}, "success": true,
    "errors": [{"code": "quantization", "message": "m", "suggestion": "s"}],
    "warnings": ["w"],
    "layers": [{"name": "fc1", "kind": "linear", "bits": 4, "scheme": "symmetric",
                "granularity": "group", "group_size": 32, "activation": "static",
                "sqnr_db": 20.25, "kernel": "k"}],
    "skipped": [{"name": "fc2", "reason": "r"}],
    "bytes": {"float": 10, "quantized": 4, "ratio": 2.5},
    "calibration": {"batches": 2, "units": 8, "observer": "mse"},
    "evaluation": {"float": {"loss": 1.5, "accuracy": null, "seconds_per_batch": 0.1},
                   "quantized": {"loss": 1.75, "accuracy": 0.5, "seconds_per_batch": 0.2}},
    "interrupted": false, "output": "/q"})");
}

TEST(QuantizationReportJson, ReadsBackWhatItWrites) {
  const QuantizationReport report = QuantizationReport::from_json(answer().dump());
  EXPECT_EQ(json::parse(report.to_json()), answer());
  EXPECT_EQ(report.layers.at(0).group_size, 32);
  EXPECT_EQ(report.errors.at(0).code(), ErrorCode::kQuantization);
  ASSERT_TRUE(report.evaluation.has_value());
  EXPECT_TRUE(std::isnan(report.evaluation->float_model.accuracy));
  EXPECT_EQ(report.evaluation->quantized.loss, 1.75);
}

TEST(QuantizationReportJson, TakesNullForWhatWasNotMeasured) {
  json object = answer();
  for (const char* name : {"bytes", "calibration", "evaluation", "output"}) {
    object[name] = nullptr;
  }
  object["layers"][0]["sqnr_db"] = nullptr;
  object["layers"][0]["group_size"] = nullptr;
  const QuantizationReport report = QuantizationReport::from_json(object.dump());
  EXPECT_FALSE(report.bytes || report.calibration || report.evaluation);
  EXPECT_TRUE(std::isnan(report.layers.at(0).sqnr_db));
  EXPECT_TRUE(report.output.empty());
  object["layers"][0]["group_size"] = 0;
  EXPECT_EQ(json::parse(report.to_json()), object);
}

TEST(QuantizationReportJson, NamesTheFieldThatIsNotThere) {
  for (const char* name : {"quantizer", "success", "layers", "skipped", "errors"}) {
    json object = answer();
    object.erase(name);
    try {
      static_cast<void>(QuantizationReport::from_json(object.dump()));
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      EXPECT_THAT(error.message(), HasSubstr(name));
      EXPECT_THAT(error.message(), Not(HasSubstr("json.exception")));
    }
  }
}

TEST(QuantizationReportJson, StandsInAnOutcomeAndIsReadFromIt) {
  Outcome outcome;
  outcome.run_dir = "run";
  EXPECT_TRUE(json::parse(outcome.to_json()).at("quantization").is_null());
  EXPECT_TRUE(json::parse(outcome.to_json()).at("model").is_null());
  outcome.quantization = QuantizationReport::from_json(answer().dump());
  TrainedModel model;
  model.folder = "run/model";
  model.size = 64;
  model.params = Parameters(1000);
  model.tokens = Units(2000);
  model.accuracy = NAN;
  outcome.model = model;
  const std::string text = outcome.to_json();
  EXPECT_EQ(json::parse(text).at("quantization"), answer());
  Outcome read;
  read.run_dir = "run";
  read.add_answer(text);
  EXPECT_EQ(read.to_json(), text);
}

}  // namespace
}  // namespace sizewise
