#include "boundary.hpp"

#include <filesystem>
#include <new>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

namespace sizewise {
namespace {

using ::testing::HasSubstr;

template <class Call>
Error fault_of(Call&& call) {
  try {
    with_errors_alone(call);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kTraining, "nothing was thrown"};
}

TEST(Boundary, LetsResultsAndErrorsPass) {
  EXPECT_EQ(with_errors_alone([] {
              return 7;
            }),
            7);
  const Error error = fault_of([] {
    throw Error(ErrorCode::kFit, "no fit", "do this");
  });
  EXPECT_EQ(error.code(), ErrorCode::kFit);
  EXPECT_EQ(error.suggestion(), "do this");
}

TEST(Boundary, TurnsTheMachinesFaultsIntoIo) {
  const Error missing = fault_of([] {
    static_cast<void>(std::filesystem::canonical("/nowhere/at/all"));
  });
  EXPECT_EQ(missing.code(), ErrorCode::kIo);
  EXPECT_THAT(missing.message(), HasSubstr("/nowhere/at/all: No such file"));
  EXPECT_EQ(fault_of([] {
              throw std::bad_alloc();
            }).code(),
            ErrorCode::kIo);
}

TEST(Boundary, TurnsTextThatIsNotUtf8IntoInput) {
  EXPECT_EQ(fault_of([] {
              static_cast<void>(nlohmann::json("caf\xe9").dump());
            }).code(),
            ErrorCode::kInput);
  EXPECT_TRUE(is_utf8("café"));
  EXPECT_FALSE(is_utf8("caf\xe9"));
}

TEST(Boundary, CallsTheRestOurFault) {
  EXPECT_EQ(fault_of([] {
              throw std::logic_error("a bug");
            }).code(),
            ErrorCode::kInternal);
  EXPECT_EQ(fault_of([] {
              static_cast<void>(nlohmann::json::parse("[1]").at("x"));
            }).code(),
            ErrorCode::kInternal);
  EXPECT_EQ(fault_of([] {
              throw 7;
            }).code(),
            ErrorCode::kInternal);
}

}  // namespace
}  // namespace sizewise
