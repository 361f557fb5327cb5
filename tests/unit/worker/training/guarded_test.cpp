#include "training/guarded.hpp"

#include <new>
#include <stdexcept>

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::training {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

template <class Call>
Error caught(Call&& call) {
  try {
    guarded("mlp", "create(8)", call);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

TEST(Guarded, NamesThePluginForAnyException) {
  const Error error = caught([] {
    throw std::runtime_error("no width");
  });
  EXPECT_EQ(error.code(), ErrorCode::kPlugin);
  EXPECT_EQ(error.message(), "plugin 'mlp' in create(8): no width");
  EXPECT_EQ(caught([] {
              throw 7;
            }).code(),
            ErrorCode::kPlugin);
}

TEST(Guarded, KeepsTheCodeAndSuggestionOfAnError) {
  const Error error = caught([] {
    throw Error(ErrorCode::kConfiguration, "width 8", "use 16");
  });
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_EQ(error.message(), "plugin 'mlp' in create(8): width 8");
  EXPECT_EQ(error.suggestion(), "use 16");
}

TEST(Guarded, DoesNotNameAPluginTwice) {
  const Error error = caught([] {
    guarded("loss", [] {
      throw std::runtime_error("shapes differ");
    });
  });
  EXPECT_EQ(error.message(), "plugin 'loss': shapes differ");
}

TEST(Guarded, DropsTheBacktraceOfLibTorch) {
  const Error error = caught([] {
    TORCH_CHECK(false, "shape mismatch");
  });
  EXPECT_EQ(error.code(), ErrorCode::kPlugin);
  EXPECT_THAT(error.message(), HasSubstr("shape mismatch"));
  EXPECT_THAT(error.message(), Not(HasSubstr("Exception raised from")));
  EXPECT_THAT(error.message(), Not(HasSubstr("frame #")));
}

TEST(Guarded, TellsWhatToDoWhenMemoryRunsOut) {
  const Error error = caught([] {
    throw std::bad_alloc();
  });
  EXPECT_EQ(error.code(), ErrorCode::kTraining);
  EXPECT_THAT(error.suggestion(), HasSubstr("smaller size"));
  const Error allocator = caught([] {
    TORCH_CHECK(false, "DefaultCPUAllocator: can't allocate memory: you tried");
  });
  EXPECT_EQ(allocator.code(), ErrorCode::kTraining);
}

template <class Call>
Error in_flight(Call&& call) {
  try {
    call();
  } catch (...) {
    return error_in_flight();
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

TEST(ErrorInFlight, IsAboutMemoryWhereMemoryRanOut) {
  const Error allocator = in_flight([] {
    TORCH_CHECK(false, "DefaultCPUAllocator: can't allocate memory: you tried");
  });
  EXPECT_EQ(allocator.code(), ErrorCode::kTraining);
  EXPECT_THAT(allocator.suggestion(), HasSubstr("smaller size"));
  EXPECT_THAT(allocator.message(), Not(HasSubstr("Exception raised from")));
  EXPECT_EQ(in_flight([] {
              throw std::bad_alloc();
            }).code(),
            ErrorCode::kTraining);
}

TEST(ErrorInFlight, KeepsAnErrorAndCallsAllElseInternal) {
  const Error kept = in_flight([] {
    throw Error(ErrorCode::kInput, "no file", "give one");
  });
  EXPECT_EQ(kept.code(), ErrorCode::kInput);
  EXPECT_EQ(kept.suggestion(), "give one");
  EXPECT_EQ(in_flight([] {
              throw std::runtime_error("odd");
            }).code(),
            ErrorCode::kInternal);
}

TEST(Guarded, ReturnsWhatTheCallReturns) {
  EXPECT_EQ(guarded("mlp",
                    [] {
                      return 3;
                    }),
            3);
}

}  // namespace
}  // namespace sizewise::training
