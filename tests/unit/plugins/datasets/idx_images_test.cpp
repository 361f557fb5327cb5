#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "plugin_under_test.hpp"

namespace sizewise::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24U),
          static_cast<char>(value >> 16U),
          static_cast<char>(value >> 8U),
          static_cast<char>(value)};
}

std::string idx_of(const std::vector<uint32_t>& shape, const std::string& bytes) {
  std::string file = big_endian(0x0800U + static_cast<uint32_t>(shape.size()));
  for (const uint32_t length : shape) {
    file += big_endian(length);
  }
  return file + bytes;
}

/// As gzip writes it.
std::string compressed(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// Five images of 2 x 3 pixels: image i has the shade 10 i everywhere but for its first
/// pixel, 255.
std::string pixels() {
  std::string bytes;
  for (int image = 0; image < 5; ++image) {
    bytes += static_cast<char>(255);
    bytes += std::string(5, static_cast<char>(10 * image));
  }
  return bytes;
}

const std::string kLabels{0, 1, 2, 3, 4};

class IdxImagesDataset : public ::testing::Test {
 protected:
  [[nodiscard]] std::shared_ptr<Dataset> make(const std::string& images,
                                              const std::string& labels,
                                              const std::string& more = "") const {
    const std::string images_file = folder_.write("images", images);
    const std::string labels_file = folder_.write("labels", labels);
    return make_dataset("idx_images",
                        R"({"images": ")" + images_file + R"(", "labels": ")" +
                            labels_file + "\"" + more + "}");
  }
  [[nodiscard]] std::string refusal(const std::string& images,
                                    const std::string& labels,
                                    const std::string& more = "") const {
    return error_of([&] {
      (void)make(images, labels, more);
    });
  }

  ScratchFolder folder_;
  std::string images_ = idx_of({5, 2, 3}, pixels());
  std::string labels_ = idx_of({5}, kLabels);
};

TEST_F(IdxImagesDataset, HoldsTheLastRowsForValidation) {
  const auto data = make(images_, labels_, R"(, "validation_fraction": 0.4)");
  EXPECT_EQ(data->info().unit, "example");
  EXPECT_EQ(data->info().train_samples, 3);
  EXPECT_EQ(data->info().validation_samples, 2);
  EXPECT_EQ(data->info().input_shape, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_TRUE(data->info().target_shape.empty());
  EXPECT_EQ(data->info().classes, 10);

  const TensorMap batch = data->batch(
      {.split = Split::kValidation, .first_sample = 0, .samples = 100, .seed = 0});
  ASSERT_EQ(batch.at("input").sizes(), at::IntArrayRef({2, 1, 2, 3}));
  EXPECT_EQ(batch.at("input").scalar_type(), at::kFloat);
  EXPECT_EQ(batch.at("target")[0].item<int64_t>(), 3);
  EXPECT_EQ(batch.at("target")[1].item<int64_t>(), 4);
}

TEST_F(IdxImagesDataset, StandardisesByTheTrainingSplitAlone) {
  const auto data = make(images_, labels_, R"(, "validation_fraction": 0.4)");
  const at::Tensor train =
      data->batch({.split = Split::kTrain, .first_sample = 0, .samples = 3, .seed = 7})
          .at("input")
          .to(at::kDouble);
  EXPECT_NEAR(train.mean().item<double>(), 0.0, 1e-6);
  EXPECT_NEAR(train.std(false).item<double>(), 1.0, 1e-6);

  // 3 pixels of 255 and 5 each of 0, 10, 20.
  const double mean = (3 * 255.0 + 5 * 30.0) / 18.0;
  const double deviation =
      std::sqrt((3 * 255.0 * 255.0 + 5 * 500.0) / 18.0 - mean * mean);
  const at::Tensor image =
      data->batch(
              {.split = Split::kValidation, .first_sample = 1, .samples = 1, .seed = 0})
          .at("input")[0][0];
  EXPECT_NEAR(image[0][0].item<double>(), (255.0 - mean) / deviation, 1e-5);
  EXPECT_NEAR(image[1][2].item<double>(), (40.0 - mean) / deviation, 1e-5);
}

TEST_F(IdxImagesDataset, ReadsCompressedFilesAsPlainOnes) {
  const auto plain = make(images_, labels_);
  const std::string fingerprint = plain->fingerprint();
  const auto packed = make(compressed(images_), compressed(labels_));
  EXPECT_EQ(packed->fingerprint(), fingerprint);
  EXPECT_EQ(packed->info(), plain->info());
  std::string changed = images_;
  changed.back() = 41;
  EXPECT_NE(make(changed, labels_)->fingerprint(), fingerprint);
}

TEST_F(IdxImagesDataset, RefusesAWrongMagicNumber) {
  EXPECT_THAT(refusal(labels_, labels_),
              AllOf(StartsWith("input: "),
                    HasSubstr("expected the magic number 0x00000803"),
                    HasSubstr("found 0x00000801")));
  EXPECT_THAT(refusal(images_, images_), HasSubstr("0x00000801 (unsigned bytes, 1 dim"));
  EXPECT_THAT(refusal("no image", labels_), HasSubstr("found 0x6e6f2069"));
}

TEST_F(IdxImagesDataset, RefusesFilesThatDisagree) {
  EXPECT_THAT(refusal(images_, idx_of({4}, kLabels.substr(1))),
              AllOf(StartsWith("input: "), HasSubstr("5 images"), HasSubstr("4 labels")));
}

TEST_F(IdxImagesDataset, RefusesALabelOutOfRange) {
  EXPECT_THAT(refusal(images_, labels_, R"(, "classes": 4)"),
              AllOf(HasSubstr("label of row 4 is 4; allowed: 0 to 3"),
                    HasSubstr("option classes")));
}

TEST_F(IdxImagesDataset, RefusesEveryTruncation) {
  for (std::size_t length = 0; length < images_.size(); ++length) {
    EXPECT_THAT(refusal(images_.substr(0, length), labels_),
                AllOf(StartsWith("input: "), HasSubstr("expected")))
        << length;
  }
  EXPECT_THAT(refusal(images_.substr(0, 20), labels_),
              HasSubstr("expected 30 bytes after the header, as its dimensions say, "
                        "found 4"));
  EXPECT_THAT(refusal(images_ + "x", labels_), HasSubstr("found more"));
}

TEST_F(IdxImagesDataset, RefusesDamagedCompression) {
  const std::string packed = compressed(images_);
  for (std::size_t length = 2; length < packed.size(); ++length) {
    EXPECT_THAT(refusal(packed.substr(0, length), labels_), StartsWith("input: "))
        << length;
  }
  std::string damaged = packed;
  damaged[packed.size() - 6] = static_cast<char>(damaged[packed.size() - 6] ^ 0x55);
  EXPECT_THAT(refusal(damaged, labels_), HasSubstr("damaged or truncated"));
}

TEST_F(IdxImagesDataset, TakesNoMemoryForAForgedHeader) {
  EXPECT_THAT(refusal(idx_of({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "x"), labels_),
              HasSubstr("2^40 bytes together, found 4294967295 x 4294967295"));
  EXPECT_THAT(refusal(idx_of({1U << 20U, 1U << 10U, 1U << 9U}, "x"), labels_),
              HasSubstr("found 1"));
  EXPECT_THAT(refusal(idx_of({0, 2, 3}, ""), idx_of({0}, "")), HasSubstr("0 x 2 x 3"));
}

TEST_F(IdxImagesDataset, SaysWhatIsMissingOrTooSmall) {
  EXPECT_THAT(error_of([] {
                (void)make_dataset("idx_images",
                                   R"({"images": "/no/such", "labels": "/no/such"})");
              }),
              AllOf(StartsWith("input: "), HasSubstr("cannot open /no/such")));
  EXPECT_THAT(error_of([] {
                (void)make_dataset("idx_images",
                                   R"({"images": "/usr", "labels": "/usr"})");
              }),
              AllOf(StartsWith("io: "), HasSubstr("/usr")));
  EXPECT_THAT(refusal(images_, labels_, R"(, "validation_fraction": 0.1)"),
              HasSubstr("5 rows leave none for validation"));
}

TEST(IdxImagesMnist, IsReadWhole) {
  const std::string images = reference_file("mnist/t10k-images-idx3-ubyte.gz");
  const std::string labels = reference_file("mnist/t10k-labels-idx1-ubyte.gz");
  if (images.empty() || labels.empty()) {
    return;
  }
  const auto data = make_dataset(
      "idx_images", R"({"images": ")" + images + R"(", "labels": ")" + labels + "\"}");
  EXPECT_EQ(data->info().train_samples, 8000);
  EXPECT_EQ(data->info().validation_samples, 2000);
  EXPECT_EQ(data->info().input_shape, (std::vector<int64_t>{1, 28, 28}));
  const TensorMap train = data->batch(
      {.split = Split::kTrain, .first_sample = 0, .samples = 8000, .seed = 1});
  EXPECT_NEAR(train.at("input").mean().item<double>(), 0.0, 1e-4);
  EXPECT_NEAR(train.at("input").std(false).item<double>(), 1.0, 1e-4);
  // The last six digits of the set are 1 to 6 in order.
  const std::vector<int64_t> last = {1, 2, 3, 4, 5, 6};
  const TensorMap tail = data->batch(
      {.split = Split::kValidation, .first_sample = 1994, .samples = 10, .seed = 0});
  for (std::size_t row = 0; row < last.size(); ++row) {
    EXPECT_EQ(tail.at("target")[static_cast<int64_t>(row)].item<int64_t>(), last[row]);
  }
}

}  // namespace
}  // namespace sizewise::testing
