#include "contract/model_contract.hpp"

#include <limits>
#include <stdexcept>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "support/data.hpp"
#include "support/networks.hpp"

namespace sizewise::contract {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// How a family breaks its promises.
struct Faults {
  int64_t added = 0;  ///< to num_params()
  bool says_minus_one = false;
  bool same_size = false;
  bool counts_buffers = false;
  bool counts_tied_twice = false;
  bool static_is_wrong = false;
  bool throws = false;
  bool is_nan = false;
  int64_t classes = 5;
};

/// One matrix {11, size}, tied to itself under a second name, a buffer, and a head.
class FaultyModule final : public torch::nn::Module {
 public:
  FaultyModule(int64_t size, const Faults& faults) : faults_(faults) {
    matrix_ = register_parameter("matrix", at::randn({11, size}));
    register_parameter("again", matrix_);
    register_buffer("mean", at::zeros({3}));
    head_ = register_parameter("head", at::randn({size, faults.classes}));
  }
  at::Tensor forward(const at::Tensor& input) {
    const at::Tensor output = input.matmul(matrix_).matmul(head_);
    return faults_.is_nan ? output / 0 * 0 : output;
  }
  int64_t num_params() const {
    if (faults_.says_minus_one) {
      return -1;
    }
    return count_params(*this) + faults_.added + (faults_.counts_buffers ? 3 : 0) +
           (faults_.counts_tied_twice ? matrix_.numel() : 0);
  }

 private:
  Faults faults_;
  at::Tensor matrix_;
  at::Tensor head_;
};

class FaultyFamily final : public ModelFamily {
 public:
  explicit FaultyFamily(const Faults& faults) : faults_(faults) {}
  [[nodiscard]] std::unique_ptr<Model> create(int64_t size) const override {
    if (faults_.throws) {
      throw std::runtime_error("no such width");
    }
    return std::make_unique<detail::ModelAdapter<FaultyModule>>(
        std::make_shared<FaultyModule>(faults_.same_size ? 8 : size, faults_));
  }
  [[nodiscard]] std::optional<int64_t> num_params(int64_t size) const override {
    return (11 + faults_.classes) * (faults_.same_size ? 8 : size) +
           (faults_.static_is_wrong ? 1 : 0);
  }

 private:
  Faults faults_;
};

std::optional<ContractBreach> breach_of(const Faults& faults,
                                        std::vector<int64_t> sizes = {8, 16}) {
  const DatasetInfo data = test::data_for("mlp");
  return check_model_contract({{"faulty", std::make_shared<FaultyFamily>(faults)},
                               SizeSpec{"width", "", 4, 64, 4},
                               std::move(sizes),
                               test::make_dataset(data),
                               test::make_cross_entropy(),
                               data});
}

ContractBreach expect_breach(const Faults& faults) {
  const std::optional<ContractBreach> breach = breach_of(faults);
  EXPECT_TRUE(breach.has_value());
  return breach.value_or(ContractBreach{});
}

TEST(ModelContract, IsKeptByEveryNetworkOfTheTests) {
  for (const char* name : {"mlp", "cnn", "gpt", "upsampler", "lstm", "translator"}) {
    const DatasetInfo data = test::data_for(name);
    const auto family = test::make_family(name, data);
    EXPECT_FALSE(check_model_contract({family,
                                       std::nullopt,
                                       {16, 8},
                                       test::make_dataset(data),
                                       test::make_cross_entropy(),
                                       data}))
        << name;
    EXPECT_FALSE(check_model_contract({family, std::nullopt, {8, 16}, {}, {}, data}))
        << name << " without data";
  }
  EXPECT_FALSE(breach_of({}));
}

TEST(ModelContract, NamesTheSizeWhereCreateThrows) {
  try {
    static_cast<void>(breach_of({.throws = true}));
    FAIL() << "not noticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "plugin 'faulty' in create(8): no such width");
  }
}

TEST(ModelContract, NoticesACountThatIsNotPositive) {
  const ContractBreach breach = expect_breach({.says_minus_one = true});
  EXPECT_EQ(breach.code, "E_NUM_PARAMS_RANGE");
  EXPECT_THAT(breach.message,
              HasSubstr("num_params() returned -1 for create(8); it must be a positive "
                        "integer"));
}

TEST(ModelContract, NoticesACountThatIsNotTheSum) {
  const ContractBreach breach = expect_breach({.added = 64});
  EXPECT_EQ(breach.code, "E_NUM_PARAMS_SUM");
  EXPECT_THAT(breach.message,
              HasSubstr("returned 192 but parameters() sum to 128 (difference 64)"));
}

TEST(ModelContract, SaysWhenBuffersOrTiedWeightsWereCounted) {
  EXPECT_THAT(expect_breach({.counts_buffers = true}).message,
              AllOf(HasSubstr("returned 131"), HasSubstr("it counts buffers too")));
  EXPECT_THAT(expect_breach({.counts_tied_twice = true}).message,
              AllOf(HasSubstr("returned 216"), HasSubstr("counts tied weights twice")));
}

TEST(ModelContract, NoticesAForetoldCountThatIsWrong) {
  EXPECT_THAT(expect_breach({.static_is_wrong = true}).message,
              HasSubstr("num_params_of(8) returned 129, but create(8) has 128"));
}

TEST(ModelContract, NoticesThatNothingGrowsWithSize) {
  const ContractBreach breach = expect_breach({.same_size = true});
  EXPECT_EQ(breach.code, "E_NOT_MONOTONIC");
  EXPECT_THAT(breach.message,
              HasSubstr("create(8) has 128 parameters, create(16) has 128: num_params "
                        "must grow with size"));
}

TEST(ModelContract, ComparesASingleSizeWithAnother) {
  for (const int64_t size : {4, 16}) {
    const std::optional<ContractBreach> breach = breach_of({.same_size = true}, {size});
    ASSERT_TRUE(breach.has_value()) << size;
    EXPECT_EQ(breach->code, "E_NOT_MONOTONIC");
  }
}

TEST(ModelContract, NoticesAnOutputThatIsNotFinite) {
  const ContractBreach breach = expect_breach({.is_nan = true});
  EXPECT_EQ(breach.code, "E_FORWARD");
  EXPECT_THAT(breach.message, HasSubstr("is not finite with fresh weights"));
}

TEST(ModelContract, NoticesAnOutputThatDoesNotFitTheLoss) {
  const ContractBreach breach = expect_breach({.classes = 2});
  EXPECT_EQ(breach.code, "E_FORWARD");
  EXPECT_THAT(breach.message,
              AllOf(HasSubstr("does not fit the loss"),
                    HasSubstr("output Float [2, 2]"),
                    HasSubstr("target Long [2]")));
}

}  // namespace
}  // namespace sizewise::contract
