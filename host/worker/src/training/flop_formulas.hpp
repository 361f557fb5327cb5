#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <ATen/core/ivalue.h>
#include <c10/util/ArrayRef.h>

namespace sizewise::training {

/// The arguments of an operator, in the order of its schema.
using OperatorArguments = c10::ArrayRef<const c10::IValue>;

/// Floating-point operations of one call, a multiply-add being 2; additions of biases and
/// elementwise work are left out, as in PyTorch's own counter.
/// Source: torch/utils/flop_counter.py of PyTorch 2.13, whose numbers these equal.
/// @returns nothing for an operator that has no formula
[[nodiscard]] std::optional<int64_t> operator_flops(std::string_view name,
                                                    OperatorArguments arguments);

/// Whether an operator without a formula looks like one that does matrix work: two or
/// more floating-point tensors of two or more dimensions, and either a telling name or
/// one that is not LibTorch's own.
[[nodiscard]] bool looks_like_matrix_work(std::string_view name,
                                          OperatorArguments arguments);

}  // namespace sizewise::training
