#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "noisy_table.hpp"

// What the law that `sizewise fit` prints may not depend on: the order of the rows,
// whether the table stands twice, and the units of N, D, C and L.

namespace sizewise::cli {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 3> kFits = {"approach2", "approach3", "vpnls"};
constexpr double kSame = 1e-8;
// A coefficient is a law's value at N, D or C = 1, some 20 factors of e away from the
// rows, and so many times as sensitive as an exponent.
constexpr double kSameCoefficient = 1e-7;

/// What one unit becomes; costs are in units of params times tokens.
struct UnitFactors {
  double params = 1.0;
  double tokens = 1.0;
  double loss = 1.0;
};

std::vector<NoisyRun> in_other_units(std::vector<NoisyRun> runs,
                                     const UnitFactors& factors) {
  for (NoisyRun& run : runs) {
    run.params *= factors.params;
    run.tokens *= factors.tokens;
    run.loss *= factors.loss;
    run.flops *= factors.params * factors.tokens;
  }
  return runs;
}

std::map<std::string, double> values_of(const json& report) {
  std::map<std::string, double> values;
  const json law = report.at("law").flatten();
  for (const auto& item : law.items()) {
    if (item.value().is_number()) {
      values[item.key()] = item.value().get<double>();
    }
  }
  return values;
}

/// The values that the law of the same runs has in other units. Source: L = E + A /
/// N^alpha
/// + B / D^beta and N* = k C^a, with each letter replaced by its multiple.
std::map<std::string, double> values_in_units(std::map<std::string, double> values,
                                              const UnitFactors& factors) {
  if (values.contains("/E")) {
    values["/E"] *= factors.loss;
    values["/A"] *= factors.loss * std::pow(factors.params, values.at("/alpha"));
    values["/B"] *= factors.loss * std::pow(factors.tokens, values.at("/beta"));
    return values;
  }
  const double cost = factors.params * factors.tokens;
  values["/params/coefficient"] *=
      factors.params / std::pow(cost, values.at("/params/exponent"));
  values["/tokens/coefficient"] *=
      factors.tokens / std::pow(cost, values.at("/tokens/exponent"));
  return values;
}

class InvarianceCommandTest : public NoisyTableTest {
 protected:
  [[nodiscard]] json report_of(const std::vector<NoisyRun>& runs, const char* fit_id) {
    const Ran ran = fit(runs, {"--fit", fit_id, "--json", "--bootstrap", "0"});
    EXPECT_EQ(ran.code, 0) << fit_id << ran.err;
    return json::parse(ran.out);
  }

  void expect_law(const std::vector<NoisyRun>& runs,
                  const char* fit_id,
                  const json& plain,
                  const UnitFactors& factors) {
    const json report = report_of(runs, fit_id);
    EXPECT_EQ(report.at("status"), plain.at("status")) << fit_id;
    for (const char* exponent : {"a", "b"}) {
      EXPECT_NEAR(report.at("exponents").at(exponent).get<double>(),
                  plain.at("exponents").at(exponent).get<double>(),
                  kSame)
          << fit_id;
    }
    const std::map<std::string, double> values = values_of(report);
    const auto expected = values_in_units(values_of(plain), factors);
    EXPECT_GE(expected.size(), 4U) << fit_id;
    ASSERT_EQ(values.size(), expected.size()) << fit_id;
    for (const auto& [name, value] : expected) {
      const bool is_coefficient =
          name == "/A" || name == "/B" || name.ends_with("/coefficient");
      EXPECT_NEAR(values.at(name) / value, 1.0, is_coefficient ? kSameCoefficient : kSame)
          << fit_id << ' ' << name;
    }
  }
};

TEST_F(InvarianceCommandTest, TheOrderOfRowsChangesNothing) {
  std::vector<NoisyRun> shuffled = noisy_runs();
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937_64(5));
  std::vector<NoisyRun> backwards = noisy_runs();
  std::reverse(backwards.begin(), backwards.end());
  for (const char* fit_id : kFits) {
    const json plain = report_of(noisy_runs(), fit_id);
    expect_law(shuffled, fit_id, plain, {});
    expect_law(backwards, fit_id, plain, {});
  }
}

TEST_F(InvarianceCommandTest, ATableThatStandsTwiceChangesNothing) {
  const std::vector<NoisyRun> once = noisy_runs();
  std::vector<NoisyRun> twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  for (const char* fit_id : kFits) {
    expect_law(twice, fit_id, report_of(once, fit_id), {});
  }
}

TEST_F(InvarianceCommandTest, UnitsOfSizeAndDataChangeOnlyTheCoefficients) {
  for (const char* fit_id : kFits) {
    const json plain = report_of(noisy_runs(), fit_id);
    for (const double factor : {1e-3, 1e6, 1e-9}) {
      for (const UnitFactors& factors :
           {UnitFactors{factor, 1.0, 1.0}, UnitFactors{1.0, factor, 1.0}}) {
        expect_law(in_other_units(noisy_runs(), factors), fit_id, plain, factors);
      }
    }
  }
}

TEST_F(InvarianceCommandTest, AUnitOfFlopsChangesOnlyTheCoefficientsOfAnAllocation) {
  for (const char* fit_id : kFits) {
    const json plain = report_of(noisy_runs(), fit_id);
    for (const double factor : {1e-3, 1e6, 1e-9}) {
      std::vector<NoisyRun> runs = noisy_runs();
      for (NoisyRun& run : runs) {
        run.flops *= factor;
      }
      json expected = plain;
      if (expected.at("law").contains("params")) {
        for (const char* side : {"params", "tokens"}) {
          json& law = expected["law"][side];
          law["coefficient"] = law.at("coefficient").get<double>() /
                               std::pow(factor, law.at("exponent").get<double>());
        }
      }
      expect_law(runs, fit_id, expected, {});
    }
  }
}

TEST_F(InvarianceCommandTest, AUnitOfLossScalesTheCoefficientsAndNoExponent) {
  const UnitFactors factors{1.0, 1.0, 2.5};
  for (const char* fit_id : kFits) {
    expect_law(in_other_units(noisy_runs(), factors),
               fit_id,
               report_of(noisy_runs(), fit_id),
               factors);
  }
}

}  // namespace
}  // namespace sizewise::cli
