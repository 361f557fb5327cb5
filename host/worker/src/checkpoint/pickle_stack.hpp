#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkpoint/pickle_machine.hpp"

namespace sizewise::checkpoint {

/// The stack of a pickle's machine, its marks, and what the pickle keeps for later. Every
/// function throws PickleFault where the pickle asks for what is not there, or for more
/// than kMostPickledValues: all that a hostile pickle can make grow is counted here.
class PickleStack {
 public:
  /// @param data where the values are made; must outlive the stack
  explicit PickleStack(PickledData& data) : data_(&data) {}

  void push(PickledIndex place);
  void push_new(PickledValue value);
  void push_new(PickledValue::Kind kind, int64_t number = 0);
  void push_text(std::string_view text);
  void push_tuple(std::vector<PickledIndex> items);
  void push_tensor(PickledTensor tensor);
  void push_mark();

  PickledIndex pop();
  std::vector<PickledIndex> pop_last(std::size_t count);
  std::vector<PickledIndex> pop_to_mark();

  /// The value on top, which must be of a kind.
  PickledValue& top(PickledValue::Kind kind);

  /// Adds to the list or dictionary on top.
  void append(PickledValue::Kind kind, const std::vector<PickledIndex>& items);

  void remember(uint64_t key);
  /// Under the next number, as opcode MEMOIZE does.
  void remember() { remember(memo_.size()); }
  void recall(uint64_t key);

  [[nodiscard]] bool empty() const { return stack_.empty(); }
  [[nodiscard]] std::size_t size() const { return stack_.size(); }
  [[nodiscard]] bool has_marks() const { return !marks_.empty(); }

 private:
  void count(uint64_t more);
  void need(std::size_t count) const;

  PickledData* data_;
  std::vector<PickledIndex> stack_;
  std::vector<std::size_t>
      marks_;  ///< heights of the stack, below which nothing is taken
  std::unordered_map<uint64_t, PickledIndex> memo_;
  uint64_t counted_ = 0;
};

}  // namespace sizewise::checkpoint
