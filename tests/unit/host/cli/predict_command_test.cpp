#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "noisy_table.hpp"

// What a law.json remembers of a fit's resamples, and what a law.json without a law is
// good for.

namespace sizewise::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class PredictCommandTest : public NoisyTableTest {
 protected:
  [[nodiscard]] json law_of(const char* fit_id) const {
    const Ran ran =
        fit(noisy_runs(),
            {"--fit", fit_id, "--budget", "1e24", "--bootstrap", "50", "--json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out);
  }
  [[nodiscard]] Ran predict(const json& law, Arguments flags) const {
    write("law.json", law.dump());
    flags.insert(flags.begin(), {"predict", path("law.json"), "--json"});
    return run(flags);
  }
};

TEST_F(PredictCommandTest, GivesTheIntervalsThatTheFitPrinted) {
  for (const char* fit_id : {"approach2", "approach3"}) {
    const json law = law_of(fit_id);
    const Ran ran = predict(law, {"--budget", "1e24"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    const json optima = json::parse(ran.out).at("optima");
    EXPECT_EQ(optima, law.at("optima")) << fit_id;
    EXPECT_EQ(optima[0].at("interval_source"), "bootstrap") << fit_id;
    EXPECT_LT(optima[0].at("params_interval")[0], optima[0].at("params_interval")[1]);
    EXPECT_EQ(optima[0].at("loss_interval").is_array(),
              fit_id != std::string("approach2"))
        << "an allocation predicts no loss";
  }
}

TEST_F(PredictCommandTest, AnswersAnotherBudgetAsAFitOfItWould) {
  const json law = law_of("approach3");
  const Ran fitted =
      fit(noisy_runs(), {"--budget", "3e22", "--bootstrap", "50", "--json"});
  EXPECT_EQ(json::parse(predict(law, {"--budget", "3e22"}).out).at("optima"),
            json::parse(fitted.out).at("optima"));
}

TEST_F(PredictCommandTest, GivesTheIntervalOfALoss) {
  const json law = law_of("approach3");
  const Arguments model = {"--params", "1e9", "--tokens", "2e10"};
  const json predicted = json::parse(predict(law, model).out);
  const json& interval = predicted.at("loss_interval");
  ASSERT_EQ(interval.size(), 2U);
  EXPECT_LT(interval[0], predicted.at("loss"));
  EXPECT_GT(interval[1], predicted.at("loss"));
  EXPECT_LT(interval[1].get<double>() - interval[0].get<double>(), 0.1)
      << "the rows hold this model's loss to within 0.5 %";
  json without = law;
  without.erase("bootstrap");
  EXPECT_TRUE(json::parse(predict(without, model).out).at("loss_interval").is_null());
}

TEST_F(PredictCommandTest, TakesALawWithoutDrawsForWhatItIs) {
  json law = law_of("approach3");
  law["bootstrap"].erase("draws");
  const Ran ran = predict(law, {"--budget", "1e24"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json::parse(ran.out).at("optima")[0].at("interval_source"), "hessian");
}

TEST_F(PredictCommandTest, RefusesDrawsThatNoFitWrites) {
  const json good = law_of("approach3");
  const json draws = good.at("bootstrap").at("draws").at("E");
  json few = draws;
  few.erase(0);
  json many = draws;
  many.push_back(2.0);
  json text = draws;
  text[3] = "1.7";
  json nested = draws;
  nested[3] = json::array({1.7});
  json truth = draws;
  truth[3] = true;
  for (const json& bad : {few,
                          many,
                          text,
                          nested,
                          truth,
                          json("text"),
                          json(1.7),
                          json(nullptr),
                          json::object(),
                          json::array()}) {
    json law = good;
    law["bootstrap"]["draws"]["E"] = bad;
    for (const Arguments& asked : {Arguments{"--budget", "1e24"},
                                   Arguments{"--params", "1e9", "--tokens", "2e10"}}) {
      const Ran ran = predict(law, asked);
      EXPECT_EQ(ran.code, 2) << bad;
      EXPECT_THAT(ran.err, AllOf(HasSubstr(path("law.json")), HasSubstr("'draws'")))
          << bad;
      EXPECT_THAT(ran.out, Not(HasSubstr("params_interval"))) << bad;
    }
  }
}

TEST_F(PredictCommandTest, RefusesACountThatIsNotThatOfTheDraws) {
  for (const int replicates : {0, 49, 51}) {
    json law = law_of("approach3");
    law["bootstrap"]["replicates"] = replicates;
    const Ran ran = predict(law, {"--budget", "1e24"});
    EXPECT_EQ(ran.code, 2) << replicates;
    EXPECT_THAT(ran.err, AllOf(HasSubstr("law.json"), HasSubstr("'draws'")));
  }
  json law = law_of("approach3");
  law["bootstrap"]["replicates"] = -50;
  EXPECT_THAT(predict(law, {"--budget", "1e24"}).err,
              AllOf(HasSubstr("law.json"), HasSubstr("'replicates'")));
}

TEST_F(PredictCommandTest, TooFewRowsGiveNoLawEvenByForce) {
  const std::vector<NoisyRun> all = noisy_runs();
  const std::vector<NoisyRun> one(all.begin(), all.begin() + 1);
  const std::vector<NoisyRun> three(all.begin(), all.begin() + 3);
  const std::vector<NoisyRun> same(6, all.front());
  for (const char* fit_id : {"approach2", "approach3", "vpnls"}) {
    for (const std::vector<NoisyRun>& runs : {one, three, same}) {
      const Arguments flags = {
          "--fit", fit_id, "--budget", "1e24", "--bootstrap", "9", "--force"};
      Arguments as_json = flags;
      as_json.emplace_back("--json");
      const Ran ran = fit(runs, as_json);
      EXPECT_EQ(ran.code, 1) << fit_id << ran.err;
      const json report = json::parse(ran.out);
      EXPECT_EQ(report.at("status"), "not_identified") << fit_id;
      EXPECT_FALSE(report.at("reasons").empty()) << fit_id;
      EXPECT_TRUE(report.at("optima").empty()) << fit_id;
      EXPECT_FALSE(report.contains("bootstrap")) << fit_id;
      const json law = report.at("law").flatten();
      for (const auto& item : law.items()) {
        EXPECT_TRUE(item.key() == "/form" || item.value().is_null()) << item.key();
      }
      EXPECT_THAT(fit(runs, flags).out,
                  AllOf(HasSubstr("NOT identified"), Not(HasSubstr("Best use"))));
      const Ran predicted = predict(report, {"--budget", "1e24", "--force"});
      EXPECT_EQ(predicted.code, 1) << fit_id;
      EXPECT_THAT(predicted.err, HasSubstr("there is no law"));
      EXPECT_THAT(predicted.out, Not(HasSubstr("optima")));
    }
  }
}

TEST_F(PredictCommandTest, ALawWithoutValuesIsNone) {
  json law = law_of("approach3");
  law["law"] = {{"form", "chinchilla"}};
  law["status"] = "not_identified";
  law.erase("hessian");
  law["bootstrap"].erase("draws");
  const Ran ran = predict(law, {"--budget", "1e24", "--force"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("there is no law"), HasSubstr("--force cannot")));
}

TEST_F(PredictCommandTest, RefusesALawThatWasEditedWrongly) {
  const json good = law_of("approach3");
  const json no_draws = json::array();
  for (const auto& [place, bad] : {std::pair<const char*, json>("/law/A", -1),
                                   {"/law/A", "x"},
                                   {"/law/alpha", 0},
                                   {"/law/beta", -1},
                                   {"/law/E", -1},
                                   {"/law/form", "other"},
                                   {"/bootstrap/level", 2},
                                   {"/bootstrap/level", 1e300},
                                   {"/bootstrap/draws", no_draws},
                                   {"/hessian/level", 1},
                                   {"/hessian/level", nullptr},
                                   {"/hessian/covariance", json::array({1, 2})},
                                   {"/hessian/parameters/0", "Q"},
                                   {"/largest_flops", 0}}) {
    json law = good;
    law[json::json_pointer(place)] = bad;
    const Ran ran = predict(law, {"--budget", "1e24"});
    EXPECT_EQ(ran.code, 2) << place << bad << ran.err;
    EXPECT_THAT(ran.err, AllOf(HasSubstr(path("law.json")), HasSubstr("allowed: ")))
        << place << bad;
    EXPECT_THAT(ran.out, Not(HasSubstr("optima"))) << place;
  }
  json law = good;
  law["law"].erase("A");
  EXPECT_EQ(predict(law, {"--budget", "1e24"}).code, 2);
  EXPECT_THAT(predict(law, {"--budget", "1e24"}).err,
              AllOf(HasSubstr(path("law.json")), HasSubstr("no 'law.A'")));
}

TEST_F(PredictCommandTest, RefusesWhatTheFormCannotAnswer) {
  const json allocation = law_of("approach2");
  for (const Arguments& asked :
       {Arguments{"--budget", "1e22", "--inference-tokens", "1e12"},
        Arguments{"--budget", "1e22", "--unique-tokens", "1e9"},
        Arguments{"--budget", "1e22", "--params", "1e9"},
        Arguments{"--params", "1e9", "--tokens", "1e10"},
        Arguments{"--target-loss", "2.4"}}) {
    const Ran ran = predict(allocation, asked);
    EXPECT_EQ(ran.code, 2) << asked[0] << ran.err;
    EXPECT_THAT(ran.err,
                AllOf(HasSubstr("law.json"),
                      HasSubstr("'allocation' predicts no loss"),
                      HasSubstr("approach3")));
  }
  EXPECT_EQ(predict(allocation, {"--params", "1e9"}).code, 0);
  json power = allocation;
  power.erase("bootstrap");
  power["law"] = {{"form", "power"}, {"y_inf", 1.7}, {"k", 30.0}, {"a", 0.2}};
  for (const Arguments& asked : {Arguments{"--budget", "1e22"},
                                 Arguments{"--params", "1e9", "--tokens", "1e10"}}) {
    const Ran ran = predict(power, asked);
    EXPECT_EQ(ran.code, 2) << asked[0];
    EXPECT_THAT(ran.err,
                AllOf(HasSubstr("'power' names no best size"),
                      HasSubstr("approach3"),
                      Not(HasSubstr("counted"))));
  }
}

TEST_F(PredictCommandTest, RefusesASizeForWhatIsServed) {
  const json law = law_of("approach3");
  for (const char* flag : {"--params", "--tokens"}) {
    const Ran ran =
        predict(law, {"--target-loss", "2.4", flag, "3e9", "--inference-tokens", "1e12"});
    EXPECT_EQ(ran.code, 2) << flag;
    EXPECT_THAT(ran.err, AllOf(HasSubstr("--inference-tokens"), HasSubstr(flag)));
  }
  EXPECT_EQ(predict(law, {"--params", "3e9", "--inference-tokens", "1e12"}).code, 0);
}

TEST_F(PredictCommandTest, RefusesALossAboveAllOfTheLaw) {
  const json law = law_of("approach3");
  for (const Arguments& asked :
       {Arguments{"--target-loss", "1e300"},
        Arguments{"--target-loss", "2.5,1e300"},
        Arguments{"--target-loss", "1e300", "--params", "1e9"}}) {
    const Ran ran = predict(law, asked);
    EXPECT_EQ(ran.code, 2) << asked[1];
    EXPECT_THAT(ran.err,
                AllOf(HasSubstr("--target-loss is 1e+300"), HasSubstr("at most")));
  }
  EXPECT_EQ(predict(law, {"--target-loss", "100"}).code, 0);
}

TEST_F(PredictCommandTest, GivesExamplesThatMakeSense) {
  const json law = law_of("approach3");
  EXPECT_THAT(predict(law, {"--params", "-1"}).err,
              AllOf(HasSubstr("'-1'; allowed: a number above 0"),
                    HasSubstr("for example: --params 1e9")));
  EXPECT_THAT(predict(law, {"--params", "1e9", "--tokens", "x"}).err,
              HasSubstr("for example: --tokens 1e10"));
  EXPECT_THAT(predict(law, {"--target-loss", "0"}).err,
              HasSubstr("for example: --target-loss 2.5"));
  EXPECT_THAT(predict(law, {"--budget", "0"}).err,
              HasSubstr("for example: --budget 1e21"));
}

TEST_F(PredictCommandTest, ReadsTheLawFromStandardInput) {
  write("law.json", law_of("approach3").dump());
  const std::string command = std::string(SIZEWISE_PROGRAM) +
                              " predict - --budget 1e24 --json < " + path("law.json") +
                              " > " + path("out.json");
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::ifstream out(path("out.json"));
  EXPECT_EQ(json::parse(out).at("optima").size(), 1U);
}

TEST_F(PredictCommandTest, NoRowLeftIsAFaultThatForceDoesNotMend) {
  for (const char* fit_id : {"approach2", "approach3", "vpnls"}) {
    const Ran ran =
        fit(noisy_runs(),
            {"--fit", fit_id, "--where", "loss<0.1", "--force", "--budget=1e24"});
    EXPECT_EQ(ran.code, 2) << fit_id;
    EXPECT_EQ(ran.out, "") << fit_id;
    EXPECT_THAT(ran.err, HasSubstr("none of 35 rows can be used"));
  }
}

TEST_F(PredictCommandTest, ResamplesUnasked) {
  const auto replicates = [this](const Arguments& flags) {
    Arguments arguments = {"--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const json report = json::parse(fit(noisy_runs(), arguments).out);
    return report.contains("bootstrap")
               ? report.at("bootstrap").at("replicates").get<int>()
               : 0;
  };
  EXPECT_EQ(replicates({"--fit", "approach3"}), 0) << "its Hessian gives the errors";
  EXPECT_EQ(replicates({"--fit", "approach2"}), 200) << "it tells no standard errors";
  EXPECT_EQ(replicates({"--fit", "approach3,vpnls"}), 200) << "they are compared";
  EXPECT_EQ(replicates({"--fit", "approach2", "--bootstrap", "0"}), 0);
  EXPECT_EQ(replicates({"--fit", "approach3,vpnls", "--bootstrap", "7"}), 7);
}

}  // namespace
}  // namespace sizewise::cli
