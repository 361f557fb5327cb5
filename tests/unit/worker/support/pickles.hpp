#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Pickles of protocol 2, put together from their parts: each function gives the opcodes
// that push one value.

namespace sizewise::test::pickles {

/// A little-endian integer.
inline std::string count(uint64_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) {
    text += static_cast<char>((value >> (8U * i)) & 0xFFU);
  }
  return text;
}

inline std::string text(std::string_view value) {
  return "X" + count(value.size(), 4) + std::string(value);
}

/// LONG1 of 8 bytes: every int64.
inline std::string integer(int64_t value) {
  return "\x8a\x08" + count(static_cast<uint64_t>(value), 8);
}

inline std::string tuple(const std::vector<std::string>& items) {
  std::string all = "(";
  for (const std::string& item : items) {
    all += item;
  }
  return all + "t";
}

inline std::string integers(const std::vector<int64_t>& values) {
  std::vector<std::string> items;
  for (const int64_t value : values) {
    items.push_back(integer(value));
  }
  return tuple(items);
}

inline std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

/// A call of a function.
inline std::string call(const std::string& function,
                        const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + "R";
}

using Items = std::vector<std::pair<std::string, std::string>>;

inline std::string set_items(const Items& items) {
  std::string all = "(";
  for (const auto& [key, value] : items) {
    all += text(key) + value;
  }
  return all + "u";
}

inline std::string dict(const Items& items) {
  return "}" + set_items(items);
}

inline std::string ordered_dict(const Items& items = {}) {
  return call(global("collections", "OrderedDict"), {}) +
         (items.empty() ? "" : set_items(items));
}

inline std::string storage(std::string_view type,
                           std::string_view key,
                           int64_t elements) {
  return tuple({text("storage"),
                global(type == "UntypedStorage" ? "torch.storage" : "torch", type),
                text(key),
                text("cpu"),
                integer(elements)}) +
         "Q";
}

/// What _rebuild_tensor_v2 takes, as a test may want to change it.
struct Tensor {
  std::string storage = pickles::storage("FloatStorage", "0", 6);
  std::string offset = integer(0);
  std::string size = integers({2, 3});
  std::string stride = integers({3, 1});
  std::string requires_grad = "\x89";
  std::string hooks = ordered_dict();
  std::vector<std::string> more = {};  ///< arguments after these
  std::string function = "_rebuild_tensor_v2";
};

inline std::string tensor(const Tensor& parts = {}) {
  std::vector<std::string> arguments = {parts.storage,
                                        parts.offset,
                                        parts.size,
                                        parts.stride,
                                        parts.requires_grad,
                                        parts.hooks};
  arguments.insert(arguments.end(), parts.more.begin(), parts.more.end());
  return call(global("torch._utils", parts.function), arguments);
}

/// A whole pickle of one value.
inline std::string pickle(const std::string& value) {
  return std::string("\x80\x02") + value + ".";
}

}  // namespace sizewise::test::pickles
