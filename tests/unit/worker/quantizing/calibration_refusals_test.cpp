#include <cstdint>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>

#include "sizewise/error.hpp"

#include "quantizing/calibrated.hpp"
#include "quantizing/calibration.hpp"

namespace sizewise::quantizing {
namespace {

namespace nn = torch::nn;
using test::calibrated;
using test::error_of;
using test::kAll;
using test::kRange;
using test::Net;
using test::net;
using test::Program;
using test::program;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Calibration, NamesTheFirstLayerWhoseInputIsNotFinite) {
  const Program chain = net([](Net& m, const at::Tensor& x) {
    return m.fc2(m.fc1(x) / x.sum());
  });
  const at::Tensor fine = torch::ones({2, 4});
  for (const float value : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
    at::Tensor bad = fine.clone();
    bad[1][2] = value;
    const Error error = error_of([&] {
      (void)calibrated(chain, {fine, bad, fine});
    });
    EXPECT_EQ(error.code(), ErrorCode::kQuantization);
    EXPECT_EQ(error.message(),
              "calibration batch 2 of 3: the input of layer 'fc1' is not finite");
    EXPECT_THAT(error.suggestion(), HasSubstr("exclude the layer 'fc1'"));
  }
  const Error inside = error_of([&] {
    (void)calibrated(chain, {fine, torch::zeros({2, 4})});  // 1 / 0 after fc1
  });
  EXPECT_EQ(inside.message(),
            "calibration batch 2 of 2: the input of layer 'fc2' is not finite");
}

TEST(Calibration, NamesTheLayerAlsoWhereTheModuleFailsBecauseOfIt) {
  const Program strict = net([](Net& m, const at::Tensor& x) {
    const at::Tensor y = m.fc1(x);
    TORCH_CHECK(y.isfinite().all().item<bool>(), "not finite");
    return y;
  });
  const Error error = error_of([&] {
    (void)calibrated(strict,
                     {torch::full({1, 4}, std::numeric_limits<float>::infinity())},
                     kRange,
                     ObserverKind::kMinMax,
                     torch::ones({1, 4}));
  });
  EXPECT_EQ(error.code(), ErrorCode::kQuantization);
  EXPECT_THAT(error.message(), HasSubstr("'fc1'"));
}

TEST(Calibration, RefusesInputsOfTheWrongShapeNamingTheBatch) {
  const Program linear = program(nn::Linear(4, 4));
  const Error error = error_of([&] {
    (void)calibrated(linear, {torch::ones({2, 4}), torch::ones({2, 5})});
  });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.message(),
              HasSubstr("calibration batch 2 of 2 fails: mat1 and mat2 shapes cannot be "
                        "multiplied (2x5 and 4x4)"));
  EXPECT_THAT(error.message(), Not(HasSubstr("Exception raised from")));
  EXPECT_EQ(error.suggestion(), "give inputs that the module takes");

  const Error image = error_of([&] {
    (void)calibrated(program(nn::Conv2d(3, 4, 3)),
                     {torch::ones({1, 3, 5, 5}), torch::ones({1, 3, 2, 2})});
  });
  EXPECT_EQ(image.code(), ErrorCode::kInput);
  EXPECT_THAT(image.message(), HasSubstr("batch 2 of 2 fails"));
}

TEST(Calibration, RefusesWhateverAForwardThrows) {
  const Program thrower = net([](Net& m, const at::Tensor& x) {
    if (x.size(0) == 2) {
      throw 7;
    }
    if (x.size(0) == 3) {
      throw Error(ErrorCode::kPlugin, "plugin 'x' failed", "mend it");
    }
    return m.fc1(x);
  });
  EXPECT_EQ(error_of([&] {
              (void)calibrated(thrower, {torch::ones({1, 4}), torch::ones({2, 4})});
            }).code(),
            ErrorCode::kInput);
  const Error plugin = error_of([&] {
    (void)calibrated(thrower, {torch::ones({1, 4}), torch::ones({3, 4})});
  });
  EXPECT_EQ(plugin.message(), "calibration batch 2 of 2 fails: plugin 'x' failed");
  EXPECT_EQ(plugin.suggestion(), "mend it");
}

TEST(Calibration, RefusesToRunNoBatches) {
  const nn::Linear linear(4, 4);
  for (const int64_t batches : {0, -1}) {
    const Error error = error_of([&] {
      (void)calibrate(*linear, {}, kAll, ObserverKind::kMinMax, batches, [](int64_t) {
        FAIL() << "a batch was run";
      });
    });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(),
                HasSubstr("calibration with " + std::to_string(batches)));
    EXPECT_NE(error.suggestion(), "");
  }
}

TEST(Calibration, WarnsOfLayersThatSawNothing) {
  const Program sometimes = net([](Net& m, const at::Tensor& x) {
    return x.size(0) == 1 ? m.fc1(x) : m.fc2(x);
  });
  const Calibration calibration = calibrated(sometimes,
                                             {torch::ones({2, 4}), torch::ones({0, 4})},
                                             kAll,
                                             ObserverKind::kMinMax,
                                             torch::ones({1, 4}));
  EXPECT_THAT(calibration.warnings,
              ElementsAre("layer 'fc1' saw no input in calibration"));
  const InputStatistics& seen = calibration.statistics.at("fc1.weight");
  EXPECT_EQ(seen.rows, 0);
  EXPECT_FALSE(seen.minimum.has_value());
  EXPECT_FALSE(seen.channel_maximum.defined());
}

TEST(Calibration, WarnsThatAMovingAverageDependsOnTheOrder) {
  const auto warnings = [](ObserverKind kind, const CalibrationNeeds& needs) {
    return calibrated(program(nn::Linear(4, 4)), {torch::ones({1, 4})}, needs, kind)
        .warnings;
  };
  EXPECT_THAT(warnings(ObserverKind::kMovingAverage, kRange),
              ElementsAre("observer 'moving_average': the ranges depend on the order of "
                          "the batches"));
  EXPECT_THAT(warnings(ObserverKind::kMovingAverage, {.channel_maximum = true}),
              IsEmpty());
  EXPECT_THAT(warnings(ObserverKind::kEntropy, kRange), IsEmpty());
}

}  // namespace
}  // namespace sizewise::quantizing
