#include "checkpoint/pickle_machine.hpp"

#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "checkpoint/pickle_bytes.hpp"
#include "checkpoint/pickle_globals.hpp"
#include "checkpoint/pickle_opcodes.hpp"
#include "checkpoint/pickle_stack.hpp"

namespace sizewise::checkpoint {
namespace {

using Kind = PickledValue::Kind;

/// "opcode NEWOBJ", or "byte 0xff, which is no opcode".
std::string describe_opcode(uint8_t code) {
  const std::string_view name = opcode_name(code);
  return name.empty() ? fmt::format("byte {:#04x}, which is no opcode", code)
                      : fmt::format("opcode {}", name);
}

class PickleMachine {
 public:
  PickleMachine(std::string_view pickle, std::string file)
      : file_(std::move(file)), bytes_(pickle), stack_(data_) {}

  PickledData run() {
    try {
      while (step()) {
      }
      return std::move(data_);
    } catch (const PickleFault& fault) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: {} ({} at byte {} of its pickle)",
                              file_,
                              fault.what,
                              describe_opcode(code_),
                              begin_),
                  fault.suggestion);
    }
  }

 private:
  void protocol(uint64_t number) const {
    if (begin_ != 0 || number < 2 || number > 5) {
      throw PickleFault{fmt::format(
          "holds a pickle of protocol {}; allowed: one of 2 to 5, said once", number)};
    }
  }

  /// A frame only announces how many bytes may be read ahead.
  void frame(uint64_t bytes) const {
    if (bytes > bytes_.left()) {
      throw PickleFault{"holds a pickle that is cut short"};
    }
  }

  void long_integer() {
    const std::string_view bytes = bytes_.take(bytes_.take_count(1));
    if (bytes.size() > 8) {
      stack_.push_new(Kind::kOtherNumber);
      return;
    }
    uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    const bool negative = !bytes.empty() && (bytes.back() & 0x80) != 0;
    if (negative && bytes.size() < 8) {
      value |= ~uint64_t{0} << (8 * bytes.size());
    }
    stack_.push_new(Kind::kInt, static_cast<int64_t>(value));
  }

  void global(std::string_view module, std::string_view name) {
    stack_.push_new(pickled_global(module, name, stack_.empty()));
  }

  void global_of_stack() {
    const std::vector<PickledIndex> names = stack_.pop_last(2);
    const PickledValue& module = data_.values[names[0]];
    const PickledValue& name = data_.values[names[1]];
    if (module.kind != Kind::kText || name.kind != Kind::kText) {
      throw PickleFault{"names a function or class by something that is no text"};
    }
    global(module.text, name.text);
  }

  /// A parameter is its tensor, (data, requires_grad, hooks).
  void parameter(const std::vector<PickledIndex>& arguments) {
    const auto value = [&](std::size_t i) -> const PickledValue& {
      return data_.values[arguments[i]];
    };
    if (arguments.size() != 3 || value(0).kind != Kind::kTensor ||
        value(1).kind != Kind::kBool || value(2).kind != Kind::kDict ||
        !value(2).items.empty()) {
      throw PickleFault{"holds a parameter that is not made of one tensor without hooks"};
    }
    stack_.push(arguments[0]);
  }

  void reduce() {
    const PickledIndex tuple = stack_.pop();
    const PickledValue& function = data_.values[stack_.pop()];
    if (function.kind != Kind::kGlobal || data_.values[tuple].kind != Kind::kTuple) {
      throw PickleFault{"calls something that is no function"};
    }
    const std::vector<PickledIndex>& arguments = data_.values[tuple].items;
    switch (static_cast<PickledGlobal>(function.number)) {
      case PickledGlobal::kOrderedDict:
        if (!arguments.empty()) {
          throw PickleFault{"holds an OrderedDict made of something"};
        }
        stack_.push_new(Kind::kDict);
        data_.values.back().ordered = true;
        return;
      case PickledGlobal::kTensor:
        return stack_.push_tensor(pickled_tensor(data_, arguments, false));
      case PickledGlobal::kTensorOfDtype:
        return stack_.push_tensor(pickled_tensor(data_, arguments, true));
      case PickledGlobal::kParameter:
        return parameter(arguments);
      default:
        throw PickleFault{fmt::format("calls '{}', which is no function of a state dict",
                                      function.text)};
    }
  }

  void persistent_id() {
    data_.storages.push_back(pickled_storage(data_, data_.values[stack_.pop()]));
    stack_.push_new(Kind::kStorage, static_cast<int64_t>(data_.storages.size() - 1));
  }

  /// A state dict has the versions of its modules in an attribute, _metadata; nothing
  /// else may be set on anything.
  void build() {
    const PickledIndex place = stack_.pop();
    const PickledValue& target = stack_.top(Kind::kDict);
    const PickledValue& state = data_.values[place];
    const bool known = target.ordered && state.kind == Kind::kDict &&
                       state.items.size() == 2 &&
                       data_.values[state.items[0]].kind == Kind::kText &&
                       data_.values[state.items[0]].text == "_metadata";
    if (!known) {
      throw PickleFault{
          "sets what is not the attribute _metadata of an OrderedDict; nothing else may "
          "have attributes"};
    }
  }

  bool stop() {
    if (stack_.size() != 1 || stack_.has_marks() || bytes_.left() != 0) {
      throw PickleFault{
          fmt::format("holds a pickle that ends with {} values and {} bytes to come; one "
                      "value and no "
                      "byte were expected",
                      stack_.size(),
                      bytes_.left())};
    }
    data_.top = stack_.pop();
    return false;
  }

  /// Runs one opcode. @returns false after the last
  bool step() {
    begin_ = bytes_.place();
    code_ = static_cast<uint8_t>(PickleOpcode::kStop);  // of what is cut short here
    code_ = static_cast<uint8_t>(bytes_.take(1).front());
    if (begin_ == 0 && code_ != static_cast<uint8_t>(PickleOpcode::kProto)) {
      throw PickleFault{"holds no pickle of protocol 2 to 5"};
    }
    return step_value() || step_container() || step_other();
  }

  /// Numbers, texts, and what is kept for later. @returns whether it was one of these
  bool step_value() {
    switch (static_cast<PickleOpcode>(code_)) {
      case PickleOpcode::kNone:
        stack_.push_new(Kind::kNone);
        return true;
      case PickleOpcode::kNewTrue:
      case PickleOpcode::kNewFalse:
        stack_.push_new(Kind::kBool,
                        code_ == static_cast<uint8_t>(PickleOpcode::kNewTrue) ? 1 : 0);
        return true;
      case PickleOpcode::kBinInt:
        stack_.push_new(Kind::kInt, static_cast<int32_t>(bytes_.take_count(4)));
        return true;
      case PickleOpcode::kBinInt1:
        stack_.push_new(Kind::kInt, static_cast<int64_t>(bytes_.take_count(1)));
        return true;
      case PickleOpcode::kBinInt2:
        stack_.push_new(Kind::kInt, static_cast<int64_t>(bytes_.take_count(2)));
        return true;
      case PickleOpcode::kLong1:
        long_integer();
        return true;
      case PickleOpcode::kBinFloat:
        bytes_.take(8);
        stack_.push_new(Kind::kOtherNumber);
        return true;
      case PickleOpcode::kBinUnicode:
        stack_.push_text(bytes_.take(bytes_.take_count(4)));
        return true;
      case PickleOpcode::kShortBinUnicode:
        stack_.push_text(bytes_.take(bytes_.take_count(1)));
        return true;
      case PickleOpcode::kBinUnicode8:
        stack_.push_text(bytes_.take(bytes_.take_count(8)));
        return true;
      case PickleOpcode::kBinPut:
        stack_.remember(bytes_.take_count(1));
        return true;
      case PickleOpcode::kLongBinPut:
        stack_.remember(bytes_.take_count(4));
        return true;
      case PickleOpcode::kMemoize:
        stack_.remember();
        return true;
      case PickleOpcode::kBinGet:
        stack_.recall(bytes_.take_count(1));
        return true;
      case PickleOpcode::kLongBinGet:
        stack_.recall(bytes_.take_count(4));
        return true;
      default:
        return false;
    }
  }

  bool step_container() {
    switch (static_cast<PickleOpcode>(code_)) {
      case PickleOpcode::kMark:
        stack_.push_mark();
        return true;
      case PickleOpcode::kEmptyTuple:
        stack_.push_new(Kind::kTuple);
        return true;
      case PickleOpcode::kTuple1:
        stack_.push_tuple(stack_.pop_last(1));
        return true;
      case PickleOpcode::kTuple2:
        stack_.push_tuple(stack_.pop_last(2));
        return true;
      case PickleOpcode::kTuple3:
        stack_.push_tuple(stack_.pop_last(3));
        return true;
      case PickleOpcode::kTuple:
        stack_.push_tuple(stack_.pop_to_mark());
        return true;
      case PickleOpcode::kEmptyList:
        stack_.push_new(Kind::kList);
        return true;
      case PickleOpcode::kAppend:
        stack_.append(Kind::kList, stack_.pop_last(1));
        return true;
      case PickleOpcode::kAppends:
        stack_.append(Kind::kList, stack_.pop_to_mark());
        return true;
      case PickleOpcode::kEmptyDict:
        stack_.push_new(Kind::kDict);
        return true;
      case PickleOpcode::kSetItem:
        stack_.append(Kind::kDict, stack_.pop_last(2));
        return true;
      case PickleOpcode::kSetItems:
        stack_.append(Kind::kDict, stack_.pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool step_other() {
    switch (static_cast<PickleOpcode>(code_)) {
      case PickleOpcode::kProto:
        protocol(bytes_.take_count(1));
        return true;
      case PickleOpcode::kFrame:
        frame(bytes_.take_count(8));
        return true;
      case PickleOpcode::kGlobal: {
        const std::string_view module = bytes_.take_line();
        global(module, bytes_.take_line());
        return true;
      }
      case PickleOpcode::kStackGlobal:
        global_of_stack();
        return true;
      case PickleOpcode::kReduce:
        reduce();
        return true;
      case PickleOpcode::kBuild:
        build();
        return true;
      case PickleOpcode::kBinPersId:
        persistent_id();
        return true;
      case PickleOpcode::kStop:
        return stop();
      default:
        throw PickleFault{"does in its pickle what no dictionary of tensors needs"};
    }
  }

  std::string file_;
  PickleBytes bytes_;
  PickledData data_;
  PickleStack stack_;
  uint64_t begin_ = 0;  ///< of the opcode that runs
  uint8_t code_ = 0;    ///< the opcode that runs
};

}  // namespace

std::string_view to_string(PickledValue::Kind kind) noexcept {
  switch (kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kOtherNumber:
      return "number";
    case Kind::kText:
      return "str";
    case Kind::kTuple:
      return "tuple";
    case Kind::kList:
      return "list";
    case Kind::kDict:
      return "dict";
    case Kind::kGlobal:
      return "function or class";
    case Kind::kStorage:
      return "storage";
    case Kind::kTensor:
      return "tensor";
  }
  return "value";
}

PickledData run_pickle(std::string_view pickle, const std::string& file) {
  if (pickle.size() > kLongestPickleBytes) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: holds a pickle of {} bytes; at most {} are read",
                            file,
                            pickle.size(),
                            kLongestPickleBytes),
                kSaveTensorsAlone);
  }
  return PickleMachine(pickle, file).run();
}

}  // namespace sizewise::checkpoint
