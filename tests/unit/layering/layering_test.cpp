#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

// The data goes one way, Experiment -> Plan -> RunTable -> Law -> Recommendation ->
// Report, and a stage knows only what stands to its left.

namespace {

namespace fs = std::filesystem;

/// The stages, in the order of the data. What leads through all of them (host/core/src
/// itself) may include any.
const std::vector<std::string> kStages = {
    "tables", "loading", "planning", "running", "fitting", "reporting"};

/// The files of a folder and below that are C++.
std::vector<fs::path> sources(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".cpp" || extension == ".hpp" || extension == ".h") {
      files.push_back(entry.path());
    }
  }
  return files;
}

/// What a file includes, as it is written there.
std::vector<std::string> includes(const fs::path& file) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*["<]([^">]+)[">])re");
  std::vector<std::string> found;
  std::ifstream stream(file);
  std::smatch match;
  for (std::string line; std::getline(stream, line);) {
    if (std::regex_search(line, match, kInclude)) {
      found.push_back(match[1]);
    }
  }
  return found;
}

std::size_t place(const std::string& stage) {
  return static_cast<std::size_t>(std::find(kStages.begin(), kStages.end(), stage) -
                                  kStages.begin());
}

const fs::path kRoot = SIZEWISE_SOURCE_DIR;

TEST(Layering, AStageIncludesOnlyStagesToItsLeft) {
  std::size_t seen = 0;
  for (const std::string& stage : kStages) {
    for (const fs::path& file : sources(kRoot / "host/core/src" / stage)) {
      ++seen;
      for (const std::string& include : includes(file)) {
        const std::size_t other = place(include.substr(0, include.find('/')));
        EXPECT_TRUE(other == kStages.size() || other <= place(stage))
            << file << " includes " << include;
        EXPECT_FALSE(include == "session.hpp" || include == "single_trial.hpp")
            << file << " includes what leads through all stages";
      }
    }
  }
  EXPECT_GT(seen, 20U) << "the sources were found";
}

TEST(Layering, TheSdkKnowsNothingOfTheHost) {
  std::size_t seen = 0;
  for (const fs::path& file : sources(kRoot / "sdk")) {
    ++seen;
    for (const std::string& include : includes(file)) {
      EXPECT_EQ(place(include.substr(0, include.find('/'))), kStages.size())
          << file << " includes " << include;
      EXPECT_NE(include, "sizewise/host.hpp") << file;
      EXPECT_NE(include, "sizewise/experiment.hpp") << file;
    }
  }
  EXPECT_GT(seen, 20U);
}

TEST(Layering, TheHostNeverIncludesLibTorch) {
  const std::vector<std::string> torch = {"torch", "ATen", "c10"};
  const std::vector<std::string> headers = {"sizewise/model.hpp",
                                            "sizewise/dataset.hpp",
                                            "sizewise/loss.hpp",
                                            "sizewise/quantizer.hpp",
                                            "sizewise/tensor_map.hpp"};
  for (const char* folder : {"host/core", "host/cli"}) {
    for (const fs::path& file : sources(kRoot / folder)) {
      for (const std::string& include : includes(file)) {
        EXPECT_EQ(
            std::count(torch.begin(), torch.end(), include.substr(0, include.find('/'))),
            0)
            << file << " includes " << include;
        EXPECT_EQ(std::count(headers.begin(), headers.end(), include), 0)
            << file << " includes " << include;
      }
    }
  }
}

TEST(Layering, LibrariesWriteToNoStandardStream) {
  for (const char* folder : {"sdk", "host/core", "plugins"}) {
    for (const fs::path& file : sources(kRoot / folder)) {
      const std::vector<std::string> found = includes(file);
      EXPECT_EQ(std::count(found.begin(), found.end(), "iostream"), 0) << file;
    }
  }
}

TEST(Layering, BoostDllIsUsedInLoadingAlone) {
  for (const char* folder : {"sdk", "host", "plugins"}) {
    for (const fs::path& file : sources(kRoot / folder)) {
      for (const std::string& include : includes(file)) {
        EXPECT_TRUE(include.rfind("boost/dll", 0) != 0 ||
                    file.string().find("/loading/") != std::string::npos)
            << file << " includes " << include;
      }
    }
  }
}

}  // namespace
