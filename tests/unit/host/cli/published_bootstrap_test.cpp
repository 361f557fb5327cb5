#include <string>
#include <tuple>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "captured.hpp"
#include "reference_data.hpp"

namespace sizewise::cli {
namespace {

using nlohmann::json;

json published_bootstrap(const std::string& table, const Arguments& flags) {
  Arguments arguments = {"fit", "--plugin-dir", SIZEWISE_SHIPPED_PLUGINS, "--json"};
  arguments.push_back((testing::reference_data() / table).string());
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Ran ran = run(arguments);
  EXPECT_TRUE(ran.code == 0 || ran.code == 1) << ran.err;
  return json::parse(ran.out).at("bootstrap");
}

double width(const json& bootstrap, const char* name) {
  const json& interval = bootstrap.at("interval").at(name);
  return interval.at(1).get<double>() - interval.at(0).get<double>();
}

TEST(PublishedBootstrap, T2MeetsTheErrorsOfChinchillaWithResamplesOfItsOwn) {
  const std::string table = "scaling/epoch_chinchilla.csv";
  if (!testing::has_reference(table)) {
    return;
  }
  const json errors =
      published_bootstrap(table, {"--where", "keep240=1", "--bootstrap", "4000"})
          .at("standard_error");
  for (const auto& [name, error, tolerance] :
       {std::tuple("A", 124.522, 0.05),
        // 20 seeds differ by 4.7 % (standard deviation) around 1.04 of the published one.
        std::tuple("B", 1293.284, 0.15),
        std::tuple("E", 0.02566, 0.05),
        std::tuple("alpha", 0.01540, 0.05),
        std::tuple("beta", 0.02060, 0.05),
        std::tuple("a", 0.01998, 0.05)}) {
    EXPECT_NEAR(errors.at(name).get<double>() / error, 1.0, tolerance) << name;
  }
}

TEST(PublishedBootstrap, T5WidensThreefoldWhereWholeRunsAreDrawn) {
  const std::string table = "scaling/gemstones.csv";
  if (!testing::has_reference(table)) {
    return;
  }
  const Arguments rows = {
      "--where", "experiment=hot", "--cost-model", "6nd", "--bootstrap", "1000"};
  Arguments runs = rows;
  runs.insert(runs.end(), {"--columns", "run_id=run_name"});
  const json of_rows = published_bootstrap(table, rows);
  const json of_runs = published_bootstrap(table, runs);
  EXPECT_EQ(of_rows.at("unit"), "row");
  EXPECT_EQ(of_runs.at("unit"), "run_id");
  EXPECT_NEAR(width(of_runs, "alpha") / width(of_rows, "alpha"), 3.0, 0.3);
}

}  // namespace
}  // namespace sizewise::cli
