#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sizewise/build_tag.hpp"

#include "captured.hpp"

// What `sizewise fit` does with tables that people really have: a message that says
// where, a refusal with its reason, or a law with its warning; never anything else.

namespace sizewise::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class BadTable : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("sizewise_bad_table_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }
  [[nodiscard]] Ran fit(const std::string& table, const Arguments& flags = {}) const {
    std::ofstream(path("runs.csv"), std::ios::binary) << table;
    return fit_file("runs.csv", flags);
  }
  [[nodiscard]] Ran fit_file(const std::string& name, const Arguments& flags = {}) const {
    Arguments arguments = {
        "fit", path(name), "--plugin-dir", SIZEWISE_SHIPPED_PLUGINS, "--threads", "1"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run(arguments);
  }

 private:
  std::filesystem::path folder_;
};

/// Five budgets by seven sizes of a known law, one text a row.
std::vector<std::string> good_rows(double scale = 1.0) {
  std::vector<std::string> rows;
  for (int budget = 0; budget < 5; ++budget) {
    for (int size = -3; size <= 3; ++size) {
      const double flops = 1e17 * std::pow(10.0, budget);
      const double n = 0.3 * std::sqrt(flops / 6.0) * std::pow(2.0, size);
      const double d = flops / (6.0 * n);
      const double loss =
          scale * (1.69 + 406.4 / std::pow(n, 0.34) + 410.7 / std::pow(d, 0.28));
      std::array<char, 128> text{};
      std::snprintf(text.data(), text.size(), "%.17g,%.17g,%.17g", n, d, loss);
      rows.emplace_back(text.data());
    }
  }
  return rows;
}

std::string table_of(const std::vector<std::string>& rows,
                     const std::string& end = "\n") {
  std::string table = "params,tokens,loss" + end;
  for (const std::string& row : rows) {
    table += row + end;
  }
  return table;
}

/// The same rows with the budget that each was spent on, seven rows a budget.
std::string table_with_budgets(const std::vector<std::string>& rows) {
  std::string table = "params,tokens,loss,budget_flops\n";
  for (std::size_t row = 0; row < rows.size(); ++row) {
    table += rows[row] + ",1e" + std::to_string(17 + row / 7) + "\n";
  }
  return table;
}

TEST_F(BadTable, NamesFileLineAndColumnOfABadNumber) {
  for (const char* bad : {"nan", "inf", "-inf", "0", "-1e9", ""}) {
    for (const auto& [column, row] :
         {std::pair("params", std::string(bad) + ",1e9,3"),
          std::pair("tokens", "1e9," + std::string(bad) + ",3"),
          std::pair("loss", "1e9,1e9," + std::string(bad))}) {
      std::vector<std::string> rows = good_rows();
      rows[3] = row;
      for (const char* plugin : {"approach2", "approach3", "vpnls"}) {
        const Ran ran = fit(table_with_budgets(rows), {"--fit", plugin});
        EXPECT_EQ(ran.code, 2) << plugin << ' ' << row;
        EXPECT_EQ(ran.out, "");
        EXPECT_THAT(ran.err,
                    AllOf(HasSubstr("runs.csv, line 5"),
                          HasSubstr(std::string("'") + column + "'")))
            << plugin << ' ' << row;
      }
    }
  }
}

TEST_F(BadTable, RefusesABudgetThatIsNone) {
  EXPECT_EQ(fit(table_with_budgets(good_rows()), {"--fit", "approach2"}).code, 0);
  for (const char* bad : {"inf", "-inf", "0", "-1e9"}) {
    std::string table = table_with_budgets(good_rows());
    const std::size_t end = table.find('\n', table.find('\n') + 1);
    const std::size_t begin = table.rfind(',', end) + 1;
    const Ran ran = fit(table.replace(begin, end - begin, bad), {"--fit", "approach2"});
    EXPECT_EQ(ran.code, 2) << bad;
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, HasSubstr("'budget_flops'")) << bad;
  }
}

TEST_F(BadTable, NamesFileLineAndColumnOfAText) {
  std::vector<std::string> rows = good_rows();
  rows[7] = "1e9,many,3";
  EXPECT_THAT(fit(table_of(rows)).err,
              AllOf(HasSubstr("runs.csv, line 9"),
                    HasSubstr("column 'tokens'"),
                    HasSubstr("'many' is not a number")));
  rows[7] = "1e9,1e9";
  EXPECT_THAT(fit(table_of(rows)).err, HasSubstr("line 9: the row has 2 cells"));
  rows[7] = "1e9,1e9,3,4";
  EXPECT_THAT(fit(table_of(rows)).err, HasSubstr("line 9: the row has 4 cells"));
  rows[7] = "1e9,\"1e9,3";
  EXPECT_THAT(fit(table_of(rows)).err, HasSubstr("line 9: a quoted cell begins"));
}

TEST_F(BadTable, NamesTheColumnThatIsMissing) {
  for (const char* column : {"params", "tokens", "loss"}) {
    std::string table = table_of(good_rows());
    table.replace(table.find(column), std::string(column).size(), "other");
    const Ran ran = fit(table);
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, AllOf(HasSubstr(column), HasSubstr("other")));
  }
  EXPECT_THAT(fit("params;tokens;loss\n1;2;3\n").err,
              HasSubstr("no comma separates columns"));
  EXPECT_THAT(fit("params\ttokens\tloss\n1\t2\t3\n").err, HasSubstr("with tabs in it"));
}

TEST_F(BadTable, ReadsWhatOtherProgramsWrite) {
  const json plain = json::parse(fit(table_of(good_rows()), {"--json"}).out);
  EXPECT_EQ(plain.at("status"), "identified");
  std::vector<std::string> quoted;
  std::string lines;
  for (const std::string& row : good_rows()) {
    const std::size_t first = row.find(',');
    const std::size_t second = row.find(',', first + 1);
    quoted.push_back(" \"" + row.substr(0, first) + "\" ,\"" +
                     row.substr(first + 1, second - first - 1) + "\"," +
                     row.substr(second + 1));
    lines += "{\"params\": " + row.substr(0, first) +
             ", \"tokens\": " + row.substr(first + 1, second - first - 1) +
             ", \"loss\": " + row.substr(second + 1) + "}\n";
  }
  for (const std::string& table : {"\xEF\xBB\xBF" + table_of(good_rows()),
                                   table_of(good_rows(), "\r\n"),
                                   table_of(good_rows(), "\r"),
                                   table_of(good_rows(), "\n\n"),
                                   table_of(good_rows(), " \t\n"),
                                   table_of(quoted),
                                   lines}) {
    const Ran ran = fit(table, {"--json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(json::parse(ran.out).at("law"), plain.at("law")) << table.substr(0, 60);
  }
}

TEST_F(BadTable, RefusesATableWithoutAUsableRow) {
  EXPECT_EQ(fit("").code, 2);
  EXPECT_THAT(fit("params,tokens,loss\n").err, HasSubstr("there is a header and no row"));
  const Ran ran = fit(table_of(good_rows()), {"--where", "loss<0.1"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("none of 35 rows can be used: 35 (not loss<0.1)"));
}

TEST_F(BadTable, DoesNotIdentifyALawOfFewRows) {
  for (std::size_t count = 1; count <= 4; ++count) {
    std::vector<std::string> rows = good_rows();
    rows.resize(count);
    const Ran ran =
        fit(table_of(rows), {"--json", "--budget", "1e22", "--bootstrap", "20"});
    EXPECT_EQ(ran.code, 1) << ran.err;
    const json report = json::parse(ran.out);
    EXPECT_EQ(report.at("status"), "not_identified");
    EXPECT_FALSE(report.at("reasons").empty());
    EXPECT_TRUE(report.at("optima").empty());
  }
}

TEST_F(BadTable, DoesNotIdentifyALawOfOneBudgetOrOneRow) {
  std::vector<std::string> one_budget = good_rows();
  one_budget.resize(7);
  const std::vector<std::string> one_row(20, good_rows()[0]);
  for (const std::vector<std::string>& rows : {one_budget, one_row}) {
    for (const char* plugin : {"approach3", "vpnls"}) {
      const Ran ran =
          fit(table_of(rows),
              {"--json", "--fit", plugin, "--budget", "1e22", "--bootstrap", "9"});
      EXPECT_EQ(ran.code, 1) << ran.err;
      const json report = json::parse(ran.out);
      EXPECT_FALSE(report.at("reasons").empty());
      EXPECT_TRUE(report.at("optima").empty());
    }
  }
}

TEST_F(BadTable, FitsLossesOfAnySize) {
  // Far below every E that a search might start from, and far above.
  const json plain = json::parse(fit(table_of(good_rows()), {"--json"}).out);
  for (const double scale : {1e-6, 1e6}) {
    const Ran ran = fit(table_of(good_rows(scale)), {"--json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    const json report = json::parse(ran.out);
    EXPECT_NEAR(report.at("law").at("E").get<double>() / scale, 1.69, 1e-6);
    EXPECT_NEAR(report.at("exponents").at("a").get<double>(),
                plain.at("exponents").at("a").get<double>(),
                1e-7);
  }
}

TEST_F(BadTable, SurvivesNumbersAtTheEndsOfADouble) {
  std::vector<std::string> rows = good_rows();
  rows[0] = "1e-300,1e300,3";
  rows[1] = "1e300,1e300,1e-300";
  const Ran ran = fit(table_of(rows), {"--json", "--budget", "1e22", "--bootstrap", "9"});
  EXPECT_THAT(ran.code, AnyOf(0, 1)) << ran.err;
  EXPECT_FALSE(json::parse(ran.out).at("law").empty());
}

TEST_F(BadTable, WarnsOfAnAnswerThatIsNoModel) {
  const Ran ran = fit(table_of(good_rows()), {"--json", "--budget", "1e-3"});
  EXPECT_THAT(json::parse(ran.out).at("warnings"),
              Contains(HasSubstr("less than one parameter")));
}

TEST_F(BadTable, RefusesTwoGigabytesOfNothing) {
  std::ofstream(path("zeros.csv")).put('p');
  std::filesystem::resize_file(path("zeros.csv"), std::uintmax_t{2} << 30U);
  const Ran ran = fit_file("zeros.csv");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err,
              AllOf(HasSubstr("zeros.csv, line 1"), HasSubstr("this is no table")));
  std::ofstream(path("rows.csv")) << "params,tokens,loss\n1e6,1e7,3\n";
  std::filesystem::resize_file(path("rows.csv"), std::uintmax_t{2} << 30U);
  EXPECT_THAT(fit_file("rows.csv").err,
              AllOf(HasSubstr("rows.csv, line 3"), HasSubstr("this is no table")));
}

TEST_F(BadTable, SaysThatATableDoesNotFitIntoMemory) {
  if (std::string_view(SIZEWISE_TAG_SANITIZER) != "none") {
    return;  // a sanitizer's own memory does not fit below the limit
  }
  // Numbers of one digit take four times the memory of their text.
  std::ofstream table(path("large.csv"));
  table << "params,tokens,loss\n";
  const std::string row = "1,1,1\n";
  std::string block;
  for (int i = 0; i < 100000; ++i) {
    block += row;
  }
  for (int i = 0; i < 50; ++i) {
    table << block;
  }
  table.close();
  // In a process of its own: a limit on memory is not taken back.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit limit{300UL << 20U, 300UL << 20U};
    const bool is_set = ::setrlimit(RLIMIT_AS, &limit) == 0;
    const Ran ran = fit_file("large.csv");
    const bool says_so = ran.err.find("does not fit into memory") != std::string::npos;
    std::_Exit(is_set && ran.code == 2 && says_so ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace sizewise::cli
