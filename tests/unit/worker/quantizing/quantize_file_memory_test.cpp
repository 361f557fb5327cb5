#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "checkpoint/safetensors_header.hpp"
#include "quantizing/per_channel_coding.hpp"
#include "quantizing/quantize_file.hpp"
#include "support/temporary_folder.hpp"

namespace sizewise::quantizing {
namespace {

namespace fs = std::filesystem;

/// Lowers the peak that peak_bytes() tells to what the process has now.
void forget_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  ASSERT_TRUE(file.good()) << "the kernel keeps the peak; nothing would be measured";
}

uint64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) {
      return std::stoull(line.substr(6)) * 1024;
    }
  }
  return 0;
}

#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kMemoryOfSanitizer = 512ULL << 20U;  // freed memory that it keeps
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr uint64_t kMemoryOfSanitizer = 512ULL << 20U;
#else
constexpr uint64_t kMemoryOfSanitizer = 0;
#endif
#else
constexpr uint64_t kMemoryOfSanitizer = 0;
#endif

/// A file of layers of zeros, which takes no room on the disk.
void write_zeros(const fs::path& path, const std::string& type, int64_t layers) {
  constexpr int64_t kRows = 2048;
  constexpr int64_t kColumns = 4096;
  const uint64_t bytes = checkpoint::element_bytes(type) * kRows * kColumns;
  checkpoint::SafetensorsHeader header;
  for (int64_t i = 0; i < layers; ++i) {
    const auto begin = static_cast<uint64_t>(i) * bytes;
    header.tensors.push_back({"layers." + std::to_string(i) + ".weight",
                              type,
                              {kRows, kColumns},
                              begin,
                              begin + bytes});
  }
  const std::string start = checkpoint::format_safetensors_header(header);
  std::ofstream(path, std::ios::binary) << start;
  fs::resize_file(path, start.size() + static_cast<uint64_t>(layers) * bytes);
}

class QuantizeFileMemory
    : public ::testing::TestWithParam<std::pair<const char*, int64_t>> {};

TEST_P(QuantizeFileMemory, IsThatOfTheLargestTensor) {
  // The promise is 4 times the largest tensor and 200 MB; the file is larger than what is
  // allowed here.
  constexpr uint64_t kBeside = 40ULL << 20U;
  const auto [type, bits] = GetParam();
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  constexpr int64_t kLayers = 10;
  write_zeros(path, type, kLayers);
  const uint64_t largest = fs::file_size(path) / kLayers;
  const uint64_t allowed = 4 * largest + kBeside;
  ASSERT_LT(allowed, fs::file_size(path));
  Options options;
  options.set("bits", bits);
  forget_peak();
  const uint64_t before = peak_bytes();
  const auto result = quantize_file(path, PerChannel(options), folder.path() / "q");
  EXPECT_EQ(result.layers.size(), kLayers);
  EXPECT_LT(peak_bytes() - before, allowed + kMemoryOfSanitizer);
}

INSTANTIATE_TEST_SUITE_P(Types,
                         QuantizeFileMemory,
                         ::testing::Values(std::pair("F32", 8),
                                           std::pair("F32", 4),
                                           std::pair("F64", 8),
                                           std::pair("BF16", 8),
                                           std::pair("BF16", 4)),
                         [](const auto& parameter) {
                           return std::string(parameter.param.first) + "To" +
                                  std::to_string(parameter.param.second);
                         });

}  // namespace
}  // namespace sizewise::quantizing
