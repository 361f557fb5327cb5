#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/refusals.hpp"
#include "checkpoint/weight_file.hpp"
#include "support/pickles.hpp"
#include "support/temporary_folder.hpp"
#include "support/zip_files.hpp"

namespace sizewise::checkpoint {
namespace {

namespace fs = std::filesystem;
namespace pickles = test::pickles;
using test::expect_refusal;
using test::ZipEntries;
using ::testing::ElementsAre;

/// A file that torch.save() wrote; its values are known from the script in the corpus.
std::unique_ptr<WeightFile> open_fixture(const std::string& name) {
  return open_weight_file(fs::path(SIZEWISE_CORPUS) / "weight_file" / (name + ".pt"));
}

template <class Value>
std::vector<Value> read(WeightFile& file, const std::string& name) {
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    if (file.tensors()[i].name == name) {
      std::vector<Value> values(file.tensors()[i].bytes / sizeof(Value));
      file.read(i, std::as_writable_bytes(std::span(values)));
      return values;
    }
  }
  ADD_FAILURE() << "no tensor " << name;
  return {};
}

std::vector<std::string> tensor_names(const WeightFile& file) {
  std::vector<std::string> names;
  for (const WeightTensor& tensor : file.tensors()) {
    names.push_back(tensor.name);
  }
  return names;
}

TEST(StateDictFile, ReadsWhatTorchWrites) {
  const auto file = open_fixture("linear");
  EXPECT_EQ(file->format(), WeightFormat::kStateDict);
  EXPECT_THAT(tensor_names(*file), ElementsAre("weight", "bias"));
  EXPECT_THAT(file->tensors()[0].shape, ElementsAre(1, 2));
  EXPECT_EQ(file->tensors()[0].type, WeightType::kF32);
  EXPECT_EQ(file->tensors()[0].bytes, 8U);
  EXPECT_THAT(read<float>(*file, "weight"), ElementsAre(1.5F, -2.0F));
  EXPECT_THAT(read<float>(*file, "bias"), ElementsAre(0.25F));
}

TEST(StateDictFile, ReadsViewsOfOneStorage) {
  const auto file = open_fixture("views");
  EXPECT_THAT(read<float>(*file, "transposed"),
              ElementsAre(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11));
  EXPECT_THAT(read<float>(*file, "column"), ElementsAre(1, 5, 9));
  EXPECT_THAT(read<float>(*file, "block"), ElementsAre(6, 7, 10, 11));
  EXPECT_THAT(read<float>(*file, "steps"), ElementsAre(0, 3, 8, 11));
  EXPECT_EQ(read<float>(*file, "whole").size(), 12U);
  EXPECT_THAT(read<int64_t>(*file, "scalar"), ElementsAre(7));
  EXPECT_TRUE(read<float>(*file, "empty").empty());
  EXPECT_THAT(file->tensors()[0].shape, ElementsAre(4, 3));
}

TEST(StateDictFile, ReadsEveryType) {
  const auto file = open_fixture("types");
  EXPECT_THAT(read<double>(*file, "float64"), ElementsAre(0, 1, 2));
  EXPECT_THAT(read<float>(*file, "float32"), ElementsAre(0, 1, 2));
  EXPECT_THAT(read<uint16_t>(*file, "float16"), ElementsAre(0, 0x3c00, 0x4000));
  EXPECT_THAT(read<uint16_t>(*file, "bfloat16"), ElementsAre(0, 0x3f80, 0x4000));
  EXPECT_THAT(read<int64_t>(*file, "int64"), ElementsAre(0, 1, 2));
  EXPECT_THAT(read<int32_t>(*file, "int32"), ElementsAre(0, 1, 2));
  EXPECT_THAT(read<int16_t>(*file, "int16"), ElementsAre(0, 1, 2));
  EXPECT_THAT(read<int8_t>(*file, "int8"), ElementsAre(0, 1, 2));
  EXPECT_THAT(read<uint8_t>(*file, "uint8"), ElementsAre(0, 1, 2));
  EXPECT_THAT(read<uint8_t>(*file, "bool"), ElementsAre(0, 1, 1));
  std::vector<WeightType> types;
  for (const WeightTensor& tensor : file->tensors()) {
    types.push_back(tensor.type);
  }
  EXPECT_THAT(types,
              ElementsAre(WeightType::kF64,
                          WeightType::kF32,
                          WeightType::kF16,
                          WeightType::kBF16,
                          WeightType::kI64,
                          WeightType::kI32,
                          WeightType::kI16,
                          WeightType::kI8,
                          WeightType::kU8,
                          WeightType::kBool));
  const auto small = open_fixture("float8");
  EXPECT_THAT(read<uint8_t>(*small, "float8_e4m3fn"), ElementsAre(0, 0x38, 0x40));
  EXPECT_THAT(read<uint8_t>(*small, "float8_e5m2"), ElementsAre(0, 0x3c, 0x40));
  EXPECT_EQ(small->tensors()[0].type, WeightType::kF8E4M3);
  EXPECT_EQ(small->tensors()[1].type, WeightType::kF8E5M2);
}

TEST(StateDictFile, ReadsTheModelOfACheckpoint) {
  const auto file = open_fixture("checkpoint");
  EXPECT_THAT(read<float>(*file, "weight"), ElementsAre(3, 4));
  ASSERT_EQ(file->skipped().size(), 3U);
  EXPECT_EQ(file->skipped()[0].name, "epoch");
  EXPECT_EQ(file->skipped()[2].name, "optimizer");
}

TEST(StateDictFile, ReadsParametersAndProtocol4) {
  const auto file = open_fixture("protocol4");
  EXPECT_THAT(read<float>(*file, "a"), ElementsAre(0, 1));
  EXPECT_THAT(read<uint16_t>(*file, "p"), ElementsAre(0, 0x3c00));
  ASSERT_EQ(file->skipped().size(), 1U);
  EXPECT_EQ(file->skipped()[0].kind, "number");
}

TEST(StateDictFile, ReadsFilesWithoutChecksumsAndCompressedOnes) {
  EXPECT_THAT(read<float>(*open_fixture("no_checksums"), "a"), ElementsAre(0, 1));
  EXPECT_THAT(read<float>(*open_fixture("deflated"), "weight"), ElementsAre(1.5F, -2.0F));
}

TEST(StateDictFile, RefusesWhatElseTorchWrites) {
  const auto refused =
      [](const std::string& name, std::string_view what, std::string_view suggestion) {
        expect_refusal(
            [&] {
              static_cast<void>(open_fixture(name));
            },
            what,
            suggestion);
        expect_refusal(
            [&] {
              static_cast<void>(open_fixture(name));
            },
            name + ".pt: ");
      };
  refused("module",
          "whole pickled object of class 'torch.nn.modules.linear.Linear'",
          "torch.save(model.state_dict(), FILE)");
  refused("legacy", "before version 1.6", "_use_new_zipfile_serialization=True");
  refused("complex", "tensor of torch.ComplexFloatStorage", "");
  refused("uint16", "tensor of torch.uint16", "");
  refused("device_and_dtype", "names 'torch.device'", "torch.save(model.state_dict()");
  refused("expanded", "5 elements in a storage of 1", "");
}

// ---- archives made here

const std::string kSixFloats = [] {
  std::string bytes(24, '\0');
  const std::array<float, 6> values = {0, 1, 2, 3, 4, 5};
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}();

ZipEntries good_entries() {
  return {{"a/data.pkl", pickles::pickle(pickles::dict({{"w", pickles::tensor()}}))},
          {"a/byteorder", "little"},
          {"a/data/0", kSixFloats},
          {"a/version", "3\n"}};
}

void expect_archive_refused(const ZipEntries& entries,
                            std::string_view what,
                            std::string_view suggestion = "") {
  const test::TemporaryFolder folder;
  test::write_zip(folder.path() / "a.pt", entries);
  const auto open = [&] {
    static_cast<void>(open_weight_file(folder.path() / "a.pt"));
  };
  expect_refusal(open, what, suggestion);
  expect_refusal(open, (folder.path() / "a.pt").string() + ": ");
}

TEST(StateDictFile, RefusesArchivesThatAreNoneOfTorchSave) {
  ZipEntries entries = good_entries();
  entries.emplace_back("a/constants.pkl", "x");
  expect_archive_refused(
      entries, "is a TorchScript archive", "torch.jit.load(FILE).state_dict()");
  expect_archive_refused({{"word/document.xml", "x"}}, "with 0 entries NAME/data.pkl");
  expect_archive_refused({{"data.pkl", "x"}}, "with 0 entries NAME/data.pkl");
  expect_archive_refused({{"a/b/data.pkl", "x"}}, "with 0 entries NAME/data.pkl");
  entries = good_entries();
  entries.emplace_back("b/data.pkl", "x");
  expect_archive_refused(entries, "with 2 entries NAME/data.pkl");
}

TEST(StateDictFile, RefusesOtherVersionsAndByteOrders) {
  const auto with = [](std::size_t entry, const std::string& content) {
    ZipEntries entries = good_entries();
    entries[entry].second = content;
    return entries;
  };
  expect_archive_refused(with(1, "big"), "another byte order", "little-endian machine");
  for (const char* version : {"", "0", "11", "x", "3x", "-1", "99999999999"}) {
    expect_archive_refused(with(3, version), "no version of the format from 1 to 10");
  }
  expect_archive_refused(with(3, std::string(100, '3')),
                         "has 100 bytes; at most 64 are read");
  ZipEntries entries = good_entries();
  entries.pop_back();
  expect_archive_refused(entries, "no version of the format from 1 to 10");
}

TEST(StateDictFile, AcceptsFilesOfVersionsThatWroteNoByteOrder) {
  const test::TemporaryFolder folder;
  ZipEntries entries = good_entries();
  entries.erase(entries.begin() + 1);
  test::write_zip(folder.path() / "a.pt", entries);
  const auto file = open_weight_file(folder.path() / "a.pt");
  EXPECT_THAT(read<float>(*file, "w"), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(StateDictFile, RefusesStoragesOfAnotherSize) {
  ZipEntries entries = good_entries();
  entries[2].second.pop_back();
  expect_archive_refused(entries,
                         "'w' needs a storage of 24 bytes, and the archive has 23");
  entries[2].second += "12";
  expect_archive_refused(entries,
                         "'w' needs a storage of 24 bytes, and the archive has 25");
  entries.erase(entries.begin() + 2);
  expect_archive_refused(entries,
                         "'w' needs a storage of 24 bytes, and the archive has none");
}

TEST(StateDictFile, RefusesAFileCutAnywhere) {
  const test::TemporaryFolder folder;
  const std::string whole =
      test::read_bytes(fs::path(SIZEWISE_CORPUS) / "weight_file" / "linear.pt");
  ASSERT_GT(whole.size(), 1000U);
  for (std::size_t length = 0; length < whole.size(); length += 13) {
    test::write_bytes(folder.path() / "a.pt", std::string_view(whole).substr(0, length));
    expect_refusal(
        [&] {
          static_cast<void>(open_weight_file(folder.path() / "a.pt"));
        },
        "a.pt: ");
  }
}

TEST(StateDictFile, ReadsLargeStridedTensorsInParts) {
  const test::TemporaryFolder folder;
  // Every other column: what lies between is as much as the tensor.
  constexpr int64_t kRows = 500;
  constexpr int64_t kColumns = 1000;
  std::vector<float> values(kRows * kColumns);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i);
  }
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  ZipEntries entries = good_entries();
  entries[0].second = pickles::pickle(pickles::dict(
      {{"w",
        pickles::tensor(
            {.storage = pickles::storage("FloatStorage", "0", kRows * kColumns),
             .offset = pickles::integer(1),
             .size = pickles::integers({kRows, 3}),
             .stride = pickles::integers({kColumns, 400})})}}));
  entries[2].second = bytes;
  for (const zip_int32_t method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
    test::write_zip(folder.path() / "a.pt", entries, method);
    const auto file = open_weight_file(folder.path() / "a.pt");
    const std::vector<float> read_values = read<float>(*file, "w");
    for (int64_t i = 0; i < kRows * 3; ++i) {
      const int64_t row = i / 3;
      ASSERT_EQ(read_values[static_cast<std::size_t>(i)],
                static_cast<float>(1 + row * kColumns + i % 3 * 400))
          << i;
    }
  }
}

}  // namespace
}  // namespace sizewise::checkpoint
