#include "fitting/fit_report_json.hpp"

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fit_fixture.hpp"
#include "fitting/fitted_law.hpp"
#include "reporting/fit_text.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::AllOf;
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

/// A report of resamples whose numbers no short decimal holds.
FitReport report_with_draws() {
  FitReport report = fit_table(table(), request());
  report.bootstrap.emplace();
  report.bootstrap->replicates = 4;
  report.bootstrap->unit = "row";
  report.bootstrap->draws["E"] = {0.1, 1.0 / 3.0, 5e-324, -0.0};
  report.bootstrap->draws["params.coefficient"] = {
      1e308, FitResult::kUnknown, 0x1.fffffffffffffp-1, -7.0};
  return report;
}

std::vector<uint64_t> bits_of(const std::vector<double>& numbers) {
  std::vector<uint64_t> bits;
  for (const double number : numbers) {
    bits.push_back(std::bit_cast<uint64_t>(number));
  }
  return bits;
}

TEST(FitReportJson, ReadsBackEveryBitOfTheDraws) {
  FitReport report = report_with_draws();
  report.bootstrap->draws["params 0"] = {1.0, 2.0, 3.0, 4.0};
  const std::string text = fit_report_to_json(report).dump();
  const FitReport read = fit_report_from_json(nlohmann::json::parse(text));
  ASSERT_TRUE(read.bootstrap.has_value());
  ASSERT_EQ(read.bootstrap->draws.size(), 2U)
      << "an answer's draws are made from the law's";
  for (const char* name : {"E", "params.coefficient"}) {
    EXPECT_EQ(bits_of(read.bootstrap->draws.at(name)),
              bits_of(report.bootstrap->draws.at(name)))
        << name;
  }
}

TEST(FitReportJson, RefusesDrawsOfAnotherShape) {
  const nlohmann::json good = fit_report_to_json(report_with_draws());
  EXPECT_NO_THROW((void)fit_report_from_json(good));
  for (const char* bad : {R"("text")",
                          "[]",
                          "[[1, 2, 3, 4]]",
                          "{}",
                          "3",
                          "true",
                          R"({"E": null})",
                          R"({"E": 3})",
                          R"({"E": "text"})",
                          R"({"E": {"0": 1, "1": 2, "2": 3, "3": 4}})",
                          R"({"E": []})",
                          R"({"E": [1, 2, 3]})",
                          R"({"E": [1, 2, 3, 4, 5]})",
                          R"({"E": [1, 2, 3, "4"]})",
                          R"({"E": [1, 2, 3, [4]]})",
                          R"({"E": [1, 2, 3, false]})",
                          R"({"E": [1, 2, 3, 4], "A": [1]})"}) {
    nlohmann::json object = good;
    object["bootstrap"]["draws"] = nlohmann::json::parse(bad);
    try {
      (void)fit_report_from_json(object);
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput) << bad;
      EXPECT_THAT(error.message(), HasSubstr("'draws'")) << bad;
    }
  }
}

TEST(FitReportJson, RefusesACountOfReplicatesOutOfRange) {
  for (const char* bad : {"-1", "1000001", "1e300", "4.0", "null", R"("4")", "[4]"}) {
    nlohmann::json object = fit_report_to_json(report_with_draws());
    object["bootstrap"]["replicates"] = nlohmann::json::parse(bad);
    EXPECT_THROW((void)fit_report_from_json(object), Error) << bad;
  }
}

TEST(FitReportJson, ReadsALawOfBeforeDrawsWereWritten) {
  nlohmann::json object = fit_report_to_json(report_with_draws());
  object["bootstrap"].erase("draws");
  const FitReport read = fit_report_from_json(object);
  EXPECT_EQ(read.bootstrap->replicates, 4);
  EXPECT_TRUE(read.bootstrap->draws.empty());
}

/// What is said of a report with something else at a place.
std::string refusal_with(nlohmann::json report,
                         const char* place,
                         const nlohmann::json& value) {
  report[nlohmann::json::json_pointer(place)] = value;
  try {
    check_law(fit_report_from_json(report));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput) << place;
    return error.message();
  }
  return "nothing";
}

nlohmann::json identified_report() {
  FitReport report;
  report.result.status = FitStatus::kIdentified;
  report.result.law = {
      "chinchilla",
      {{"E", 1.69}, {"A", 406.4}, {"B", 410.7}, {"alpha", 0.34}, {"beta", 0.28}},
      {}};
  report.result.parameters = {"E", "A"};
  report.result.covariance = {4.0, 1.0, 1.0, 9.0};
  report.hessian.emplace();
  report.bootstrap.emplace();
  report.profiles.push_back({"E", 0.95, 1.69, {1.6, 1.7}, 9});
  return fit_report_to_json(report);
}

TEST(FitReportJson, RefusesALevelThatIsNoShare) {
  const nlohmann::json good = identified_report();
  EXPECT_EQ(refusal_with(good, "/bootstrap/level", 0.5), "nothing");
  for (const nlohmann::json& bad : {nlohmann::json(2),
                                    nlohmann::json(1),
                                    nlohmann::json(1.0),
                                    nlohmann::json(0.0),
                                    nlohmann::json(1e18),
                                    nlohmann::json(1e300),
                                    nlohmann::json(-1e300),
                                    nlohmann::json(-1),
                                    nlohmann::json(),
                                    nlohmann::json("0.95")}) {
    for (const auto& [place, key] :
         {std::pair("/bootstrap/level", "'bootstrap.level'"),
          std::pair("/hessian/level", "'hessian.level'"),
          std::pair("/profile/E/level", "'profile.E.level'")}) {
      EXPECT_THAT(refusal_with(good, place, bad),
                  AllOf(HasSubstr(key),
                        HasSubstr("is " + bad.dump() + ";"),
                        HasSubstr("above 0 and below 1")));
    }
  }
}

TEST(FitReportJson, RefusesALargestBudgetThatIsNone) {
  for (const double bad : {0.0, -1.0}) {
    EXPECT_THAT(refusal_with(identified_report(), "/largest_flops", bad),
                AllOf(HasSubstr("'largest_flops' is"), HasSubstr("above 0")));
  }
  EXPECT_EQ(refusal_with(identified_report(), "/largest_flops", nullptr), "nothing");
}

TEST(FitReportJson, NamesWhatIsMissing) {
  nlohmann::json bad = identified_report();
  bad.erase("rows");
  EXPECT_THAT(refusal_with(bad, "/objective", 1.0), HasSubstr("the law has no 'rows'"));
}

TEST(FitReportJson, KeepsAValueThatIsUnknown) {
  FitReport report;
  report.result.law = {"kaplan", {{"Nc", FitResult::kUnknown}, {"Dc", 1.0}}, {}};
  const nlohmann::json written = fit_report_to_json(report);
  EXPECT_EQ(fit_report_to_json(fit_report_from_json(written)), written);
  EXPECT_THAT(refusal_with(written, "/law/Nc", nlohmann::json::array()),
              HasSubstr("'law.Nc' is a list of 0"));
  EXPECT_THAT(refusal_with(written, "/law/Nc.x", 1), HasSubstr("'law.Nc.x' is 1"));
}

TEST(CheckLaw, RefusesValuesThatTheFormDoesNotAllow) {
  const nlohmann::json good = identified_report();
  EXPECT_EQ(refusal_with(good, "/law/E", 0.0), "nothing");
  for (const char* key : {"A", "B", "alpha", "beta"}) {
    for (const nlohmann::json& bad : {nlohmann::json(0.0),
                                      nlohmann::json(-1.0),
                                      nlohmann::json(),
                                      nlohmann::json("x")}) {
      EXPECT_THAT(refusal_with(good, (std::string("/law/") + key).c_str(), bad),
                  AllOf(HasSubstr(std::string("'law.") + key + "' is "),
                        HasSubstr("allowed: a number above 0")))
          << bad;
    }
    nlohmann::json without = good;
    without["law"].erase(key);
    EXPECT_THAT(refusal_with(without, "/objective", 1.0),
                HasSubstr(std::string("the law has no 'law.") + key + "'"));
  }
  EXPECT_THAT(refusal_with(good, "/law/E", -1.0), HasSubstr("'law.E' is -1"));
  EXPECT_THAT(refusal_with(good, "/law/form", "other"),
              AllOf(HasSubstr("'law.form' is \"other\""), HasSubstr("kaplan")));
}

TEST(CheckLaw, KnowsWhatEachFormAllows) {
  const nlohmann::json share = {{"coefficient", 2.0}, {"exponent", 0.5}};
  const nlohmann::json good = identified_report();
  const nlohmann::json constrained = [&] {
    nlohmann::json law = good.at("law");
    law.update({{"form", "data_constrained"}, {"R_D", 15.0}, {"R_N", 5.0}});
    return law;
  }();
  for (const auto& [law, places] :
       {std::pair<nlohmann::json, std::vector<const char*>>(
            {{"form", "kaplan"}, {"Nc", 1e13}, {"Dc", 1e13}, {"aN", 0.1}, {"aD", 0.1}},
            {"/law/Nc", "/law/Dc", "/law/aN", "/law/aD"}),
        {{{"form", "power"}, {"y_inf", 0.0}, {"k", 1.0}, {"a", -1.0}},
         {"/law/y_inf", "/law/k"}},
        {constrained, {"/law/A", "/law/R_D", "/law/R_N"}},
        {{{"form", "allocation"}, {"params", share}, {"tokens", share}},
         {"/law/params/coefficient", "/law/params/exponent", "/law/tokens/exponent"}}}) {
    nlohmann::json report = good;
    report.erase("hessian");
    report["law"] = law;
    EXPECT_EQ(refusal_with(report, "/objective", 1.0), "nothing") << law;
    for (const char* place : places) {
      EXPECT_THAT(refusal_with(report, place, -1.0), HasSubstr("is -1; allowed: "))
          << place;
    }
  }
}

TEST(CheckLaw, LetsALawThatIsNotIdentifiedLackTerms) {
  nlohmann::json weak = identified_report();
  weak["status"] = "not_identified";
  EXPECT_EQ(refusal_with(weak, "/law/A", 0.0), "nothing");
  EXPECT_EQ(refusal_with(weak, "/law/A", nullptr), "nothing");
  EXPECT_THAT(refusal_with(weak, "/law/A", -1.0), HasSubstr("'law.A' is -1"));
  EXPECT_THAT(refusal_with(weak, "/law/alpha", 0.0), HasSubstr("'law.alpha' is 0"));
  weak.erase("hessian");
  EXPECT_EQ(refusal_with(weak, "/law", {{"form", ""}}), "nothing") << "no row gave any";
}

TEST(CheckLaw, RefusesWhatIsNoCovariance) {
  const nlohmann::json good = identified_report();
  EXPECT_EQ(refusal_with(good, "/objective", 1.0), "nothing");
  for (const char* bad : {"[]",
                          "[4, 1, 1]",
                          "[4, 1, 1, 9, 0]",
                          "[-4, 1, 1, 9]",
                          "[4, 1, 1, -9]",
                          "[4, 1, 2, 9]"}) {
    EXPECT_THAT(refusal_with(good, "/hessian/covariance", nlohmann::json::parse(bad)),
                HasSubstr("'hessian.covariance'"))
        << bad;
  }
  for (const char* bad : {R"(["E", "Q"])", R"(["E", "E"])"}) {
    EXPECT_THAT(refusal_with(good, "/hessian/parameters", nlohmann::json::parse(bad)),
                HasSubstr("'hessian.parameters'"))
        << bad;
  }
}

TEST(CheckLaw, RefusesDrawsOfSomeValuesAlone) {
  const nlohmann::json good = identified_report();
  nlohmann::json draws = good.at("law");
  draws.erase("form");
  for (nlohmann::json& value : draws) {
    value = nlohmann::json::array();
  }
  EXPECT_EQ(refusal_with(good, "/bootstrap/draws", draws), "nothing");
  draws.erase("alpha");
  EXPECT_THAT(refusal_with(good, "/bootstrap/draws", draws),
              HasSubstr("no 'bootstrap.draws.alpha'"));
}

}  // namespace
}  // namespace sizewise::fitting
