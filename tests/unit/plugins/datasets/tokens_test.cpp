#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin_under_test.hpp"

namespace sizewise::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Little-endian integers one after the other, as nanoGPT writes them.
template <class T>
std::string bytes_of(const std::vector<int64_t>& tokens) {
  std::string bytes;
  for (const int64_t token : tokens) {
    for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
      bytes += static_cast<char>(static_cast<uint64_t>(token) >> (8 * byte));
    }
  }
  return bytes;
}

/// A .npy file as numpy.save writes it, of format version 1, 2 or 3.
std::string npy_of(int version,
                   const std::string& type,
                   const std::string& shape,
                   const std::string& data) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  while ((8 + length_bytes + header.size() + 1) % 64 != 0) {
    header += ' ';
  }
  header += '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (std::size_t byte = 0; byte < length_bytes; ++byte) {
    file += static_cast<char>(header.size() >> (8 * byte));
  }
  return file + header + data;
}

std::string token_options(const std::string& path, const std::string& more = "") {
  return R"({"path": ")" + path + R"(", "vocabulary": 60000, "context": 4, )" +
         R"("validation_fraction": 0.4)" + more + "}";
}

std::vector<int64_t> values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
}

std::vector<int64_t> counting(int64_t tokens) {
  std::vector<int64_t> values;
  for (int64_t token = 0; token < tokens; ++token) {
    values.push_back(50000 + token);
  }
  return values;
}

class TokensDataset : public ::testing::Test {
 protected:
  [[nodiscard]] std::string refusal(const std::string& name,
                                    const std::string& bytes,
                                    const std::string& more = "") const {
    const std::string file = folder_.write(name, bytes);
    return error_of([&] {
      (void)make_dataset("tokens", token_options(file, more));
    });
  }

  ScratchFolder folder_;
};

TEST_F(TokensDataset, ReadsEveryFormatAlike) {
  const std::vector<int64_t> tokens = counting(26);
  const std::string shape = "(26,)";
  const std::vector<std::pair<std::string, std::string>> files = {
      {"a.bin", bytes_of<uint16_t>(tokens)},
      {"u2.npy", npy_of(1, "<u2", shape, bytes_of<uint16_t>(tokens))},
      {"u4.npy", npy_of(2, "<u4", shape, bytes_of<uint32_t>(tokens))},
      {"i4.npy", npy_of(3, "<i4", shape, bytes_of<int32_t>(tokens))},
      {"i8.npy", npy_of(1, "<i8", shape, bytes_of<int64_t>(tokens))}};
  for (const auto& [name, bytes] : files) {
    const auto data = make_dataset("tokens", token_options(folder_.write(name, bytes)));
    EXPECT_EQ(data->info().train_samples, 3) << name;
    EXPECT_EQ(data->info().validation_samples, 2) << name;
    EXPECT_EQ(data->info().vocabulary, 60000) << name;
    const TensorMap batch = data->batch(
        {.split = Split::kValidation, .first_sample = 1, .samples = 5, .seed = 0});
    EXPECT_EQ(values_of(batch.at("input")),
              (std::vector<int64_t>{50020, 50021, 50022, 50023}))
        << name;
    EXPECT_EQ(values_of(batch.at("target")),
              (std::vector<int64_t>{50021, 50022, 50023, 50024}))
        << name;
  }
  const auto wide =
      make_dataset("tokens",
                   token_options(folder_.write("b.bin", bytes_of<uint32_t>(tokens)),
                                 R"(, "dtype": "uint32")"));
  EXPECT_EQ(wide->info().train_samples, 3);
}

TEST_F(TokensDataset, ChangesItsFingerprintWithItsContent) {
  std::vector<int64_t> tokens = counting(26);
  const std::string file = folder_.write("a.bin", bytes_of<uint16_t>(tokens));
  const std::string before = make_dataset("tokens", token_options(file))->fingerprint();
  EXPECT_EQ(before, sha256_of_file(file));
  tokens[25] = 1;
  folder_.write("a.bin", bytes_of<uint16_t>(tokens));
  EXPECT_NE(make_dataset("tokens", token_options(file))->fingerprint(), before);
}

TEST_F(TokensDataset, NamesATokenOutsideTheVocabulary) {
  std::vector<int64_t> tokens = counting(26);
  tokens[17] = 60000;
  EXPECT_THAT(refusal("a.bin", bytes_of<uint16_t>(tokens)),
              AllOf(StartsWith("input: "),
                    HasSubstr("position 17 is 60000; allowed: 0 to 59999")));
  tokens[17] = -3;
  EXPECT_THAT(refusal("a.npy", npy_of(1, "<i4", "(26,)", bytes_of<int32_t>(tokens))),
              HasSubstr("position 17 is -3"));
}

TEST_F(TokensDataset, RefusesATruncatedFile) {
  const std::string bytes = bytes_of<uint16_t>(counting(26));
  EXPECT_THAT(refusal("a.bin", bytes.substr(0, 51)),
              AllOf(StartsWith("input: "), HasSubstr("25 and 1 bytes over")));
  const std::string npy = npy_of(1, "<u2", "(26,)", bytes);
  EXPECT_THAT(refusal("a.npy", npy.substr(0, npy.size() - 2)),
              HasSubstr("expected 26 tokens of type uint16, found 50 bytes"));
  EXPECT_THAT(refusal("a.npy", npy + "zz"), HasSubstr("found 54 bytes"));
}

TEST_F(TokensDataset, SurvivesEveryTruncatedHeader) {
  const std::string npy = npy_of(2, "<u2", "(26,)", bytes_of<uint16_t>(counting(26)));
  for (std::size_t length = 1; length < 140; ++length) {
    EXPECT_THAT(refusal("a.npy", npy.substr(0, length)), StartsWith("input: ")) << length;
  }
}

TEST_F(TokensDataset, RefusesWhatIsNoPlainListOfIntegers) {
  const std::string bytes = bytes_of<uint32_t>(counting(26));
  EXPECT_THAT(refusal("a.npy", npy_of(1, "<f4", "(26,)", bytes)),
              HasSubstr("its type is '<f4'; allowed: |u1, <u2"));
  EXPECT_THAT(refusal("a.npy", npy_of(1, ">u4", "(26,)", bytes)), HasSubstr("'>u4'"));
  EXPECT_THAT(refusal("a.npy", npy_of(1, "<u4", "(13, 2)", bytes)),
              HasSubstr("'shape' of one dimension"));
  EXPECT_THAT(refusal("a.npy", npy_of(9, "<u4", "(26,)", bytes)), HasSubstr("found 9"));
  EXPECT_THAT(refusal("a.npy", npy_of(1, "<u4", "(99999999999999999999,)", bytes)),
              HasSubstr("'shape'"));
  EXPECT_THAT(refusal("a.npy", std::string(100, 'x')), HasSubstr("begins otherwise"));
  EXPECT_THAT(refusal("a.txt", bytes), HasSubstr("allowed: .bin and .npy"));
  EXPECT_THAT(
      refusal("a.npy", npy_of(1, "<u4", "(26,)", bytes), R"(, "dtype": "uint16")"),
      HasSubstr("its header says uint32 and the option dtype says uint16"));
}

TEST_F(TokensDataset, SaysWhatIsMissingOrEmpty) {
  EXPECT_THAT(error_of([] {
                (void)make_dataset("tokens", token_options("/no/such.bin"));
              }),
              AllOf(StartsWith("input: "), HasSubstr("/no/such.bin: No such file")));
  EXPECT_THAT(refusal("empty.bin", ""), HasSubstr("holds no bytes"));
  EXPECT_THAT(refusal("short.bin", bytes_of<uint16_t>(counting(7))),
              HasSubstr("7 tokens split into 5 for training and 2 for validation"));
  EXPECT_THAT(error_of([&] {
                (void)make_dataset("tokens", R"({"path": "/no/such.bin"})");
              }),
              AllOf(StartsWith("configuration: "), HasSubstr("vocabulary")));
}

}  // namespace
}  // namespace sizewise::testing
