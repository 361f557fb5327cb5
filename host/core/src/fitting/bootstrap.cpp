#include "fitting/bootstrap.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "fitting/resampling.hpp"
#include "fitting/residuals.hpp"
#include "fitting/statistics.hpp"
#include "fitting/table_edit.hpp"

namespace sizewise::fitting {
namespace {

/// Runs work(0) to work(count - 1) on some threads; throws what the first failing one
/// threw.
template <class Work>
void in_parallel(int count, int threads, const Work& work) {
  std::atomic<int> next = 0;
  std::exception_ptr fault;
  std::mutex fault_mutex;
  const auto loop = [&] {
    try {
      for (int i = next++; i < count; i = next++) {
        work(i);
      }
    } catch (...) {
      const std::lock_guard lock(fault_mutex);
      fault = fault ? fault : std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int i = 1; i < std::min(threads, count); ++i) {
      helpers.emplace_back(loop);
    }
    loop();
  }
  if (fault) {
    std::rethrow_exception(fault);
  }
}

/// How one replicate's rows come about.
class Source {
 public:
  Source(const FitJob& job, const FitResult& best)
      : job_(job), best_(best), clusters_(clusters_of(job.used)) {
    if (job.request.noise > 0.0) {
      centre_ = predicted_losses(best.law, job.used);
    }
  }

  [[nodiscard]] std::string unit() const {
    return centre_.empty() ? clusters_.unit : "noise";
  }

  [[nodiscard]] std::optional<FitResult> refit(uint64_t replicate) const {
    std::mt19937_64 random = random_of(job_.request.seed, replicate);
    if (centre_.empty()) {
      const std::vector<double> weights = resample(clusters_, job_.used.rows(), random);
      return job_.try_run({job_.used, weights, &best_});
    }
    const RunTable noisy = with_numbers(
        job_.used, "loss", with_noise(clusters_, centre_, job_.request.noise, random));
    return job_.try_run({noisy, {}, &best_});
  }

 private:
  const FitJob& job_;
  const FitResult& best_;
  Clusters clusters_;
  std::vector<double> centre_;
};

std::string draw_name(std::string_view what, std::size_t question) {
  return fmt::format("{} {}", what, question);
}

/// A law's answer to one question.
struct Answer {
  Training training;
  std::optional<Parameters> served;  ///< N of the model that also serves at least cost
};

/// What one replicate found.
struct Replicate {
  std::optional<FitResult> result;
  std::vector<Answer> answers;  ///< one a question that its form can answer
};

std::vector<Answer> answers_of(const Asked& asked,
                               const CostModel& cost_model,
                               const Law& law) {
  std::vector<Answer> answers;
  for (const Question& question : asked.questions) {
    if (can_answer(law, question.kind)) {
      answers.push_back({answer(question, law, cost_model, asked.limits), std::nullopt});
      if (asked.served) {
        answers.back().served =
            serving_of(question, law, cost_model, asked).training.params;
      }
    }
  }
  return answers;
}

Replicate replicate_of(const FitJob& job, std::optional<FitResult> result) {
  Replicate replicate{std::move(result), {}};
  if (replicate.result) {
    replicate.answers =
        answers_of(job.request.asked, job.cost_model, replicate.result->law);
  }
  return replicate;
}

void put(const std::string& name,
         double value,
         std::size_t place,
         BootstrapReport& report) {
  std::vector<double>& draws = report.draws[name];
  draws.resize(static_cast<std::size_t>(report.replicates), FitResult::kUnknown);
  draws[place] = value;
}

void put_answers(const std::vector<Answer>& answers,
                 std::size_t place,
                 BootstrapReport& report) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Training& training = answers[i].training;
    put(draw_name("budget", i), training.budget.value(), place, report);
    put(draw_name("params", i), training.params.value(), place, report);
    put(draw_name("tokens", i), training.tokens.value(), place, report);
    put(draw_name("loss", i), training.loss.value(), place, report);
    if (const std::optional<Parameters>& served = answers[i].served) {
      put(draw_name("served", i), served->value(), place, report);
    }
  }
}

/// Adds one replicate's numbers, by name.
void collect(const FitResult& result,
             const std::vector<Answer>& answers,
             std::size_t place,
             BootstrapReport& report) {
  for (const auto& [name, value] : result.law.values) {
    put(name, value, place, report);
  }
  put("a", result.a, place, report);
  put("b", result.b, place, report);
  put_answers(answers, place, report);
  report.not_identified += result.status == FitStatus::kIdentified ? 0 : 1;
  std::set<std::string> codes;
  for (const Reason& reason : result.reasons) {
    codes.insert(reason.code);
  }
  for (const std::string& code : codes) {
    ++report.reasons[code];
  }
}

double estimate_of(const FitResult& best, const std::string& name) {
  const auto value = best.law.values.find(name);
  if (value != best.law.values.end()) {
    return value->second;
  }
  return name == "a" ? best.a : name == "b" ? best.b : FitResult::kUnknown;
}

bool any_number(const std::vector<double>& numbers) {
  return std::any_of(numbers.begin(), numbers.end(), [](double number) {
    return !std::isnan(number);
  });
}

}  // namespace

BootstrapReport bootstrap_fit(const FitJob& job, const FitResult& best, int count) {
  const Source source(job, best);
  BootstrapReport report;
  report.replicates = count;
  report.level = job.request.level;
  report.unit = source.unit();
  std::vector<Replicate> replicates(static_cast<std::size_t>(report.replicates));
  in_parallel(report.replicates, job.request.threads, [&](int i) {
    const auto place = static_cast<std::size_t>(i);
    replicates[place] = replicate_of(job, source.refit(place));
  });
  for (std::size_t i = 0; i < replicates.size(); ++i) {
    const std::optional<FitResult>& result = replicates[i].result;
    if (result) {
      collect(*result, replicates[i].answers, i, report);
    } else {
      ++report.failed;
    }
  }
  for (const auto& [name, draws] : report.draws) {
    if (!is_of_optimum(name) && any_number(draws)) {
      report.standard_error[name] = standard_deviation(draws);
      report.interval[name] =
          bias_corrected_interval(draws, estimate_of(best, name), report.level);
    }
  }
  return report;
}

namespace {

/// The law of one replicate; none where the fit gave none.
std::optional<Law> drawn_law(const BootstrapReport& bootstrap,
                             const Law& like,
                             std::size_t place) {
  Law law = like;
  for (auto& [name, value] : law.values) {
    const auto draws = bootstrap.draws.find(name);
    if (draws == bootstrap.draws.end() || place >= draws->second.size() ||
        std::isnan(draws->second[place])) {
      return std::nullopt;
    }
    value = draws->second[place];
  }
  return law;
}

}  // namespace

std::vector<Law> drawn_laws(const BootstrapReport& bootstrap, const Law& like) {
  std::vector<Law> laws;
  for (std::size_t i = 0; i < static_cast<std::size_t>(bootstrap.replicates); ++i) {
    if (auto law = drawn_law(bootstrap, like, i)) {
      laws.push_back(*std::move(law));
    }
  }
  return laws;
}

void answer_draws(const Asked& asked,
                  const CostModel& cost_model,
                  const Law& like,
                  BootstrapReport& bootstrap) {
  std::erase_if(bootstrap.draws, [](const auto& entry) {
    return is_of_optimum(entry.first);
  });
  for (std::size_t i = 0; i < static_cast<std::size_t>(bootstrap.replicates); ++i) {
    if (const auto law = drawn_law(bootstrap, like, i)) {
      put_answers(answers_of(asked, cost_model, *law), i, bootstrap);
    }
  }
}

void give_intervals(const BootstrapReport& bootstrap, std::vector<Optimum>& optima) {
  for (std::size_t i = 0; i < optima.size(); ++i) {
    Optimum& optimum = optima[i];
    const auto interval_of = [&](std::string_view what, double estimate) {
      const auto draws = bootstrap.draws.find(draw_name(what, i));
      return draws == bootstrap.draws.end() || !any_number(draws->second)
                 ? std::nullopt
                 : std::optional(
                       bias_corrected_interval(draws->second, estimate, bootstrap.level));
    };
    for_each_interval(
        optimum, [&](const char* name, auto member, std::optional<Interval>& interval) {
          if (const auto found = interval_of(name, (optimum.*member).value())) {
            interval = found;
            optimum.interval_source = "bootstrap";
          }
        });
    if (optimum.serving) {
      if (const auto found =
              interval_of("served", optimum.serving->training.params.value())) {
        optimum.serving_params_interval = found;
      }
    }
  }
}

}  // namespace sizewise::fitting
