#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <set>
#include <utility>

#include "sizewise/options.hpp"

namespace sizewise {
namespace {

/// Words that mean the same in a name: edit distance misses count_parameters for
/// num_params.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kSynonyms = {
    {{"count", "number"},
     {"num", "number"},
     {"n", "number"},
     {"total", "number"},
     {"params", "parameters"},
     {"param", "parameters"},
     {"parameter", "parameters"},
     {"weights", "parameters"},
     {"lr", "rate"},
     {"make", "create"},
     {"build", "create"},
     {"dir", "path"},
     {"folder", "path"}}};

std::set<std::string> meanings(std::string_view name) {
  std::set<std::string> words;
  std::string word;
  const auto flush = [&] {
    if (word.empty()) {
      return;
    }
    for (const auto& [from, to] : kSynonyms) {
      if (word == from) {
        word = to;
        break;
      }
    }
    if (word != "of" && word != "get") {
      words.insert(word);
    }
    word.clear();
  };
  for (const char letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    } else {
      flush();
    }
  }
  flush();
  return words;
}

/// Insertions, deletions, replacements and swaps of neighbours, a letter each.
/// Source: optimal string alignment, Damerau 1964 and Levenshtein 1966.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last.back();
}

}  // namespace

std::string nearest_word(std::string_view word,
                         const std::vector<std::string>& candidates) {
  const auto words = meanings(word);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = !words.empty() && meanings(candidate) == words
                                     ? 0
                                     : edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace sizewise
