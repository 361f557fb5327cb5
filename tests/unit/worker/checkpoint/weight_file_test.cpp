#include "checkpoint/weight_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/refusals.hpp"
#include "checkpoint/safetensors_header.hpp"
#include "support/temporary_folder.hpp"

namespace sizewise::checkpoint {
namespace {

namespace fs = std::filesystem;
using test::expect_refusal;
using test::write_bytes;
using ::testing::ElementsAre;
using ::testing::Pair;

/// A safetensors file of bytes, a tensor a name.
std::string safetensors(const std::vector<std::pair<std::string, std::string>>& tensors) {
  SafetensorsHeader header;
  header.metadata["format"] = "pt";
  std::string data;
  for (const auto& [name, bytes] : tensors) {
    header.tensors.push_back({name,
                              "U8",
                              {static_cast<int64_t>(bytes.size())},
                              data.size(),
                              data.size() + bytes.size()});
    data += bytes;
  }
  return format_safetensors_header(header) + data;
}

std::string read(WeightFile& file, std::size_t index) {
  std::string bytes(file.tensors()[index].bytes, '\0');
  file.read(index, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::vector<std::string> names_of(const WeightFile& file) {
  std::vector<std::string> names;
  for (const WeightTensor& tensor : file.tensors()) {
    names.push_back(tensor.name);
  }
  return names;
}

class WeightFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }

  void write_index(std::string_view json) const {
    write_bytes(folder() / "model.safetensors.index.json", json);
  }

  void expect_refused(const fs::path& path,
                      std::string_view what,
                      std::string_view suggestion = "") const {
    expect_refusal(
        [&] {
          static_cast<void>(open_weight_file(path));
        },
        what,
        suggestion);
  }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(WeightFileTest, ReadsSafetensorsInAnyOrder) {
  const fs::path path = fs::path(SIZEWISE_CORPUS) / "weight_file" / "two.safetensors";
  const auto file = open_weight_file(path);
  EXPECT_EQ(file->format(), WeightFormat::kSafetensors);
  EXPECT_THAT(names_of(*file), ElementsAre("a", "b", "empty"));
  EXPECT_EQ(file->tensors()[1].type, WeightType::kF8E4M3);
  EXPECT_THAT(file->tensors()[2].shape, ElementsAre(0, 4));
  EXPECT_THAT(file->metadata(), ElementsAre(Pair("format", "pt")));
  EXPECT_EQ(read(*file, 2), "");
  EXPECT_EQ(read(*file, 1), "\x38\x40\x44");
  EXPECT_EQ(read(*file, 0), std::string("\0\0\x80\x3f\0\0\0\x40", 8));
}

TEST_F(WeightFileTest, DecidesByContentAndNotByName) {
  write_bytes(folder() / "weights.pt", safetensors({{"w", "abc"}}));
  EXPECT_EQ(open_weight_file(folder() / "weights.pt")->format(),
            WeightFormat::kSafetensors);
  fs::copy_file(fs::path(SIZEWISE_CORPUS) / "weight_file" / "linear.pt",
                folder() / "weights.safetensors");
  EXPECT_EQ(open_weight_file(folder() / "weights.safetensors")->format(),
            WeightFormat::kStateDict);
}

TEST_F(WeightFileTest, RefusesOtherContent) {
  const auto refused = [&](std::string_view bytes,
                           std::string_view what,
                           std::string_view suggestion = "give a safetensors file") {
    write_bytes(folder() / "a", bytes);
    expect_refused(
        folder() / "a", (folder() / "a").string() + ": " + std::string(what), suggestion);
  };
  const std::string_view neither = "is neither a safetensors file nor a state dict";
  refused("", neither);
  refused("GGUF and so on and on", neither);
  refused("{\"weight_map\": {}}", neither);
  refused("\x80\x04}.", "is a pickle that torch.save() did not write");
  refused("\xff\xff\xff\xff\xff\xff\xff\xff{}",
          "is truncated or no safetensors file: it announces a header of",
          "no whole safetensors file");
  refused(std::string("\3\0\0\0\0\0\0\0{}", 10),
          "is truncated or no safetensors file: it announces a header of 3 bytes",
          "");
  refused(std::string("\2\0\0\0\0\0\0\0{}x", 11),
          "no valid safetensors header: the tensors take 0 bytes, and the file has 1",
          "");
}

TEST_F(WeightFileTest, RefusesWhatIsNoFile) {
  expect_refusal(
      [&] {
        static_cast<void>(open_weight_file(folder() / "none"));
      },
      "none: cannot be read: No such file",
      "check the path",
      ErrorCode::kIo);
  expect_refused("/dev/null", "/dev/null: is no regular file");
  expect_refused(folder(), "holds neither model.safetensors.index.json nor");
}

TEST_F(WeightFileTest, RefusesAFileThatIsCutShortAfterOpening) {
  const std::string whole = safetensors({{"w", "abc"}});
  write_bytes(folder() / "a", whole);
  const auto file = open_weight_file(folder() / "a");
  fs::resize_file(folder() / "a", whole.size() - 1);
  expect_refusal(
      [&] {
        read(*file, 0);
      },
      "a: ends inside tensor 'w'",
      "again");
}

TEST_F(WeightFileTest, RefusesAWrongBufferAsAFaultOfOurs) {
  write_bytes(folder() / "a", safetensors({{"w", "abc"}}));
  const auto file = open_weight_file(folder() / "a");
  std::vector<std::byte> bytes(4);
  const auto refused = [&](std::size_t index, std::size_t count) {
    expect_refusal(
        [&] {
          file->read(index, std::span(bytes).first(count));
        },
        "tensor " + std::to_string(index) + " of 1 read into",
        "",
        ErrorCode::kInternal);
  };
  refused(0, 2);
  refused(0, 4);
  refused(1, 0);
}

TEST_F(WeightFileTest, ReadsAFolderOfOneFile) {
  write_bytes(folder() / "model.safetensors", safetensors({{"w", "abc"}}));
  EXPECT_EQ(read(*open_weight_file(folder()), 0), "abc");
}

TEST_F(WeightFileTest, ReadsShards) {
  write_bytes(folder() / "b.safetensors", safetensors({{"z", "abc"}, {"y", "de"}}));
  write_bytes(folder() / "a.safetensors", safetensors({{"x", "f"}}));
  write_index(
      R"({"metadata": {"total_size": 6}, "weight_map":
         {"x": "a.safetensors", "y": "b.safetensors", "z": "b.safetensors"}})");
  const auto file = open_weight_file(folder());
  EXPECT_THAT(names_of(*file), ElementsAre("x", "z", "y"));
  EXPECT_EQ(read(*file, 2), "de");
  EXPECT_EQ(read(*file, 0), "f");
  EXPECT_EQ(read(*file, 1), "abc");
}

TEST_F(WeightFileTest, RefusesShardsThatAreNotAsTheIndexSays) {
  write_bytes(folder() / "a.safetensors", safetensors({{"x", "f"}}));
  write_bytes(folder() / "b.safetensors", safetensors({{"x", "g"}, {"y", "h"}}));
  const auto refused = [&](std::string_view index, std::string_view what) {
    write_index(index);
    expect_refused(folder(), what, "index and shards must be of one model");
    expect_refused(folder(), "model.safetensors.index.json: ");
  };
  refused(R"({"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}})",
          "does not say that 'x' stands in 'b.safetensors'");
  refused(R"({"weight_map": {"x": "b.safetensors", "y": "a.safetensors"}})",
          "does not say that 'x' stands in 'a.safetensors'");
  refused(R"({"weight_map": {"x": "a.safetensors", "w": "a.safetensors"}})",
          "says that 'w' stands in 'a.safetensors', where it does not");
  refused(R"({"weight_map": {"x": "c.safetensors"}})",
          "'c.safetensors', which is missing");
  for (const char* name : {"../a.safetensors", "/a.safetensors", "..", ".", "", "x/"}) {
    refused(R"({"weight_map": {"x": ")" + std::string(name) + "\"}}",
            "names no file of the folder for 'x'");
  }
  refused(R"({"weight_map": {"x": 1}})", "names no file of the folder for 'x'");
  refused(R"({"weight_map": []})", "has no weight_map");
  refused("[]", "has no weight_map");
  refused("{", "unexpected end of input");
  refused(R"({"weight_map": {"x": "a.safetensors", "x": "b.safetensors"}})", "'x' twice");
}

}  // namespace
}  // namespace sizewise::checkpoint
