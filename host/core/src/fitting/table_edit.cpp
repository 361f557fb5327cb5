#include "fitting/table_edit.hpp"

#include <string>
#include <utility>

namespace sizewise::fitting {

RunTable with_numbers(const RunTable& runs,
                      std::string_view column,
                      std::vector<double> values) {
  RunTable edited;
  for (const std::string& name : runs.columns()) {
    if (name == column) {
      continue;
    }
    if (runs.has_numbers(name)) {
      const auto numbers = runs.numbers(name);
      edited.add_numbers(name, {numbers.begin(), numbers.end()});
    } else {
      const auto texts = runs.texts(name);
      edited.add_texts(name, {texts.begin(), texts.end()});
    }
  }
  edited.add_numbers(std::string(column), std::move(values));
  return edited;
}

}  // namespace sizewise::fitting
