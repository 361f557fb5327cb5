#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "captured.hpp"

namespace sizewise::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A folder with a table of a law's exact losses: five budgets by seven sizes.
class FitCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("sizewise_fit_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    std::ofstream table(path("runs.csv"));
    table.precision(17);
    table << "params,tokens,loss,flops,budget_flops,status,kind\n";
    for (int budget = 0; budget < 5; ++budget) {
      for (int size = -3; size <= 3; ++size) {
        const double flops = 1e17 * std::pow(10.0, budget);
        const double n = 0.3 * std::sqrt(flops / 6.0) * std::pow(2.0, size);
        const double d = flops / (6.0 * n);
        table << n << ',' << d << ','
              << 1.69 + 406.4 / std::pow(n, 0.34) + 410.7 / std::pow(d, 0.28) << ','
              << flops << ',' << flops << ",done," << (size < 0 ? "small" : "large")
              << '\n';
      }
    }
    table << "1e9,1e10,,6e19,,diverged,large\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  [[nodiscard]] static Ran fit(Arguments arguments) {
    arguments.insert(arguments.begin(),
                     {"fit", "--plugin-dir", SIZEWISE_SHIPPED_PLUGINS});
    return run(arguments);
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(FitCommandTest, PrintsTheLawAsJson) {
  const Ran ran =
      fit({path("runs.csv"), "--budget", "1e24", "--json", "--bootstrap", "20"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json report = json::parse(ran.out);
  EXPECT_EQ(report.at("fit"), "approach3");
  EXPECT_EQ(report.at("options").at("delta"), 1e-3);
  EXPECT_EQ(report.at("rows").at("read"), 36);
  EXPECT_EQ(report.at("rows").at("used"), 35);
  EXPECT_EQ(report.at("rows").at("excluded")[0].at("reason"), "status is diverged");
  EXPECT_EQ(report.at("status"), "identified");
  EXPECT_NEAR(report.at("law").at("alpha").get<double>(), 0.34, 1e-8);
  EXPECT_NEAR(report.at("exponents").at("a").get<double>(), 0.28 / 0.62, 1e-8);
  EXPECT_EQ(report.at("cost_model"), "counted");
  EXPECT_EQ(report.at("bootstrap").at("replicates"), 20);
  EXPECT_NEAR(report.at("optima")[0].at("extrapolation").get<double>(), 1000, 1e-6);
  EXPECT_EQ(report.at("optima")[0].at("params_interval").size(), 2U);
}

TEST_F(FitCommandTest, PrintsTextForPeopleAndTakesAFolder) {
  const Ran ran = fit({std::filesystem::path(path("runs.csv")).parent_path().string(),
                       "--fit",
                       "approach2",
                       "--fit-option",
                       "allow_outside_vertex=true",
                       "--budget=1e22"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Status: identified"), HasSubstr("1e+22")));
}

TEST_F(FitCommandTest, ExitsWithOneWhereTheLawIsNotIdentified) {
  const Ran ran =
      fit({path("runs.csv"), "--where", "flops<1e18", "--budget", "1e22", "--json"});
  EXPECT_EQ(ran.code, 1);
  const json report = json::parse(ran.out);
  EXPECT_EQ(report.at("status"), "not_identified");
  EXPECT_FALSE(report.at("reasons").empty());
  EXPECT_TRUE(report.at("optima").empty());
}

TEST_F(FitCommandTest, FiltersByMappedColumns) {
  const Ran ran = fit(
      {path("runs.csv"), "--columns", "params=flops", "--where", "flops>1e18", "--json"});
  EXPECT_EQ(json::parse(ran.out).at("rows").at("used"), 21) << ran.err;
  EXPECT_EQ(json::parse(fit({path("runs.csv"), "--where", "kind=small", "--json"}).out)
                .at("rows")
                .at("used"),
            15);
}

TEST_F(FitCommandTest, SaysWhatIsWrongWithTheTable) {
  write("text.csv", "params,tokens,loss\n1,2,3\n1,2,high\n");
  EXPECT_EQ(fit({path("text.csv")}).code, 2);
  EXPECT_THAT(fit({path("text.csv")}).err,
              AllOf(HasSubstr("text.csv, line 3"), HasSubstr("'loss'")));
  write("zero.csv", "params,tokens,loss\n1,2,3\n0,2,3\n");
  EXPECT_THAT(fit({path("zero.csv")}).err,
              AllOf(HasSubstr("line 3"), HasSubstr("column 'params' is 0")));
  write("none.csv", "tokens,loss\n1,2\n");
  EXPECT_THAT(fit({path("none.csv")}).err, HasSubstr("no number column 'params'"));
  write("header.csv", "params,tokens,loss\n");
  EXPECT_EQ(fit({path("header.csv")}).code, 2);
  EXPECT_EQ(fit({path("absent.csv")}).code, 2);
  EXPECT_EQ(fit({path("runs.csv"), "--where", "color=red"}).code, 2);
  EXPECT_EQ(fit({path("runs.csv"), "--cost-model", "7nd"}).code, 2);
  EXPECT_EQ(fit({path("runs.csv"), "--fit", "approach4"}).code, 2);
  EXPECT_EQ(fit({path("runs.csv"), "--fit-option", "delta=-1"}).code, 2);
}

TEST_F(FitCommandTest, PredictsFromTheLaw) {
  write("law.json", fit({path("runs.csv"), "--json"}).out);
  const json loss = json::parse(
      run({"predict", path("law.json"), "--params", "1e9", "--tokens", "2e10", "--json"})
          .out);
  EXPECT_NEAR(loss.at("loss").get<double>(),
              1.69 + 406.4 / std::pow(1e9, 0.34) + 410.7 / std::pow(2e10, 0.28),
              1e-9);
  EXPECT_NEAR(loss.at("flops").get<double>() / 1.2e20, 1.0, 1e-9);
  const json best =
      json::parse(run({"predict", path("law.json"), "--budget", "1e24", "--json"}).out);
  const json& optimum = best.at("optima")[0];
  EXPECT_NEAR(6.0 * optimum.at("params").get<double>() *
                  optimum.at("tokens").get<double>() / 1e24,
              1.0,
              1e-9);
  EXPECT_EQ(run({"predict", path("law.json"), "--budget", "1e24"}).code, 0);
}

TEST_F(FitCommandTest, PredictRefusesWhatItCannotAnswer) {
  write("law.json", fit({path("runs.csv"), "--json"}).out);
  EXPECT_EQ(run({"predict", path("law.json"), "--inference-tokens", "1e9"}).code, 2);
  EXPECT_EQ(
      run({"predict", path("law.json"), "--params=1e9", "--tokens=1e9", "--budget=1"})
          .code,
      2);
  EXPECT_EQ(run({"predict", path("law.json")}).code, 2);
  EXPECT_EQ(run({"predict", path("law.json"), "--params", "-1", "--tokens", "1"}).code,
            2);
  EXPECT_EQ(run({"predict", path("absent.json"), "--budget", "1"}).code, 2);
  EXPECT_EQ(run({"predict", path("runs.csv"), "--budget", "1"}).code, 2);
  write("bad.json", "{\"fit\": 3}");
  EXPECT_EQ(run({"predict", path("bad.json"), "--budget", "1"}).code, 2);
  write("weak.json", fit({path("runs.csv"), "--where", "flops<1e18", "--json"}).out);
  EXPECT_EQ(run({"predict", path("weak.json"), "--budget", "1e22"}).code, 1);
}

}  // namespace
}  // namespace sizewise::cli
