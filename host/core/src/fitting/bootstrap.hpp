#pragma once

#include "fitting/fit_job.hpp"

namespace sizewise::fitting {

/// Refits resamples of the rows, drawn with replacement: single rows, or whole runs where
/// a run_id repeats. Where a noise level is given, the losses that `best` predicts with
/// new noise instead, one draw a run (the observed losses where it predicts none). The
/// same seed gives the same replicates however many threads work.
/// Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 6, 8, 9
/// and 13.
[[nodiscard]] BootstrapReport bootstrap_fit(const FitJob& job,
                                            const FitResult& best,
                                            int replicates);

/// The law of every replicate that gave one: `like` with the numbers drawn.
[[nodiscard]] std::vector<Law> drawn_laws(const BootstrapReport& bootstrap,
                                          const Law& like);

/// Answers the questions with every replicate's law, in place of the answers drawn
/// before.
void answer_draws(const Asked& asked,
                  const CostModel& cost_model,
                  const Law& like,
                  BootstrapReport& bootstrap);

/// Moves the intervals of the questions' answers into the optima.
void give_intervals(const BootstrapReport& bootstrap, std::vector<Optimum>& optima);

}  // namespace sizewise::fitting
