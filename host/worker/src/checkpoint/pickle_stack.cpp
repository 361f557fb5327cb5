#include "checkpoint/pickle_stack.hpp"

#include <utility>

#include <fmt/format.h>

#include "checkpoint/pickle_globals.hpp"

namespace sizewise::checkpoint {
namespace {

constexpr const char* kNotOnTheStack =
    "holds a pickle that takes what it has not put on its stack";

}  // namespace

void PickleStack::count(uint64_t more) {
  counted_ += more;
  if (counted_ > kMostPickledValues) {
    throw PickleFault{
        fmt::format("holds more than {} values in its pickle", kMostPickledValues)};
  }
}

void PickleStack::need(std::size_t count) const {
  if (stack_.size() - (marks_.empty() ? 0 : marks_.back()) < count) {
    throw PickleFault{kNotOnTheStack};
  }
}

void PickleStack::push(PickledIndex place) {
  count(1);
  stack_.push_back(place);
}

void PickleStack::push_new(PickledValue value) {
  push(static_cast<PickledIndex>(data_->values.size()));
  data_->values.push_back(std::move(value));
}

void PickleStack::push_new(PickledValue::Kind kind, int64_t number) {
  PickledValue value;
  value.kind = kind;
  value.number = number;
  push_new(std::move(value));
}

void PickleStack::push_text(std::string_view text) {
  PickledValue value;
  value.kind = PickledValue::Kind::kText;
  value.text = text;
  push_new(std::move(value));
}

void PickleStack::push_tuple(std::vector<PickledIndex> items) {
  PickledValue value;
  value.kind = PickledValue::Kind::kTuple;
  value.items = std::move(items);
  push_new(std::move(value));
}

void PickleStack::push_tensor(PickledTensor tensor) {
  count(tensor.shape.size() + tensor.strides.size());
  data_->tensors.push_back(std::move(tensor));
  push_new(PickledValue::Kind::kTensor, static_cast<int64_t>(data_->tensors.size() - 1));
}

void PickleStack::push_mark() {
  count(1);
  marks_.push_back(stack_.size());
}

PickledIndex PickleStack::pop() {
  need(1);
  const PickledIndex place = stack_.back();
  stack_.pop_back();
  return place;
}

std::vector<PickledIndex> PickleStack::pop_last(std::size_t count) {
  need(count);
  const auto from = stack_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<PickledIndex> items(from, stack_.end());
  stack_.erase(from, stack_.end());
  return items;
}

std::vector<PickledIndex> PickleStack::pop_to_mark() {
  if (marks_.empty()) {
    throw PickleFault{kNotOnTheStack};
  }
  std::vector<PickledIndex> items = pop_last(stack_.size() - marks_.back());
  marks_.pop_back();
  return items;
}

PickledValue& PickleStack::top(PickledValue::Kind kind) {
  need(1);
  PickledValue& value = data_->values[stack_.back()];
  if (value.kind != kind) {
    throw PickleFault{
        fmt::format("treats a {} as a {}", to_string(value.kind), to_string(kind))};
  }
  return value;
}

void PickleStack::append(PickledValue::Kind kind,
                         const std::vector<PickledIndex>& items) {
  PickledValue& value = top(kind);
  if (kind == PickledValue::Kind::kDict && items.size() % 2 != 0) {
    throw PickleFault{"holds a dictionary with a key that has no value"};
  }
  value.items.insert(value.items.end(), items.begin(), items.end());
}

void PickleStack::remember(uint64_t key) {
  need(1);
  count(1);
  memo_[key] = stack_.back();
}

void PickleStack::recall(uint64_t key) {
  const auto found = memo_.find(key);
  if (found == memo_.end()) {
    throw PickleFault{fmt::format("repeats value {}, which it did not keep", key)};
  }
  push(found->second);
}

}  // namespace sizewise::checkpoint
