#include "identification.hpp"

#include <array>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "number_text.hpp"
#include "robust_columns.hpp"

namespace sizewise::fits {
namespace {

/// A falling term of the law, in words.
struct TermWords {
  const char* amount;
  const char* exponent;
  const char* column;
};
constexpr std::array<TermWords, 2> kTerms = {TermWords{"A", "alpha", "params"},
                                             TermWords{"B", "beta", "tokens"}};

void judge_exponent(FitResult& result, const TermWords& term) {
  const double exponent = result.law.value(term.exponent);
  if (exponent > 0.0 && exponent < 1.0) {
    return;
  }
  refuse_identification(
      result,
      "exponent_out_of_range",
      std::string(term.exponent) + " is " + number_text(exponent) +
          "; a law's lies between 0 and 1: the rows do not show how the loss falls "
          "with " +
          term.column + "; add rows over a wider range of " + term.column +
          ", or leave out rows that were not trained like the others (--where)");
}

void judge_term(FitResult& result, const LawPoint& point, int place) {
  const TermWords& term = kTerms[static_cast<std::size_t>(place - 1)];
  if (is_negligible_term(point, place)) {
    refuse_identification(
        result,
        "no_effect",
        std::string("the fit has no use for ") + term.amount + "/" + term.column + "^" +
            term.exponent + ": in these rows the loss does not fall with " + term.column +
            "; add rows that differ more in " + term.column);
  } else {
    judge_exponent(result, term);
  }
}

}  // namespace

bool is_negligible_term(const LawPoint& point, int term) {
  constexpr double kLeastShare = 1e-6;
  return !(point[term] > kLeastShare);
}

std::vector<int> free_coordinates(const ChinchillaObjective& objective,
                                  const LawPoint& point) {
  std::vector<int> free;
  for (int i = 0; i < 5; ++i) {
    if (!objective.held().holds(i) && !is_negligible_term(point, i >= 3 ? i - 2 : i)) {
      free.push_back(i);
    }
  }
  return free;
}

Eigen::Matrix<double, 5, 5> jacobian_products(const ChinchillaObjective& objective,
                                              const LawPoint& point) {
  RobustColumns<5> columns(objective.weights());
  objective.linearize(point, nullptr, columns);
  return robust_sums(columns, columns.residual, std::numeric_limits<double>::infinity())
      .hessian;
}

double jacobian_condition(const ChinchillaObjective& objective, const LawPoint& point) {
  const std::vector<int> free = free_coordinates(objective, point);
  Eigen::Matrix<double, 5, 5> to_middle = Eigen::Matrix<double, 5, 5>::Identity();
  for (int term : {1, 2}) {
    if (!objective.held().holds(term)) {
      to_middle(term, term + 2) = 0.5 * std::exp(point[term + 2]) * point[term];
    }
  }
  const Eigen::MatrixXd products =
      (to_middle.transpose() * jacobian_products(objective, point) * to_middle)(free,
                                                                                free);
  return condition_number(products);
}

bool judge_row_count(const LawRows& rows, std::size_t parameters, FitResult& result) {
  std::set<std::pair<double, double>> pairs;
  for (std::size_t row = 0; row < rows.size() && pairs.size() <= parameters; ++row) {
    pairs.emplace(rows.x[row], rows.y[row]);
  }
  if (pairs.size() > parameters) {
    return false;
  }
  refuse_identification(result,
                        "few_rows",
                        "the rows hold " + std::to_string(pairs.size()) +
                            " different pairs of params and tokens; a law of " +
                            std::to_string(parameters) + " parameters needs at least " +
                            std::to_string(parameters + 1) +
                            ": train more sizes and budgets");
  return true;
}

void judge_terms(const LawPoint& point, FitResult& result) {
  judge_term(result, point, 1);
  judge_term(result, point, 2);
}

void judge_parametric_law(const ChinchillaObjective& objective,
                          const LawPoint& point,
                          FitResult& result) {
  result.status = FitStatus::kIdentified;
  if (!point.allFinite()) {
    refuse_identification(result,
                          "no_minimum",
                          "the search found no minimum of finite value; look for rows "
                          "whose loss is out of all proportion");
    return;
  }
  judge_terms(point, result);
  judge_condition(jacobian_condition(objective, point), result);
}

}  // namespace sizewise::fits
