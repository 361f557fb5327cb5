#include "fitting/fit_report_json.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fit_fixture.hpp"
#include "reporting/fit_text.hpp"

namespace sizewise::fitting {
namespace {

using testing::fit_table;
using ::testing::HasSubstr;
using testing::request;
using testing::table;

TEST(FitReportJson, ReadsBackWhatItWrote) {
  RunTable runs = table();
  std::vector<double> flops;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    flops.push_back(7.1 * runs.params()[row] * runs.tokens()[row]);
  }
  runs.add_numbers("flops", flops);
  FitRequest asked = request();
  asked.bootstrap = 20;
  const nlohmann::json written = fit_report_to_json(fit_table(runs, asked));
  EXPECT_EQ(fit_report_to_json(fit_report_from_json(written)), written);
  EXPECT_EQ(
      fit_report_to_json(fit_report_from_json(nlohmann::json::parse(written.dump()))),
      written);
  EXPECT_EQ(written.at("cost_model"), "counted");
  EXPECT_EQ(written.at("starts").at("within_0.1_percent"), 0);
  EXPECT_EQ(written.at("law").at("form"), "chinchilla");
  EXPECT_TRUE(written.at("bootstrap").at("interval").at("E").is_array());
}

TEST(FitReportJson, WritesAnUnboundedEndAsNull) {
  FitReport report;
  report.bootstrap.emplace();
  report.bootstrap->interval["E"] = {0.0, std::numeric_limits<double>::infinity()};
  const nlohmann::json written = fit_report_to_json(report);
  EXPECT_TRUE(written.at("bootstrap").at("interval").at("E").at(1).is_null());
  EXPECT_THAT(reporting::fit_text(report), ::testing::Not(HasSubstr("inf")));
}

TEST(FitReportJson, RefusesAnotherShape) {
  const nlohmann::json good = fit_report_to_json(fit_table(table(), request()));
  for (const auto& item : good.items()) {
    nlohmann::json bad = good;
    bad[item.key()] = nlohmann::json::array({nlohmann::json::object()});
    if (item.key() == "optima" || item.key() == "reasons" || item.key() == "warnings" ||
        item.key() == "cost_points") {
      bad[item.key()] = "text";
    }
    if (item.key() == "cost_points") {
      continue;  // not read where the cost model is 6nd
    }
    EXPECT_THROW((void)fit_report_from_json(bad), Error) << item.key();
  }
  EXPECT_THROW((void)fit_report_from_json(nlohmann::json::array()), Error);
}

}  // namespace
}  // namespace sizewise::fitting
