#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "planning/plan.hpp"
#include "planning/size_oracle.hpp"

namespace sizewise::testing {

/// A setting whose plugins exist in name only.
inline planning::Setting made_up_setting() {
  const auto plugin = [](const char* id, PluginKind kind) {
    planning::ResolvedPlugin made;
    made.file.path = std::string("/plugins/") + id + ".so";
    made.file.manifest.id = id;
    made.file.manifest.kind = kind;
    made.sha256 = std::string(64, id[0]);
    return made;
  };
  planning::Setting setting;
  setting.model = plugin("model", PluginKind::kModel);
  setting.model.file.manifest.size = SizeSpec{"width", "", 8, 512, 8};
  setting.dataset = plugin("dataset", PluginKind::kDataset);
  setting.loss = plugin("loss", PluginKind::kLoss);
  return setting;
}

inline DatasetInfo made_up_data() {
  DatasetInfo data;
  data.unit = "token";
  data.units_per_sample = 16;
  data.train_samples = 1000;
  return data;
}

/// Answers params = 100 * size and 6 FLOPs a parameter, and counts the questions.
class MadeUpOracle final : public planning::SizeOracle {
 public:
  [[nodiscard]] planning::DatasetFacts dataset() override {
    return {made_up_data(), "fingerprint"};
  }
  [[nodiscard]] std::vector<SizeFacts> describe(std::span<const int64_t> sizes,
                                                bool /*check*/) override {
    std::vector<SizeFacts> facts;
    for (const int64_t size : sizes) {
      ++described[size];
      const double params = 100 * static_cast<double>(size);
      facts.push_back({size, Parameters(params), 6 * params});
    }
    return facts;
  }
  [[nodiscard]] Parameters params_of(int64_t size) override {
    return Parameters(100 * static_cast<double>(size));
  }
  [[nodiscard]] std::vector<int64_t> invert(std::span<const double> params,
                                            Parameters largest) override {
    ++inverted;
    largest_asked = std::max(largest_asked, largest.value());
    std::vector<int64_t> sizes;
    for (const double target : params) {
      sizes.push_back(SizeSpec{"", "", 8, 512, 8}.nearest(target / 100));
    }
    return sizes;
  }

  std::map<int64_t, int> described;
  int inverted = 0;
  double largest_asked = 0;
};

}  // namespace sizewise::testing
