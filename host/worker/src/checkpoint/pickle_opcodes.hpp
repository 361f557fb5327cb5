#pragma once

#include <cstdint>
#include <string_view>

namespace sizewise::checkpoint {

/// The opcodes that the machine runs, by their names in Python's pickletools.
enum class PickleOpcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kEmptyTuple = ')',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinFloat = 'G',
  kBinGet = 'h',
  kBinInt = 'J',
  kLongBinGet = 'j',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kBinPut = 'q',
  kReduce = 'R',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kEmptyDict = '}',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

/// The name of any opcode of Python's pickle, also of those that are refused; empty for a
/// byte that is none. [any thread]
[[nodiscard]] std::string_view opcode_name(uint8_t code) noexcept;

}  // namespace sizewise::checkpoint
