#include "checkpoint/safetensors_writer.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "checkpoint/safetensors_file.hpp"
#include "checkpoint/weight_file.hpp"
#include "support/temporary_folder.hpp"

namespace sizewise::checkpoint {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Written {
  std::string name;
  WeightType type;
  std::vector<int64_t> shape;
};

/// The bytes of one of the tensors, each another.
std::vector<std::byte> bytes_for(const Written& tensor) {
  uint64_t count = element_bytes(tensor.type);
  for (const int64_t size : tensor.shape) {
    count *= static_cast<uint64_t>(size);
  }
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>(i * 7 + tensor.name.size());
  }
  return bytes;
}

/// Tensors of all widths and odd sizes, in an order that aligns none.
std::vector<Written> odd_tensors() {
  return {{"a", WeightType::kI8, {3, 3}},
          {"ab", WeightType::kF32, {5}},
          {"abc", WeightType::kF64, {2, 2}},
          {"abcd", WeightType::kBF16, {7}},
          {"abcde", WeightType::kI8, {16, 4}},
          {"\"quoted\"\n", WeightType::kI64, {}},
          {"empty", WeightType::kF32, {0, 3}},
          {"last", WeightType::kF32, {1}}};
}

uint64_t room_of(const std::vector<Written>& tensors) {
  uint64_t room = 0;
  for (const Written& tensor : tensors) {
    room += header_room(tensor.name, tensor.shape.size());
  }
  return room;
}

TEST(SafetensorsWriter, WritesWhatReadsBackAligned) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  const std::vector<Written> tensors = odd_tensors();
  SafetensorsWriter writer(path, room_of(tensors), {{"format", "pt"}});
  for (const Written& tensor : tensors) {
    writer.add(tensor.name, tensor.type, tensor.shape, bytes_for(tensor));
  }
  EXPECT_FALSE(fs::exists(path));
  const uint64_t bytes = writer.finish();
  EXPECT_EQ(bytes, fs::file_size(path));
  const SafetensorsFile file = open_safetensors_file(path);
  EXPECT_EQ(file.header.metadata.at("format"), "pt");
  EXPECT_EQ(file.data_begin % 8, 0U);
  for (const TensorEntry& entry : file.header.tensors) {
    EXPECT_EQ(entry.begin % element_bytes(entry.type), 0U) << entry.name;
  }
  const auto weights = open_weight_file(path);
  ASSERT_EQ(weights->tensors().size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto found =
        std::find_if(tensors.begin(), tensors.end(), [&](const auto& each) {
          return each.name == weights->tensors()[i].name;
        });
    ASSERT_NE(found, tensors.end());
    EXPECT_EQ(weights->tensors()[i].shape, found->shape);
    EXPECT_EQ(weights->tensors()[i].type, found->type);
    std::vector<std::byte> content(weights->tensors()[i].bytes);
    weights->read(i, content);
    EXPECT_EQ(content, bytes_for(*found)) << found->name;
  }
}

TEST(SafetensorsWriter, LeavesOneFileOrNone) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  const std::vector<Written> tensors = odd_tensors();
  for (const bool finishes : {false, true}) {
    {
      SafetensorsWriter writer(path, room_of(tensors), {});
      for (const Written& tensor : tensors) {
        writer.add(tensor.name, tensor.type, tensor.shape, bytes_for(tensor));
      }
      if (finishes) {
        writer.finish();
      }
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), finishes ? 1 : 0);
  }
}

TEST(SafetensorsWriter, RefusesBytesThatAreNotTheShapes) {
  const test::TemporaryFolder folder;
  SafetensorsWriter writer(folder.path() / "a", 100, {});
  EXPECT_THROW(writer.add("a", WeightType::kF32, {2}, std::vector<std::byte>(7)), Error);
}

TEST(SafetensorsWriter, RefusesAHeaderWithoutRoom) {
  const test::TemporaryFolder folder;
  SafetensorsWriter writer(folder.path() / "a", 8, {});
  const Written tensor{"a", WeightType::kF32, {2}};
  writer.add(tensor.name, tensor.type, tensor.shape, bytes_for(tensor));
  EXPECT_THROW(writer.finish(), Error);
  EXPECT_TRUE(fs::is_empty(folder.path()) || !fs::exists(folder.path() / "a"));
  try {
    const SafetensorsWriter huge(folder.path() / "a", kLongestHeaderBytes + 1, {});
    FAIL() << "made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(), HasSubstr("100000000"));
  }
}

TEST(SafetensorsWriter, ReportsAFolderThatIsNotThere) {
  try {
    const SafetensorsWriter writer("/nowhere/a.safetensors", 100, {});
    FAIL() << "made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
  }
}

}  // namespace
}  // namespace sizewise::checkpoint
