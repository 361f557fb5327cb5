#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "plugin_under_test.hpp"
#include "shipped_plugins.hpp"

namespace sizewise::testing {
namespace {

constexpr int64_t kContext = 5;

/// Bytes without a pattern, so that no two windows of them are alike.
std::string scattered_bytes(std::size_t count) {
  std::string bytes;
  uint32_t state = 1;
  while (bytes.size() < count) {
    state = state * 1664525U + 1013904223U;
    bytes += static_cast<char>(state >> 24U);
  }
  return bytes;
}

/// Writes data for a shipped dataset and says its options. A new dataset needs a line.
std::string options_for(const std::string& id, const ScratchFolder& folder) {
  const std::string windows =
      R"(, "context": )" + std::to_string(kContext) + R"(, "validation_fraction": 0.25})";
  if (id == "text") {
    return R"({"path": ")" + folder.write("a.txt", scattered_bytes(401)) + "\"" + windows;
  }
  if (id == "tokens") {
    return R"({"vocabulary": 65536, "path": ")" +
           folder.write("a.bin", scattered_bytes(802)) + "\"" + windows;
  }
  if (id == "idx_images") {
    const std::string images =
        std::string("\0\0\x08\x03\0\0\0\x29\0\0\0\x04\0\0\0\x03", 16);
    const std::string labels = std::string("\0\0\x08\x01\0\0\0\x29", 8);
    return R"({"classes": 256, "validation_fraction": 0.25, "images": ")" +
           folder.write("images", images + scattered_bytes(41 * 12)) +
           R"(", "labels": ")" + folder.write("labels", labels + scattered_bytes(41)) +
           "\"}";
  }
  return {};
}

/// A row of each tensor of a batch, as bytes.
std::string row_of(const TensorMap& batch, int64_t row) {
  std::string bytes;
  for (const auto& [name, tensor] : batch) {
    const at::Tensor part = tensor[row].contiguous();
    bytes.append(static_cast<const char*>(part.const_data_ptr()), part.nbytes());
  }
  return bytes;
}

class DatasetConformance : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    options_ = options_for(GetParam(), folder_);
    ASSERT_FALSE(options_.empty()) << "options_for() has no data for " << GetParam();
    data_ = make_dataset(GetParam(), options_);
  }

  [[nodiscard]] std::vector<std::string> rows(Split split,
                                              int64_t first,
                                              int64_t samples,
                                              uint64_t seed = 1) const {
    const TensorMap batch = data_->batch(
        {.split = split, .first_sample = first, .samples = samples, .seed = seed});
    std::vector<std::string> rows;
    for (int64_t row = 0; row < batch.at("input").size(0); ++row) {
      rows.push_back(row_of(batch, row));
    }
    return rows;
  }

  [[nodiscard]] std::vector<std::string> epoch(int64_t number, uint64_t seed = 1) const {
    const int64_t samples = data_->info().train_samples;
    return rows(Split::kTrain, number * samples, samples, seed);
  }

  ScratchFolder folder_;
  std::string options_;
  std::shared_ptr<Dataset> data_;
};

TEST_P(DatasetConformance, GivesTheShapesAndTypesThatItSays) {
  const DatasetInfo& info = data_->info();
  const auto shape = [](int64_t rows, std::vector<int64_t> sample) {
    sample.insert(sample.begin(), rows);
    return sample;
  };
  const std::map<std::string, at::ScalarType> types = {{"float32", at::kFloat},
                                                       {"int64", at::kLong}};
  for (const Split split : {Split::kTrain, Split::kValidation}) {
    for (const int64_t samples : {1, 3}) {
      const TensorMap batch = data_->batch(
          {.split = split, .first_sample = 2, .samples = samples, .seed = 1});
      const at::Tensor& input = tensor_at(batch, "input");
      const at::Tensor& target = tensor_at(batch, "target");
      EXPECT_EQ(input.sizes(), shape(samples, info.input_shape));
      EXPECT_EQ(target.sizes(), shape(samples, info.target_shape));
      EXPECT_EQ(input.scalar_type(), types.at(info.input_type));
      EXPECT_EQ(target.scalar_type(), types.at(info.target_type));
      EXPECT_TRUE(input.is_contiguous());
      EXPECT_TRUE(target.is_contiguous());
      if (info.classes > 0) {
        EXPECT_GE(target.min().item<int64_t>(), 0);
        EXPECT_LT(target.max().item<int64_t>(), info.classes);
      }
    }
  }
}

TEST_P(DatasetConformance, CountsItsSamplesAndCutsTheLastValidationBatch) {
  const int64_t count = data_->info().validation_samples;
  ASSERT_GT(count, 2);
  ASSERT_GT(data_->info().train_samples, 2);
  EXPECT_EQ(rows(Split::kValidation, 0, count + 7).size(), count);
  EXPECT_EQ(rows(Split::kValidation, count - 2, 5).size(), 2);
  EXPECT_EQ(rows(Split::kValidation, count, 5).size(), 0);
  EXPECT_EQ(rows(Split::kTrain, data_->info().train_samples - 2, 5).size(), 5);
}

TEST_P(DatasetConformance, SharesNoSampleBetweenSplits) {
  const std::vector<std::string> train = epoch(0);
  const std::vector<std::string> validation =
      rows(Split::kValidation, 0, data_->info().validation_samples);
  const std::set<std::string> distinct(train.begin(), train.end());
  EXPECT_EQ(distinct.size(), train.size());
  for (const std::string& row : validation) {
    EXPECT_EQ(distinct.count(row), 0);
  }
}

TEST_P(DatasetConformance, ShowsEverySampleOnceAnEpochAndEachEpochAnew) {
  const auto sorted = [](std::vector<std::string> rows) {
    std::sort(rows.begin(), rows.end());
    return rows;
  };
  EXPECT_EQ(sorted(epoch(0)), sorted(epoch(1)));
  EXPECT_NE(epoch(0), epoch(1));
  EXPECT_NE(epoch(0, 1), epoch(0, 2));
  EXPECT_EQ(sorted(epoch(0, 1)), sorted(epoch(0, 2)));
}

TEST_P(DatasetConformance, GivesTheSameBatchForTheSameRequest) {
  const auto again = make_dataset(GetParam(), options_);
  EXPECT_EQ(again->info(), data_->info());
  EXPECT_EQ(again->fingerprint(), data_->fingerprint());
  const BatchRequest request{
      .split = Split::kTrain, .first_sample = 11, .samples = 9, .seed = 6};
  const TensorMap one = data_->batch(request);
  const TensorMap other = again->batch(request);
  for (const auto& [name, tensor] : one) {
    EXPECT_TRUE(at::equal(tensor, tensor_at(other, name))) << name;
  }
}

TEST_P(DatasetConformance, ResumesAtAnyPosition) {
  for (const Split split : {Split::kTrain, Split::kValidation}) {
    const std::vector<std::string> whole = rows(split, 0, 8);
    std::vector<std::string> parts = rows(split, 0, 3);
    for (const std::string& row : rows(split, 3, 5)) {
      parts.push_back(row);
    }
    EXPECT_EQ(whole, parts);
  }
}

TEST_P(DatasetConformance, ServesManyThreads) {
  const std::vector<std::string> expected = epoch(0);
  std::vector<std::vector<std::string>> seen(4);
  std::vector<std::thread> threads;
  threads.reserve(seen.size());
  for (auto& rows_seen : seen) {
    threads.emplace_back([this, &rows_seen] {
      rows_seen = epoch(0);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& rows_seen : seen) {
    EXPECT_EQ(rows_seen, expected);
  }
}

TEST_P(DatasetConformance, RefusesAPositionThatIsNone) {
  const std::vector<std::pair<int64_t, int64_t>> positions = {{-1, 1}, {0, 0}, {0, -3}};
  for (const auto& [first, samples] : positions) {
    EXPECT_EQ(error_of([&, from = first, count = samples] {
                (void)rows(Split::kTrain, from, count);
              }).substr(0, 7),
              "input: ");
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped,
                         DatasetConformance,
                         ::testing::ValuesIn(shipped_plugins(PluginKind::kDataset)),
                         id_of_case);

}  // namespace
}  // namespace sizewise::testing
