#include "checkpoint/state_dict.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/error.hpp"

#include "boundary.hpp"
#include "checkpoint/pickle_globals.hpp"
#include "checkpoint/pickle_machine.hpp"

namespace sizewise::checkpoint {
namespace {

using Kind = PickledValue::Kind;

/// Looks at most three values deep: a pickle may hold cycles.
class StateDictReader {
 public:
  StateDictReader(const PickledData& data, const std::string& file)
      : data_(&data), file_(file) {}

  StateDict read() {
    const PickledValue& top = data_->values[data_->top];
    if (top.kind != Kind::kDict) {
      refuse(fmt::format("holds a {}, no dictionary of tensors", to_string(top.kind)));
    }
    if (holds_tensors(top)) {
      add_tensors(top);
      return std::move(result_);
    }
    const PickledValue& inner = only_dict_of_tensors(top);
    add_tensors(inner);
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kInput, fmt::format("{}: {}", file_, what), kSaveTensorsAlone);
  }

  const PickledValue& at(PickledIndex place) const { return data_->values[place]; }

  /// Whether a tensor stands among a value's own items. Each value is looked through
  /// once, however often a pickle repeats it.
  bool holds_tensors(const PickledValue& value) {
    const auto [known, is_new] = holds_tensors_.try_emplace(&value, false);
    if (is_new) {
      const std::size_t step = value.kind == Kind::kDict ? 2 : 1;
      for (std::size_t i = step - 1; i < value.items.size() && !known->second;
           i += step) {
        known->second = at(value.items[i]).kind == Kind::kTensor;
      }
    }
    return known->second;
  }

  std::string name_of(const PickledValue& key) const {
    if (key.kind != Kind::kText) {
      return fmt::format("(a key that is a {})", to_string(key.kind));
    }
    std::string name(key.text);
    if (!is_utf8(name)) {
      refuse(fmt::format("has the name '{}', which is not UTF-8", shown_text(name)));
    }
    return name;
  }

  void skip(const PickledValue& key, const PickledValue& value) {
    result_.skipped.push_back({name_of(key), std::string(to_string(value.kind))});
  }

  const PickledValue& only_dict_of_tensors(const PickledValue& top) {
    const PickledValue* only = nullptr;
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < top.items.size(); i += 2) {
      const PickledValue& key = at(top.items[i]);
      const PickledValue& value = at(top.items[i + 1]);
      if (value.kind == Kind::kDict && holds_tensors(value)) {
        only = &value;
        keys.push_back(name_of(key));
      } else {
        skip(key, value);
      }
    }
    if (only == nullptr) {
      refuse("holds no tensor, neither in its dictionary nor in one right inside that");
    }
    if (keys.size() > 1) {
      constexpr std::size_t kMostNamed = 5;
      keys.resize(std::min(keys.size(), kMostNamed));
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: holds several dictionaries of tensors: '{}'",
                              file_,
                              fmt::join(keys, "', '")),
                  "save one of them, in Python: torch.save(torch.load(FILE)[KEY], ...)");
    }
    result_.under = keys.front();
    return *only;
  }

  void add_tensors(const PickledValue& dict) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < dict.items.size(); i += 2) {
      const PickledValue& key = at(dict.items[i]);
      const PickledValue& value = at(dict.items[i + 1]);
      const std::string name = name_of(key);
      if (key.kind == Kind::kText && !names.insert(key.text).second) {
        refuse(fmt::format("names '{}' twice", name));
      }
      if (value.kind == Kind::kTensor) {
        if (key.kind != Kind::kText) {
          refuse(fmt::format("holds a tensor under {}; a name is a text", name));
        }
        add_tensor(name, data_->tensors[static_cast<std::size_t>(value.number)]);
      } else if (holds_tensors(value)) {
        refuse(fmt::format(
            "holds a {} of tensors, '{}', beside tensors", to_string(value.kind), name));
      } else {
        skip(key, value);
      }
    }
  }

  void add_tensor(const std::string& name, const PickledTensor& tensor) {
    const PickledStorage& storage = data_->storages[tensor.storage];
    result_.tensors.push_back({name,
                               tensor.type,
                               tensor.shape,
                               tensor.strides,
                               tensor.first,
                               std::string(storage.key),
                               storage.bytes});
  }

  const PickledData* data_;
  const std::string& file_;
  std::unordered_map<const PickledValue*, bool> holds_tensors_;
  StateDict result_;
};

}  // namespace

StateDict read_state_dict(std::string_view pickle, const std::string& file) {
  return StateDictReader(run_pickle(pickle, file), file).read();
}

}  // namespace sizewise::checkpoint
