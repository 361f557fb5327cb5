#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

namespace sizewise::quantizing::test {

/// What becomes of a use of weights that are sites.
enum class Verdict {
  kKernel,    ///< every use reaches the kernel
  kPartly,    ///< some do, others get the numbers
  kFallback,  ///< all get the numbers
  kThrows,
};

using Forward = std::function<at::Tensor(const at::Tensor&)>;

/// A module and what runs it.
struct Subject {
  std::shared_ptr<torch::nn::Module> module;
  Forward forward;
  at::Tensor input;
};

/// A way to use weights, and what becomes of it.
struct Row {
  std::string name;
  Verdict verdict = Verdict::kKernel;
  std::function<Subject()> make;
  std::string message;  ///< a part of what is thrown

  // NOLINTNEXTLINE(readability-identifier-naming): the name that GoogleTest looks for
  friend void PrintTo(const Row& row, std::ostream* stream) { *stream << row.name; }
};

/// The ways in which modules use their weights, and what a site makes of each
/// (docs/decisions/0072).
[[nodiscard]] std::vector<Row> coverage_rows();

}  // namespace sizewise::quantizing::test
