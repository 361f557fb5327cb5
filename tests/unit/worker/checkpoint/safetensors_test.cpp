#include "checkpoint/safetensors.hpp"

#include <filesystem>
#include <fstream>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "checkpoint/safetensors_header.hpp"
#include "support/temporary_folder.hpp"

namespace sizewise::checkpoint {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

Safetensors every_type() {
  Safetensors content;
  for (const at::ScalarType type : {at::kDouble,
                                    at::kFloat,
                                    at::kHalf,
                                    at::kBFloat16,
                                    at::kLong,
                                    at::kInt,
                                    at::kShort,
                                    at::kChar,
                                    at::kByte,
                                    at::kBool}) {
    content.tensors.emplace(c10::toString(type), (at::randn({3, 5}) * 3).to(type));
  }
  content.tensors.emplace("scalar", at::tensor(3.5));
  content.tensors.emplace("empty", at::zeros({0, 4}));
  content.tensors.emplace("transposed", at::randn({2, 3}).t());
  content.metadata["format"] = "pt";
  return content;
}

TEST(Safetensors, ReadsBackEveryTypeAndShape) {
  const test::TemporaryFolder folder;
  const Safetensors written = every_type();
  write_safetensors(folder.path() / "model.safetensors", written);
  const Safetensors read = read_safetensors(folder.path() / "model.safetensors");
  EXPECT_EQ(read.metadata, written.metadata);
  ASSERT_EQ(read.tensors.size(), written.tensors.size());
  for (const auto& [name, tensor] : written.tensors) {
    const at::Tensor& other = read.tensors.at(name);
    EXPECT_EQ(other.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(other, tensor)) << name;
  }
}

TEST(Safetensors, LeavesNoTemporaryFile) {
  const test::TemporaryFolder folder;
  write_safetensors(folder.path() / "a", every_type());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(Safetensors, RefusesAFileCutAnywhere) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a";
  write_safetensors(path, every_type());
  const std::string whole = read_text(path);
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    write_text(path, std::string_view(whole).substr(0, length));
    try {
      static_cast<void>(read_safetensors(path));
      ADD_FAILURE() << "accepted " << length << " of " << whole.size() << " bytes";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      EXPECT_THAT(error.message(), HasSubstr(path.string()));
    }
  }
  write_text(path, whole + "x");
  EXPECT_THROW(static_cast<void>(read_safetensors(path)), Error);
}

TEST(Safetensors, ReportsAFolderThatCannotBeWritten) {
  const test::TemporaryFolder folder;
  try {
    write_safetensors(folder.path() / "none" / "a", every_type());
    FAIL() << "written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
  }
  EXPECT_THROW(write_safetensors("/dev/full/a", every_type()), Error);
}

TEST(Safetensors, RefusesATypeThatTheFormatLacks) {
  const test::TemporaryFolder folder;
  Safetensors content;
  content.tensors.emplace("z", at::zeros({2}, at::kComplexFloat));
  EXPECT_THROW(write_safetensors(folder.path() / "a", content), Error);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(SafetensorsHeader, RefusesWhatTheFormatForbids) {
  // Each with 8 bytes of data.
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"[]", "no JSON object"},
      {"{", "unexpected end of input"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       "twice"},
      {R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", "dtype"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "12 bytes"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "needs"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "from 8 to 0"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})",
       "too large"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "8 of data"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "gap"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       "overlap"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", "8 of data"},
      {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "needs"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "needs"},
      {R"({"__metadata__":{"a":1}})", "texts"},
  };
  for (const auto& [text, what] : cases) {
    try {
      static_cast<void>(parse_safetensors_header(text, 8));
      ADD_FAILURE() << "accepted " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput) << text;
      EXPECT_THAT(error.message(), HasSubstr(what)) << text;
    }
  }
}

TEST(SafetensorsHeader, AcceptsAnEmptyFile) {
  EXPECT_TRUE(parse_safetensors_header("{}", 0).tensors.empty());
}

}  // namespace
}  // namespace sizewise::checkpoint
