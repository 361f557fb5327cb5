#include "reporting/fit_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::AllOf;
using testing::fit_table;
using ::testing::HasSubstr;
using testing::request;
using testing::table;

TEST(FitText, FitsEightyColumns) {
  FitRequest asked = request();
  asked.bootstrap = 20;
  asked.asked.questions = budget_questions({Flops(1e18), Flops(1.2345e21)});
  const std::string text = reporting::fit_text(fit_table(table(), asked));
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 80U) << text.substr(begin, end - begin);
  }
  EXPECT_THAT(text, AllOf(HasSubstr("Status: identified"), HasSubstr("1.2345e+21")));
}

}  // namespace
}  // namespace sizewise::fitting
