#include "quantizing/calibration.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>

#include "sizewise/error.hpp"

#include "quantizing/calibrated.hpp"

namespace sizewise::quantizing {
namespace {

namespace nn = torch::nn;
using test::calibrated;
using test::error_of;
using test::kAll;
using test::kRange;
using test::kRangeAndChannels;
using test::Net;
using test::net;
using test::Program;
using test::program;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void expect_close(const at::Tensor& got, const at::Tensor& expected) {
  ASSERT_EQ(got.sizes(), expected.sizes());
  EXPECT_EQ(got.scalar_type(), at::kFloat);
  EXPECT_TRUE(got.allclose(expected, 1e-6, 1e-6));
}

/// X^T X, precisely.
at::Tensor second_moment(const at::Tensor& rows) {
  const at::Tensor precise = rows.to(at::kDouble);
  return precise.t().mm(precise).to(at::kFloat);
}

TEST(Calibration, MeasuresTheInputOfALinearLayer) {
  torch::manual_seed(1);
  const std::vector<at::Tensor> batches{
      torch::randn({5, 3, 6}), torch::randn({7, 1, 6}) * 3.0, torch::randn({6})};
  const Calibration calibration = calibrated(program(nn::Linear(6, 4)), batches);
  const at::Tensor rows = torch::cat({batches[0].reshape({-1, 6}),
                                      batches[1].reshape({-1, 6}),
                                      batches[2].reshape({-1, 6})});
  EXPECT_EQ(calibration.batches, 3);
  EXPECT_THAT(calibration.warnings, IsEmpty());
  ASSERT_EQ(calibration.statistics.size(), 1);
  const InputStatistics& seen = calibration.statistics.at("weight");
  EXPECT_EQ(seen.rows, 5 * 3 + 7 + 1);
  EXPECT_EQ(seen.minimum, rows.min().item<float>());
  EXPECT_EQ(seen.maximum, rows.max().item<float>());
  EXPECT_TRUE(seen.channel_maximum.equal(rows.abs().amax(0)));
  expect_close(seen.second_moment, second_moment(rows));
}

TEST(Calibration, MeasuresOnlyWhatIsAskedFor) {
  const Program linear = program(nn::Linear(6, 4));
  const std::vector<at::Tensor> batches{torch::ones({2, 6})};
  const InputStatistics range =
      calibrated(linear, batches, kRange).statistics.at("weight");
  EXPECT_EQ(range.maximum, 1.0);
  EXPECT_FALSE(range.channel_maximum.defined());
  EXPECT_FALSE(range.second_moment.defined());
  const InputStatistics moment =
      calibrated(linear, batches, {.second_moment = true}).statistics.at("weight");
  EXPECT_FALSE(moment.minimum.has_value());
  EXPECT_FALSE(moment.maximum.has_value());
  EXPECT_TRUE(moment.second_moment.equal(torch::full({6, 6}, 2.0)));
}

TEST(Calibration, SumsSecondMomentsInDoublePrecision) {
  // In float, 2^24 + 1 is 2^24.
  std::vector<at::Tensor> batches(9, torch::ones({1, 1}));
  batches.front() = torch::full({1, 1}, 4096.0);
  const Calibration calibration = calibrated(program(nn::Linear(1, 1)), batches);
  EXPECT_EQ(calibration.statistics.at("weight").second_moment.item<float>(), 16777224.0F);
}

TEST(Calibration, SumsSecondMomentsOfMoreRowsThanAreHeldAtOnce) {
  torch::manual_seed(1);
  const at::Tensor rows = torch::randn({5000, 1024});
  const Calibration calibration = calibrated(program(nn::Linear(1024, 1)), {rows});
  expect_close(calibration.statistics.at("weight").second_moment, second_moment(rows));
}

/// The windows of a convolution, by one whose flattened weight is the identity.
template <class Convolution, class Options>
at::Tensor windows_by_identity(const Options& layer, const at::Tensor& input) {
  const int64_t groups = layer.groups();
  const int64_t channels = layer.in_channels() / groups;
  int64_t columns = channels;
  std::vector<int64_t> shape{0, channels};
  for (const int64_t size : *layer.kernel_size()) {
    columns *= size;
    shape.push_back(size);
  }
  shape[0] = columns * groups;
  Options options = layer;
  Convolution convolution(options.out_channels(columns * groups).bias(false));
  const at::NoGradGuard no_gradients;
  convolution->weight.copy_(torch::eye(columns).repeat({groups, 1}).reshape(shape));
  // {batch, groups * columns, places...} -> a row for each batch, group and place
  const at::Tensor windows =
      convolution->forward(input).flatten(2).unflatten(1, {groups, columns});
  return windows.transpose(2, 3).reshape({-1, columns});
}

template <class Convolution, class Options>
void expect_measures_windows(const Options& options, const at::Tensor& input) {
  const Calibration calibration =
      calibrated(program(Convolution(options)), {input, input * -2.0});
  const at::Tensor windows = windows_by_identity<Convolution>(options, input);
  const InputStatistics& seen = calibration.statistics.at("weight");
  EXPECT_EQ(seen.rows, 2 * windows.size(0));
  EXPECT_EQ(seen.minimum, -2.0F * input.max().item<float>());
  EXPECT_EQ(seen.maximum,
            std::max(input.max().item<float>(), -2.0F * input.min().item<float>()));
  expect_close(seen.second_moment, second_moment(windows) * 5.0);
  // The channel's largest, over groups, repeated over the kernel.
  const int64_t channels = options.in_channels() / options.groups();
  const at::Tensor largest =
      input.abs().transpose(0, 1).reshape({options.groups(), channels, -1}).amax({0, 2}) *
      2.0;
  EXPECT_TRUE(
      seen.channel_maximum.equal(largest.repeat_interleave(windows.size(1) / channels)));
}

TEST(Calibration, MeasuresTheWindowsOfConvolutions) {
  torch::manual_seed(1);
  expect_measures_windows<nn::Conv1d>(nn::Conv1dOptions(3, 4, 3).padding(1).stride(2),
                                      torch::randn({2, 3, 11}));
  expect_measures_windows<nn::Conv2d>(nn::Conv2dOptions(3, 4, 3),
                                      torch::randn({2, 3, 7, 9}));
  expect_measures_windows<nn::Conv2d>(
      nn::Conv2dOptions(6, 8, {3, 2})
          .groups(2)
          .padding({2, 1})
          .stride({1, 3})
          .dilation({2, 1}),
      torch::randn({3, 6, 7, 9}).contiguous(at::MemoryFormat::ChannelsLast));
  expect_measures_windows<nn::Conv2d>(nn::Conv2dOptions(4, 4, 3).groups(4),
                                      torch::randn({1, 4, 5, 5}));
  expect_measures_windows<nn::Conv3d>(
      nn::Conv3dOptions(2, 3, {1, 2, 3}).padding({0, 1, 1}),
      torch::randn({2, 2, 3, 4, 5}));
}

TEST(Calibration, MeasuresTheInputOfATransposedConvolution) {
  torch::manual_seed(1);
  const at::Tensor input = torch::randn({2, 4, 5, 6});
  const Program layer = program(
      nn::ConvTranspose2d(nn::ConvTranspose2dOptions(4, 6, 3).groups(2).stride(2)));
  const InputStatistics seen =
      calibrated(layer, {input}, kRangeAndChannels).statistics.at("weight");
  EXPECT_EQ(seen.rows, 2 * 5 * 6);
  EXPECT_EQ(seen.minimum, input.min().item<float>());
  EXPECT_TRUE(
      seen.channel_maximum.equal(input.abs().amax({0, 2, 3}).repeat_interleave(9)));

  const Error error = error_of([&] {
    (void)calibrated(layer, {input}, kAll);
  });
  EXPECT_EQ(error.code(), ErrorCode::kQuantization);
  EXPECT_THAT(error.message(), HasSubstr("layer 'weight' is a transposed convolution"));
  EXPECT_THAT(error.suggestion(), HasSubstr("exclude the layer 'weight'"));
}

TEST(Calibration, SeesAllUsesOfASharedLayer) {
  const Program shared = net([](Net& m, const at::Tensor& x) {
    return m.fc1(x) + m.fc1(x.slice(0, 0, 1) * -3.0);
  });
  const InputStatistics seen =
      calibrated(shared, {torch::ones({2, 4})}).statistics.at("fc1.weight");
  EXPECT_EQ(seen.rows, 3);
  EXPECT_EQ(seen.minimum, -3.0);
  EXPECT_EQ(seen.maximum, 1.0);
  EXPECT_TRUE(seen.second_moment.equal(torch::full({4, 4}, 11.0)));
}

TEST(Calibration, MeasuresNoEmbeddingButAHeadThatIsTiedToIt) {
  const auto module = std::make_shared<Net>();
  const auto embed = [module](const at::Tensor& x) {
    (void)module->embedding(x);
  };
  const at::Tensor tokens = torch::tensor({1, 2, 3}, at::kLong);
  EXPECT_THAT(calibrated({module, embed}, {tokens}).statistics, IsEmpty());

  const auto tied = [module](const at::Tensor& x) {
    (void)torch::linear(module->embedding(x), module->embedding->weight);
  };
  const Calibration calibration = calibrated({module, tied}, {tokens});
  const InputStatistics& seen = calibration.statistics.at("embedding.weight");
  EXPECT_EQ(seen.rows, 3);
  EXPECT_EQ(seen.maximum,
            std::max(0.0F, module->embedding->weight.slice(0, 1, 4).max().item<float>()));
}

TEST(Calibration, PutsBuffersAndRandomNumbersBack) {
  const Program training = net([](Net& m, const at::Tensor& x) {
    m.fc2->weight.mul_(2);  // no layer to be quantized, but changed all the same
    return m.dropout(m.norm(m.fc1(x)));
  });
  training.module->train();
  const Calibration calibration =
      calibrated(training, {torch::randn({8, 4}), torch::randn({8, 4})});
  EXPECT_EQ(calibration.statistics.size(),
            1);  // `calibrated` compares what must not change
}

TEST(Calibration, RunsInTheModeThatTheModuleIsIn) {
  nn::Sequential layers(nn::Dropout(0.5), nn::Linear(4, 4));
  const auto maximum = [&](bool training) {
    layers->train(training);
    return calibrated(program(layers), {torch::ones({64, 4})}, kRange)
        .statistics.at("1.weight")
        .maximum;
  };
  EXPECT_EQ(maximum(true), 2.0);
  EXPECT_EQ(maximum(false), 1.0);
}

TEST(Calibration, TellsItsProgress) {
  const nn::Linear linear(4, 4);
  std::vector<int64_t> run;
  std::vector<int64_t> done;
  const Calibration calibration = calibrate(
      *linear,
      {},
      kAll,
      ObserverKind::kMinMax,
      3,
      [&](int64_t i) {
        run.push_back(i);
        EXPECT_FALSE(at::GradMode::is_enabled());
      },
      [&](int64_t count) {
        done.push_back(count);
      });
  EXPECT_THAT(run, ElementsAre(0, 1, 2));
  EXPECT_THAT(done, ElementsAre(1, 2, 3));
  EXPECT_EQ(calibration.batches, 3);
}

TEST(Calibration, GivesTheSameRangesInAnyOrderOfBatches) {
  torch::manual_seed(1);
  const Program convolutions = program(nn::Sequential(
      nn::Conv1d(2, 3, 3), nn::ReLU(), nn::Flatten(), nn::Linear(3 * 8, 5)));
  std::vector<at::Tensor> batches;
  for (int i = 1; i <= 12; ++i) {
    batches.push_back(torch::randn({8 * i, 2, 10}) * i);
  }
  std::mt19937 random(1);
  for (const auto kind : {ObserverKind::kMinMax,
                          ObserverKind::kPercentile,
                          ObserverKind::kMse,
                          ObserverKind::kEntropy}) {
    const Calibration first = calibrated(convolutions, batches, kRangeAndChannels, kind);
    std::shuffle(batches.begin(), batches.end(), random);
    const Calibration second = calibrated(convolutions, batches, kRangeAndChannels, kind);
    ASSERT_EQ(first.statistics.size(), 2);
    for (const auto& [name, seen] : first.statistics) {
      const InputStatistics& other = second.statistics.at(name);
      EXPECT_EQ(seen.minimum, other.minimum) << to_string(kind);
      EXPECT_EQ(seen.maximum, other.maximum) << to_string(kind);
      EXPECT_TRUE(seen.channel_maximum.equal(other.channel_maximum));
    }
  }
}

TEST(Calibration, MeasuresUnderAutocastAndInferenceModeAsWithout) {
  torch::manual_seed(1);
  nn::Sequential layers(nn::Conv1d(2, 3, 3), nn::Flatten(), nn::Linear(3 * 8, 5));
  const std::vector<at::Tensor> batches{torch::randn({4, 2, 10}),
                                        torch::randn({4, 2, 10})};
  const Calibration plain = calibrated(program(layers), batches);
  const Program inference{layers.ptr(), [&](const at::Tensor& x) {
                            const c10::InferenceMode mode;
                            (void)layers->forward(x.clone());
                          }};
  const Program autocast{layers.ptr(), [&](const at::Tensor& x) {
                           at::autocast::set_autocast_enabled(at::kCPU, true);
                           (void)layers->forward(x);
                           at::autocast::clear_cache();
                           at::autocast::set_autocast_enabled(at::kCPU, false);
                         }};
  const Calibration in_inference_mode = calibrated(inference, batches);
  const Calibration under_autocast = calibrated(autocast, batches);
  for (const auto& [name, seen] : plain.statistics) {
    const InputStatistics& same = in_inference_mode.statistics.at(name);
    EXPECT_EQ(same.maximum, seen.maximum);
    EXPECT_TRUE(same.second_moment.equal(seen.second_moment));
    const InputStatistics& close = under_autocast.statistics.at(name);
    EXPECT_NEAR(*close.maximum, *seen.maximum, 0.01 * *seen.maximum);
    EXPECT_EQ(close.channel_maximum.scalar_type(), at::kFloat);
    EXPECT_TRUE(close.second_moment.allclose(seen.second_moment, 0.02, 0.02));
  }
  EXPECT_EQ(under_autocast.statistics.at("0.weight").maximum,
            plain.statistics.at("0.weight").maximum);  // seen before it is cast
}

TEST(Calibration, SeesWhatTwoThreadsOfAModuleDo) {
  const Program threaded = net([](Net& m, const at::Tensor& x) {
    std::vector<std::thread> threads;
    for (const float scale : {1.0F, -2.0F}) {
      threads.emplace_back([&m, &x, scale] {
        const at::NoGradGuard no_gradients;
        for (int i = 0; i < 100; ++i) {
          (void)m.fc1(x * scale);
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return x;
  });
  const InputStatistics seen =
      calibrated(threaded, {torch::ones({3, 4})}, kAll).statistics.at("fc1.weight");
  EXPECT_EQ(seen.rows, 600);
  EXPECT_EQ(seen.minimum, -2.0);
  EXPECT_EQ(seen.maximum, 1.0);
  EXPECT_TRUE(seen.second_moment.equal(torch::full({4, 4}, 1500.0)));
}

}  // namespace
}  // namespace sizewise::quantizing
