#include "sizewise/dataset_info.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise {
namespace {

using ::testing::HasSubstr;

TEST(DatasetInfo, ReadsBackWhatItWrote) {
  const DatasetInfo info{.unit = "token",
                         .units_per_sample = 64,
                         .train_samples = 1000,
                         .validation_samples = 10,
                         .input_shape = {64},
                         .input_type = "int64",
                         .target_shape = {64},
                         .target_type = "int64",
                         .vocabulary = 256,
                         .context = 64,
                         .channels = 0,
                         .classes = 256};
  EXPECT_EQ(DatasetInfo::from_json(info.to_json()), info);
  EXPECT_EQ(info.train_units(), 64000);
  EXPECT_EQ(info.validation_units(), 640);
}

TEST(DatasetInfo, RefusesWhatIsNoneNamingTheField) {
  const auto message = [](const char* text) -> std::string {
    try {
      (void)DatasetInfo::from_json(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      return error.message();
    }
    return "(no error)";
  };
  EXPECT_THAT(message("{"), HasSubstr("line 1"));
  EXPECT_THAT(message("[]"), HasSubstr("must be a JSON object"));
  EXPECT_EQ(message(R"({"context": 1.5})"),
            "dataset info: field 'context' is 1.5; allowed: an integer");
  EXPECT_THAT(message(R"({"unit": 3})"), HasSubstr("allowed: a text"));
  EXPECT_THAT(message(R"({"input_shape": [1, "x"]})"), HasSubstr("a list of integers"));
}

}  // namespace
}  // namespace sizewise
