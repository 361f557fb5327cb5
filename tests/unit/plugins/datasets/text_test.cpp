#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin_under_test.hpp"

namespace sizewise::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string text_options(const std::string& path, const std::string& more) {
  return R"({"path": ")" + path + "\"" + (more.empty() ? "" : ", " + more) + "}";
}

/// The bytes that a row of a batch stands for.
std::string text_of(const at::Tensor& row) {
  std::string text;
  for (int64_t place = 0; place < row.size(0); ++place) {
    text += static_cast<char>(row[place].item<int64_t>());
  }
  return text;
}

/// All inputs of the training split's first epoch, and the last target, as one set of
/// text.
std::string every_byte(const Dataset& data, Split split, int64_t samples) {
  std::string text;
  for (int64_t sample = 0; sample < samples; ++sample) {
    const TensorMap batch =
        data.batch({.split = split, .first_sample = sample, .samples = 1, .seed = 1});
    text += text_of(batch.at("input")[0]);
    text += text_of(batch.at("target")[0].slice(0, -1));
  }
  return text;
}

TEST(TextDataset, CutsAFileIntoWindowsThatPredictTheNextByte) {
  const ScratchFolder folder;
  const std::string file = folder.write("a.txt", "abcdefghijklmnopqrstuvwxyz");
  const auto data = make_dataset(
      "text", text_options(file, R"("context": 4, "validation_fraction": 0.4)"));

  const DatasetInfo& info = data->info();
  EXPECT_EQ(info.unit, "token");
  EXPECT_EQ(info.units_per_sample, 4);
  EXPECT_EQ(info.vocabulary, 256);
  EXPECT_EQ(info.classes, 256);
  EXPECT_EQ(info.context, 4);
  EXPECT_EQ(info.input_shape, std::vector<int64_t>{4});
  EXPECT_EQ(info.train_samples, 3);  // 16 bytes: 3 windows of 4 and the byte after
  EXPECT_EQ(info.validation_samples, 2);

  const TensorMap batch = data->batch(
      {.split = Split::kValidation, .first_sample = 0, .samples = 9, .seed = 0});
  ASSERT_EQ(batch.at("input").sizes(), at::IntArrayRef({2, 4}));
  EXPECT_EQ(batch.at("input").scalar_type(), at::kLong);
  EXPECT_EQ(text_of(batch.at("input")[0]), "qrst");
  EXPECT_EQ(text_of(batch.at("target")[0]), "rstu");
  EXPECT_EQ(text_of(batch.at("input")[1]), "uvwx");
  EXPECT_EQ(text_of(batch.at("target")[1]), "vwxy");
}

TEST(TextDataset, NeverTrainsOnAByteThatValidates) {
  const ScratchFolder folder;
  for (const int64_t length : {40, 41, 42, 43, 44, 45}) {
    const std::string text =
        std::string(static_cast<std::size_t>(length / 2), 't') +
        std::string(static_cast<std::size_t>(length - length / 2), 'v');
    const std::string file = folder.write("a.txt", text);
    const auto data = make_dataset(
        "text", text_options(file, R"("context": 5, "validation_fraction": 0.5)"));
    const std::string trained =
        every_byte(*data, Split::kTrain, data->info().train_samples);
    // An odd length leaves the larger half to training, and with it one 'v'.
    EXPECT_LE(std::count(trained.begin(), trained.end(), 'v'), 2 * (length % 2))
        << length;
    const std::string validated =
        every_byte(*data, Split::kValidation, data->info().validation_samples);
    EXPECT_EQ(validated.find('t'), std::string::npos) << length;
  }
}

TEST(TextDataset, ReadsAFolderInTheOrderOfPathsWhateverTheOrderOfCreation) {
  const ScratchFolder first;
  const ScratchFolder second;
  for (const char* name : {"b/x.h", "a.h", "b.h", "a/z/y.h"}) {
    first.write(name, std::string(10, name[0]) + name);
  }
  for (const char* name : {"a/z/y.h", "b.h", "a.h", "b/x.h"}) {
    second.write(name, std::string(10, name[0]) + name);
  }
  second.write("c.txt", "not matched");
  second.write(".git/d.h", "hidden");
  const std::string options =
      R"("pattern": "*.h", "context": 4, "validation_fraction": 0.3)";
  const auto one = make_dataset("text", text_options(first.path().string(), options));
  const auto other = make_dataset("text", text_options(second.path().string(), options));
  EXPECT_EQ(one->fingerprint(), other->fingerprint());
  EXPECT_EQ(one->info(), other->info());

  second.write("a.h", "aaaaaaaaaaa.H");
  const auto changed =
      make_dataset("text", text_options(second.path().string(), options));
  EXPECT_NE(one->fingerprint(), changed->fingerprint());
}

TEST(TextDataset, MatchesPathsWhereThePatternHasASlash) {
  const ScratchFolder folder;
  folder.write("a/b/c.h", std::string(50, 'a'));
  folder.write("x/c.h", std::string(50, 'x'));
  folder.write("y/c.h", std::string(50, 'y'));
  const auto data = make_dataset(
      "text",
      text_options(
          folder.path().string(),
          R"("pattern": "a/*.h,y/*.h", "context": 9, "validation_fraction": 0.5)"));
  const std::string text =
      every_byte(*data, Split::kTrain, data->info().train_samples) +
      every_byte(*data, Split::kValidation, data->info().validation_samples);
  EXPECT_NE(text.find('a'), std::string::npos);
  EXPECT_NE(text.find('y'), std::string::npos);
  EXPECT_EQ(text.find('x'), std::string::npos);
}

TEST(TextDataset, SaysWhatItCannotRead) {
  const ScratchFolder folder;
  const std::string empty = folder.write("empty.txt", "");
  const std::string short_file = folder.write("short.txt", "twenty bytes of text");
  EXPECT_THAT(error_of([&] {
                (void)make_dataset("text", text_options("/no/such", ""));
              }),
              AllOf(StartsWith("input: "), HasSubstr("/no/such does not exist")));
  EXPECT_THAT(error_of([&] {
                (void)make_dataset("text", text_options(empty, ""));
              }),
              AllOf(StartsWith("input: "), HasSubstr("holds no bytes")));
  EXPECT_THAT(error_of([&] {
                (void)make_dataset("text", text_options("/dev/null", ""));
              }),
              AllOf(StartsWith("input: "), HasSubstr("neither a file nor a folder")));
  EXPECT_THAT(
      error_of([&] {
        (void)make_dataset("text",
                           text_options(folder.path().string(), R"("pattern": "*.hh")"));
      }),
      AllOf(StartsWith("input: "), HasSubstr("no file in"), HasSubstr("it has 2 files")));
  EXPECT_THAT(
      error_of([&] {
        (void)make_dataset("text", text_options(short_file, R"("context": 18)"));
      }),
      AllOf(StartsWith("input: "),
            HasSubstr("20 tokens split into 18 for training and 2 for validation"),
            HasSubstr("at least 19"),
            HasSubstr("smaller context")));
}

TEST(TextDataset, ReadsAWholePlayAsItIs) {
  const std::string file = reference_file("text/tinyshakespeare.txt");
  if (file.empty()) {
    return;
  }
  const auto data = make_dataset("text", text_options(file, R"("context": 64)"));
  EXPECT_EQ(data->info().train_samples, (1'115'394 - 111'539 - 1) / 64);
  EXPECT_EQ(data->info().validation_samples, (111'539 - 1) / 64);
  EXPECT_EQ(data->fingerprint(), sha256_of_file(file));
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const TensorMap batch = data->batch(
      {.split = Split::kValidation, .first_sample = 3, .samples = 1, .seed = 0});
  EXPECT_EQ(text_of(batch.at("input")[0]), text.substr(1'115'394 - 111'539 + 3 * 64, 64));
}

}  // namespace
}  // namespace sizewise::testing
