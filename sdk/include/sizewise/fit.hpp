#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/plugin.hpp"
#include "sizewise/runs.hpp"
#include "sizewise/units.hpp"

namespace sizewise {

/// A law with its parameters. The forms, and the keys of `values`:
///  - "chinchilla": loss = E + A/N^alpha + B/D^beta; keys E A B alpha beta.
///    Source: Hoffmann et al. 2022 (arXiv 2203.15556), equation 2.
///  - "allocation": N* = params.coefficient C^params.exponent, and the same for tokens.
///    Source: the same, section 3.2.
///  - "kaplan": loss = ((Nc/N)^(aN/aD) + Dc/D)^aD; keys Nc Dc aN aD.
///    Source: Kaplan et al. 2020 (arXiv 2001.08361), equation 1.5.
///  - "power": y = y_inf + k x^-a; keys y_inf k a (texts x, y name the columns).
///  - "data_constrained": chinchilla's keys and R_D R_N.
///    Source: Muennighoff et al. 2023 (arXiv 2305.16264), equations 4 to 6.
struct Law {
  std::string form;
  std::map<std::string, double> values;
  std::map<std::string, std::string> texts;

  /// @throws Error kFit where the form has no such key
  [[nodiscard]] double value(std::string_view key) const;
};

/// Loss that a law predicts, in nats per unit; NaN for a form that predicts none
/// (allocation).
[[nodiscard]] Nats predicted_loss(const Law& law, Parameters params, Units tokens);

/// Why something is so, for programs (`code`, such as "few_budgets") and people
/// (`message`).
struct Reason {
  std::string code;
  std::string message;
};

/// Whether the data determine the law.
enum class FitStatus { kNotRun, kIdentified, kNotIdentified };

/// What a fit found. Numbers that were not computed are NaN.
struct FitResult {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  FitStatus status = FitStatus::kNotRun;
  std::vector<Reason> reasons;  ///< why not identified; empty otherwise
  Law law;
  double objective =
      kUnknown;  ///< minimum reached: summed over rows unless an option says
  int starts_tried = 0;
  int starts_within_tenth_percent = 0;  ///< how many ended within 0.1 % of the objective
  double a = kUnknown;                  ///< N* ~ C^a
  double b = kUnknown;                  ///< D* ~ C^b
  /// Covariance of the law's free values, row by row in the order of `parameters` (keys
  /// of law.values); empty where it was not computed or does not exist.
  std::vector<std::string> parameters;
  std::vector<double> covariance;
  /// What 2 (objective - least objective) is divided by to be compared with a chi-squared
  /// variable of one degree of freedom. Source: Heritier and Ronchetti 1994, "Robust
  /// bounded-influence tests in general parametric models", section 3.
  double dispersion = kUnknown;
  std::vector<std::string> warnings;
};

/// What a fit is given.
struct FitInput {
  const RunTable& runs;
  /// How often each row counts (a bootstrap's multiplicities); empty: once each.
  std::span<const double> weights;
  /// The fit of all rows, when this one refits a resample: start there, skip the global
  /// search.
  const FitResult* warm_start = nullptr;
  /// Values of the law that are held where they are, by key: what a profile likelihood
  /// asks. A fit that cannot hold one refuses it.
  std::map<std::string, double> fixed = {};
  /// Standard deviation of ln loss over seeds, where it is known; NaN: estimated from the
  /// residuals.
  double noise = std::numeric_limits<double>::quiet_NaN();
};

/// A fit plugin: a table in, a law out. Links no LibTorch.
class Fit {
 public:
  static constexpr std::string_view kInterfaceName = "sizewise.fit/1";
  virtual ~Fit();

  /// Fits the law. Data that cannot identify it give a result with that status and its
  /// reasons. Must be deterministic. [after create, any thread: the host bootstraps in
  /// parallel]
  /// @throws Error kInput where a column is missing or holds a value that no fit can use;
  /// kConfiguration where `fixed` names a value that this fit cannot hold
  [[nodiscard]] virtual FitResult fit(const FitInput& input) const = 0;
};

}  // namespace sizewise

/// Exports a class that derives from sizewise::Fit and is made from (const Options&) or
/// ().
#define SIZEWISE_FIT(Class)                                                            \
  static_assert(std::derived_from<Class, ::sizewise::Fit>,                             \
                #Class " must derive publicly from sizewise::Fit");                    \
  static_assert(::sizewise::detail::kIsPluginConstructible<Class>,                     \
                #Class " needs a public constructor from (const sizewise::Options&)"); \
  SIZEWISE_EXPORT_PLUGIN(::sizewise::Fit, Class, SIZEWISE_KIND_FIT)
