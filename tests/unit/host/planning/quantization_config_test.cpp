#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/quantization.hpp"

namespace sizewise {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(QuantizationConfig, ReadsEveryField) {
  const QuantizationRequest request = QuantizationRequest::from_json(R"({
    "quantizer": {"plugin": "static", "options": {"bits": 4}}, "dataset": "text",
    "loss": "mse", "model": "/m.so", "include": ["a*", "b"], "exclude": ["c"],
    "calibration_batches": 5, "batch_size": 7, "evaluate": false})");
  EXPECT_EQ(request.quantizer.plugin, "static");
  EXPECT_EQ(request.quantizer.options.get<int64_t>("bits"), 4);
  EXPECT_EQ(request.dataset.plugin, "text");
  EXPECT_EQ(request.loss.plugin, "mse");
  EXPECT_EQ(request.model.plugin, "/m.so");
  EXPECT_THAT(request.include, ElementsAre("a*", "b"));
  EXPECT_THAT(request.exclude, ElementsAre("c"));
  EXPECT_EQ(request.calibration_batches, 5);
  EXPECT_EQ(request.batch_size, 7);
  EXPECT_FALSE(request.evaluate);
}

TEST(QuantizationConfig, LeavesTheDefaultsWhereNothingIsSaid) {
  const QuantizationRequest request = QuantizationRequest::from_json("{}");
  EXPECT_EQ(request.quantizer.plugin, "");
  EXPECT_THAT(request.include, IsEmpty());
  EXPECT_EQ(request.calibration_batches, std::nullopt);
  EXPECT_EQ(request.batch_size, std::nullopt);
  EXPECT_TRUE(request.evaluate);
}

TEST(QuantizationConfig, NamesWhatIsWrongAndWhatIsAllowed) {
  const std::vector<std::pair<std::string, std::string>> faults = {
      {R"({"quantiser": "static"})", "quantization has an unknown field 'quantiser'"},
      {R"({"include": "fc1"})", "'include' is \"fc1\"; allowed: a list of texts"},
      {R"({"exclude": [1]})", "'exclude' is [1]; allowed: a list of texts"},
      {R"({"calibration_batches": 0})",
       "'calibration_batches' is 0; allowed: an integer, 1"},
      {R"({"batch_size": 1.5})", "'batch_size' is 1.5; allowed: an integer, 1"},
      {R"({"evaluate": 1})", "'evaluate' is 1; allowed: true, false"},
      {R"({"quantizer": {"id": "static"}})", "quantizer has an unknown field 'id'"},
      {R"([])", "'quantization' is []; allowed: a JSON object"}};
  for (const auto& [text, part] : faults) {
    try {
      static_cast<void>(QuantizationRequest::from_json(text));
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kConfiguration) << text;
      EXPECT_THAT(error.message(), HasSubstr(part));
      EXPECT_NE(error.suggestion(), "");
    }
  }
  EXPECT_THROW(static_cast<void>(QuantizationRequest::from_json("{")), Error);
}

}  // namespace
}  // namespace sizewise
