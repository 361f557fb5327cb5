#include "repeated_data_law.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sizewise/error.hpp"

#include "chinchilla_search.hpp"
#include "identification.hpp"
#include "jet_fit.hpp"
#include "law_checks.hpp"
#include "number_text.hpp"
#include "positive_column.hpp"
#include "row_sample.hpp"

namespace sizewise::fits {
namespace {

constexpr double kLeastTerm = 1e-9;  // the law takes the logarithms of A and B

/// ln of the effective amount where so much stands beside a unique amount.
template <class T>
T log_effective(const T& log_amount, const T& log_unique, const T& decay) {
  using std::exp;
  using std::expm1;
  using std::log;
  const T one = constant<T>(1.0);
  const T repeats = exp(log_amount - log_unique) - one;
  return log_unique + log(one - decay * expm1(-repeats / decay));
}

bool is_usable(double value) {
  return std::isfinite(value) && value > 0.0;
}

/// ln U of each row that counts: at most the units that it was trained on; where a row
/// tells neither, its data are taken as fresh.
std::vector<double> log_unique_units(const FitInput& input) {
  const std::vector<std::size_t> rows = counted_rows(input);
  const bool has_unique = input.runs.has_numbers("unique_tokens");
  const bool has_epochs = input.runs.has_numbers("epochs");
  if (!has_unique && !has_epochs) {
    throw Error(ErrorCode::kInput,
                "the table has neither a column unique_tokens nor epochs: how often data "
                "were repeated is not known",
                "add one of them, or fit approach3, which takes all data as fresh");
  }
  std::vector<double> log_unique;
  for (const std::size_t row : rows) {
    const double tokens = checked_positive(input.runs.tokens()[row], "tokens", row);
    const double epochs = has_epochs ? input.runs.numbers("epochs")[row] : 1.0;
    double unique = has_unique ? input.runs.numbers("unique_tokens")[row] : 0.0;
    if (!is_usable(unique)) {
      unique = is_usable(epochs) ? tokens / std::max(epochs, 1.0) : tokens;
    }
    log_unique.push_back(std::log(std::min(unique, tokens)));
  }
  return log_unique;
}

}  // namespace

RepeatedDataLaw::RepeatedDataLaw(const LawRows& rows,
                                 std::vector<double> log_unique,
                                 const std::map<std::string, double>& fixed)
    : rows_(&rows), log_unique_(std::move(log_unique)) {
  const ChinchillaObjective base(rows, ResidualKind::kLog, 1.0);
  box_.lower.head<5>() = base.box().lower;
  box_.upper.head<5>() = base.box().upper;
  box_.lower[1] = box_.lower[2] = kLeastTerm;
  box_.lower.tail<2>().setConstant(std::log(1e-3));
  box_.upper.tail<2>().setConstant(std::log(1e6));
  const double unit = std::exp(-rows.loss.origin);
  for (const auto& [key, value] : fixed) {
    const auto* const found = std::find(kKeys.begin(), kKeys.end(), key);
    const bool is_allowed = key == "E" ? value >= 0.0 : value > 0.0;
    if (found == kKeys.end() || !is_allowed || !std::isfinite(value)) {
      throw Error(
          ErrorCode::kConfiguration,
          "the law of repeated data cannot hold '" + key + "' at " + number_text(value),
          "hold one of E, A, B, alpha, beta, R_D, R_N at a value above 0");
    }
    const auto place = found - kKeys.begin();
    if (place == 1 || place == 2) {
      is_held_[static_cast<std::size_t>(place - 1)] = true;
      log_held_[static_cast<std::size_t>(place - 1)] = std::log(value * unit);
      box_.upper[place] = box_.lower[place];
      continue;
    }
    const double scale = place == 3   ? rows.params.scale
                         : place == 4 ? rows.tokens.scale
                                      : 1.0;
    box_.lower[place] = box_.upper[place] =
        place == 0 ? value * unit : std::log(value * scale);
  }
}

RepeatedDataLaw RepeatedDataLaw::on(const LawRows& rows,
                                    std::vector<double> log_unique) const {
  RepeatedDataLaw other = *this;
  other.rows_ = &rows;
  other.log_unique_ = std::move(log_unique);
  return other;
}

template <class T>
RepeatedDataLaw::Terms<T> RepeatedDataLaw::terms(const T* p, std::size_t row) const {
  using std::exp;
  using std::log;
  const Axis& size = rows_->params;
  const Axis& data = rows_->tokens;
  const auto c = [](double number) {
    return constant<T>(number);
  };
  const T alpha = exp(p[3]) / c(size.scale);
  const T beta = exp(p[4]) / c(data.scale);
  const T log_a = is_held_[0] ? c(log_held_[0]) : log(p[1]) + alpha * c(size.origin);
  const T log_b = is_held_[1] ? c(log_held_[1]) : log(p[2]) + beta * c(data.origin);
  const T log_n = c(size.origin + size.scale * rows_->x[row]);
  const T log_d = c(data.origin + data.scale * rows_->y[row]);
  const T log_u = c(log_unique_[row]);
  T log_unique_n = (log(alpha) + log_a - log(beta) - log_b + beta * log_u) / alpha;
  // Sizes e^30 times what the data call for say no more than larger ones.
  const T least = log_n - c(30.0);
  log_unique_n = log_unique_n > log_n ? log_n : log_unique_n;
  log_unique_n = log_unique_n < least ? least : log_unique_n;
  return {alpha,
          beta,
          log_a,
          log_b,
          log_effective<T>(log_n, log_unique_n, exp(p[6])),
          log_effective<T>(log_d, log_u, exp(p[5]))};
}

template <class T>
T RepeatedDataLaw::residual(const T* p, std::size_t row) const {
  using std::exp;
  using std::log;
  const Terms<T> t = terms(p, row);
  const T predicted =
      p[0] + exp(t.log_a - t.alpha * t.log_params) + exp(t.log_b - t.beta * t.log_tokens);
  return log(predicted) - constant<T>(rows_->z[row]);
}

LawRows RepeatedDataLaw::effective_rows(const Point& point) const {
  LawRows effective = *rows_;
  for (std::size_t row = 0; row < effective.size(); ++row) {
    const Terms<double> t = terms(point.data(), row);
    effective.x[row] = (t.log_params - rows_->params.origin) / rows_->params.scale;
    effective.y[row] = (t.log_tokens - rows_->tokens.origin) / rows_->tokens.scale;
  }
  return effective;
}

Law RepeatedDataLaw::law(const Point& point) const {
  Law law = law_of_point(point.head<5>(), *rows_);
  law.form = "data_constrained";
  const double unit = std::exp(rows_->loss.origin);
  for (std::size_t i = 0; i < 2; ++i) {
    if (is_held_[i]) {
      law.values[i == 0 ? "A" : "B"] = unit * std::exp(log_held_[i]);
    }
  }
  law.values["R_D"] = std::exp(point[5]);
  law.values["R_N"] = std::exp(point[6]);
  return law;
}

RepeatedDataLaw::Point RepeatedDataLaw::point_of(const Law& law) const {
  Point point;
  point << fits::point_of_law(law, *rows_), std::log(law.value("R_D")),
      std::log(law.value("R_N"));
  return point;
}

Eigen::Matrix<double, 7, 7> RepeatedDataLaw::table_units(const Point& point) const {
  Eigen::Matrix<double, 7, 7> units = Eigen::Matrix<double, 7, 7>::Zero();
  units.topLeftCorner<5, 5>() = law_units(point.head<5>(), *rows_, is_held_);
  units(5, 5) = std::exp(point[5]);
  units(6, 6) = std::exp(point[6]);
  return units;
}

std::vector<int> RepeatedDataLaw::free_coordinates(const Point& point) const {
  std::vector<int> free;
  for (int i = 0; i < 7; ++i) {
    const int term = i >= 3 && i < 5 ? i - 2 : i;
    const bool is_absent = term < 3 && is_negligible_term(point.head<5>(), term) &&
                           (term == 0 || !is_held_[static_cast<std::size_t>(term - 1)]);
    if (box_.lower[i] < box_.upper[i] && !is_absent) {
      free.push_back(i);
    }
  }
  return free;
}

std::vector<double> RepeatedDataLaw::deviations(double noise) const {
  std::vector<double> all(rows_->size(), noise);
  return all;
}

namespace {

/// The rows as a law of fresh data sees them if repeats decay so.
LawRows with_effective_data(const LawRows& rows,
                            const std::vector<double>& log_unique,
                            double decay) {
  LawRows effective = rows;
  const Axis& axis = rows.tokens;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const double log_tokens = axis.origin + axis.scale * rows.y[row];
    effective.y[row] =
        (log_effective(log_tokens, log_unique[row], decay) - axis.origin) / axis.scale;
  }
  return effective;
}

/// For each of some R_D the law of fresh data that fits best, with each of some R_N.
std::vector<RepeatedDataLaw::Point> starts_of(
    const LawRows& rows,
    const std::vector<double>& log_unique,
    const RobustSettings& settings,
    const std::map<std::string, double>& fixed) {
  std::map<std::string, double> fixed_base = fixed;
  fixed_base.erase("R_D");
  fixed_base.erase("R_N");
  std::vector<RepeatedDataLaw::Point> starts;
  for (const double of_data : {1.0, 6.0, 36.0}) {
    const LawRows effective = with_effective_data(rows, log_unique, of_data);
    const ChinchillaObjective base(effective,
                                   ResidualKind::kLog,
                                   settings.working_delta(),
                                   HeldValues(fixed_base, effective));
    const LawPoint law = find_minimum(base).best.point;
    for (const double of_size : {1.0, 6.0, 36.0}) {
      RepeatedDataLaw::Point start;
      start << law, std::log(of_data), std::log(of_size);
      starts.push_back(start);
    }
  }
  return starts;
}

void judge_repeated_data(const LawRows& rows,
                         const std::vector<double>& log_unique,
                         FitResult& result) {
  judge_terms(point_of_law(result.law, rows), result);
  constexpr double kRepeated = 1e-6;
  bool is_repeated = false;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const double log_d = rows.tokens.origin + rows.tokens.scale * rows.y[row];
    is_repeated = is_repeated || log_d > log_unique[row] + kRepeated;
  }
  if (!is_repeated) {
    refuse_identification(result,
                          "no_repetition",
                          "no row repeats its data: R_D cannot be seen; add runs of "
                          "several epochs, or fit approach3");
  }
}

Search<7> find_repeated(const FitInput& input,
                        const RobustSettings& settings,
                        const RepeatedDataLaw& law,
                        const LawRows& rows,
                        const std::vector<double>& log_unique) {
  const bool is_warm = input.warm_start != nullptr &&
                       input.warm_start->law.form == "data_constrained" &&
                       law.point_of(input.warm_start->law).allFinite();
  if (is_warm) {
    return search_jet_law<7>(law, law, settings, {law.point_of(input.warm_start->law)});
  }
  const auto places =
      sampled_places({rows.x, rows.y, rows.z, rows.weight, log_unique}, kSearchRows);
  const LawRows few = rows_at(rows, places);
  const std::vector<double> few_unique = values_at(log_unique, places);
  return search_jet_law<7>(law,
                           law.on(few, few_unique),
                           settings,
                           starts_of(few, few_unique, settings, input.fixed));
}

}  // namespace

FitResult fit_repeated_data_law(const FitInput& input, const RobustSettings& settings) {
  const LawRows rows = law_rows(input);
  const std::vector<double> log_unique = log_unique_units(input);
  const RepeatedDataLaw law(rows, log_unique, input.fixed);
  JetFit<7> fit = fit_jet_law<7>(
      input, settings, law, find_repeated(input, settings, law, rows, log_unique));
  FitResult& result = fit.result;
  judge_row_count(rows, RepeatedDataLaw::kKeys.size(), result);
  if (fit.has_minimum) {
    const double alpha = result.law.value("alpha");
    const double beta = result.law.value("beta");
    result.a = beta / (alpha + beta);
    result.b = alpha / (alpha + beta);
    judge_repeated_data(rows, log_unique, result);
    if (input.warm_start == nullptr && input.fixed.empty()) {
      const LawRows effective = law.effective_rows(fit.minimum.point);
      const ChinchillaObjective objective(
          effective, ResidualKind::kLog, settings.working_delta());
      judge_lack_of_fit(objective, fit.minimum.point.head<5>(), input.noise, result);
    }
  }
  return result;
}

}  // namespace sizewise::fits
