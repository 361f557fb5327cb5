#pragma once

#include <string>
#include <utility>

#include "quantizing/coverage_rows.hpp"

// What the sources with the rows of the coverage table have alike.
namespace sizewise::quantizing::test {

/// A subject whose forward is its own.
template <class Holder>
Subject subject(Holder holder, at::Tensor input) {
  return {holder.ptr(),
          [holder](const at::Tensor& x) mutable {
            return holder->forward(x);
          },
          std::move(input)};
}

template <class Holder, class Use>
Subject subject(const Holder& holder, at::Tensor input, const Use& use) {
  return {holder.ptr(),
          [holder = Holder(holder), use](const at::Tensor& x) mutable {
            return use(holder, x);
          },
          std::move(input)};
}

/// A row; `make` gives its subject.
template <class Make>
Row row(const std::string& name,
        Verdict verdict,
        const Make& make,
        std::string message = {}) {
  return {name, verdict, make, std::move(message)};
}

/// Appends rows to others.
inline void append(std::vector<Row>& rows, std::vector<Row> more) {
  rows.insert(rows.end(), more.begin(), more.end());
}

/// The rows of LibTorch's layers.
[[nodiscard]] std::vector<Row> layer_rows();

/// The rows of what people's own modules do with a weight.
[[nodiscard]] std::vector<Row> use_rows();

}  // namespace sizewise::quantizing::test
