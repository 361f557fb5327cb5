#include "checkpoint/pickle_globals.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace sizewise::checkpoint {
namespace {

using Kind = PickledValue::Kind;

struct KnownGlobal {
  std::string_view module;
  std::string_view name;
  PickledGlobal global;
};

constexpr std::array<KnownGlobal, 5> kKnownGlobals = {{
    {"collections", "OrderedDict", PickledGlobal::kOrderedDict},
    {"torch._utils", "_rebuild_tensor_v2", PickledGlobal::kTensor},
    {"torch._utils", "_rebuild_tensor_v3", PickledGlobal::kTensorOfDtype},
    {"torch._utils", "_rebuild_parameter", PickledGlobal::kParameter},
    {"torch.storage", "UntypedStorage", PickledGlobal::kUntypedStorage},
}};

/// torch's names of types that are not read, so that the message can say so.
constexpr std::array<std::string_view, 10> kOtherDtypes = {"uint16",
                                                           "uint32",
                                                           "uint64",
                                                           "complex32",
                                                           "complex64",
                                                           "complex128",
                                                           "float8_e4m3fnuz",
                                                           "float8_e5m2fnuz",
                                                           "float8_e8m0fnu",
                                                           "float4_e2m1fn_x2"};

constexpr const char* kSaveCopies =
    "save copies of the tensors, in Python: torch.save({name: "
    "tensor.resolve_conj().resolve_neg().contiguous() for name, tensor in "
    "model.state_dict().items()}, FILE)";

PickledValue global_value(PickledGlobal global, std::string_view name) {
  PickledValue value;
  value.kind = Kind::kGlobal;
  value.number = static_cast<int64_t>(global);
  value.text = name;
  return value;
}

bool is_global(const PickledValue& value, PickledGlobal global) {
  return value.kind == Kind::kGlobal && value.number == static_cast<int64_t>(global);
}

[[noreturn]] void refuse_global(std::string_view module_bytes,
                                std::string_view name_bytes,
                                bool first) {
  const std::string module = shown_text(module_bytes);
  const std::string name = shown_text(name_bytes);
  const bool other_type =
      module == "torch" &&
      (name.ends_with("Storage") ||
       std::find(kOtherDtypes.begin(), kOtherDtypes.end(), name_bytes) !=
           kOtherDtypes.end());
  if (other_type) {
    throw PickleFault{fmt::format("holds a tensor of torch.{}; types that are read: {}",
                                  name,
                                  weight_type_names()),
                      "save the state dict without that tensor, or with it converted by "
                      ".to(dtype)"};
  }
  if (first || module.starts_with("torch.nn.modules")) {
    throw PickleFault{
        fmt::format("holds a whole pickled object of class '{}.{}', no dictionary of "
                    "tensors",
                    module,
                    name)};
  }
  throw PickleFault{
      fmt::format("names '{}.{}', which no dictionary of tensors needs", module, name)};
}

/// The numbers of a tuple of integers, none negative.
std::vector<int64_t> counts_of(const PickledData& data,
                               PickledIndex place,
                               std::string_view what) {
  const PickledValue& tuple = data.values[place];
  if (tuple.kind != Kind::kTuple || tuple.items.size() > kMostDimensions) {
    throw PickleFault{
        fmt::format("holds a tensor whose {} is no tuple of at most {} "
                    "integers",
                    what,
                    kMostDimensions)};
  }
  std::vector<int64_t> counts;
  for (const PickledIndex item : tuple.items) {
    const PickledValue& value = data.values[item];
    if (value.kind != Kind::kInt || value.number < 0) {
      throw PickleFault{fmt::format(
          "holds a tensor whose {} has something that is no integer of at least 0",
          what)};
    }
    counts.push_back(value.number);
  }
  return counts;
}

/// pickled_global() lets no name pass that has no type.
WeightType known_type(std::optional<WeightType> type) {
  if (!type) {
    throw PickleFault{"holds a tensor of an unknown type"};
  }
  return *type;
}

bool is_empty_dict(const PickledValue& value) {
  return value.kind == Kind::kDict && value.items.empty();
}

/// What follows size and stride: requires_grad, hooks, and in later versions metadata (of
/// lazy conjugation or negation, which would change the numbers).
void check_rest(const PickledData& data,
                const std::vector<PickledIndex>& arguments,
                bool of_dtype) {
  const auto value = [&](std::size_t i) -> const PickledValue& {
    return data.values[arguments[i]];
  };
  if (value(4).kind != Kind::kBool || !is_empty_dict(value(5))) {
    throw PickleFault{"holds a tensor with hooks, or whose requires_grad is no bool"};
  }
  const std::size_t metadata = of_dtype ? 7 : 6;
  if (arguments.size() > metadata && value(metadata).kind != Kind::kNone &&
      !is_empty_dict(value(metadata))) {
    throw PickleFault{
        "holds a tensor with metadata, such as a conjugation not yet carried out",
        kSaveCopies};
  }
}

WeightType type_of_tensor(const PickledData& data,
                          const std::vector<PickledIndex>& arguments,
                          const PickledStorage& storage,
                          bool of_dtype) {
  if (!of_dtype) {
    if (!storage.type) {
      throw PickleFault{"holds a tensor that does not say its type"};
    }
    return *storage.type;
  }
  const PickledValue& dtype = data.values[arguments[6]];
  if (storage.type || !is_global(dtype, PickledGlobal::kDtype)) {
    throw PickleFault{
        "holds a tensor whose type is no torch.dtype of an untyped storage"};
  }
  return known_type(weight_type_of_dtype(dtype.text));
}

/// Refuses what would read outside of the storage.
void check_elements(PickledTensor& tensor, const PickledStorage& storage) {
  const uint64_t held = storage.bytes / element_bytes(tensor.type);
  uint64_t count = 1;
  uint64_t last = tensor.first;
  bool fits = true;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const auto size = static_cast<uint64_t>(tensor.shape[i]);
    if (size == 0) {
      tensor.first = 0;
      return;
    }
    uint64_t step = 0;
    fits = fits && !__builtin_mul_overflow(count, size, &count) &&
           !__builtin_mul_overflow(
               size - 1, static_cast<uint64_t>(tensor.strides[i]), &step) &&
           !__builtin_add_overflow(last, step, &last);
  }
  if (!fits || last >= held) {
    throw PickleFault{
        fmt::format("holds a tensor that reaches beyond its storage '{}' of {} elements",
                    shown_text(storage.key),
                    held)};
  }
  if (count > held) {
    throw PickleFault{
        fmt::format("holds a tensor of {} elements in a storage of {}: an expanded one",
                    count,
                    held),
        kSaveCopies};
  }
}

}  // namespace

std::string shown_text(std::string_view text) {
  constexpr std::size_t kMost = 120;
  std::string shown(text.substr(0, kMost));
  std::replace_if(
      shown.begin(),
      shown.end(),
      [](char c) {
        return c < ' ' || c > '~';
      },
      '?');
  return text.size() > kMost ? shown + "..." : shown;
}

PickledValue pickled_global(std::string_view module, std::string_view name, bool first) {
  for (const KnownGlobal& known : kKnownGlobals) {
    if (known.module == module && known.name == name) {
      return global_value(known.global, known.name);
    }
  }
  if (module == "torch" && weight_type_of_storage(name)) {
    return global_value(PickledGlobal::kTypedStorage, name);
  }
  if (module == "torch" && weight_type_of_dtype(name)) {
    return global_value(PickledGlobal::kDtype, name);
  }
  refuse_global(module, name, first);
}

PickledStorage pickled_storage(const PickledData& data, const PickledValue& id) {
  const auto item = [&](std::size_t i) -> const PickledValue& {
    return data.values[id.items[i]];
  };
  const bool known =
      id.kind == Kind::kTuple && id.items.size() == 5 && item(0).kind == Kind::kText &&
      item(0).text == "storage" && item(2).kind == Kind::kText && !item(2).text.empty() &&
      item(3).kind == Kind::kText && item(4).kind == Kind::kInt && item(4).number >= 0;
  if (!known) {
    throw PickleFault{
        "holds a persistent id that is no ('storage', type, key, location, count)"};
  }
  PickledStorage storage{item(2).text, {}, static_cast<uint64_t>(item(4).number)};
  if (is_global(item(1), PickledGlobal::kUntypedStorage)) {
    return storage;  // its count is of bytes
  }
  if (!is_global(item(1), PickledGlobal::kTypedStorage)) {
    throw PickleFault{"holds a storage whose type is none of torch's storages"};
  }
  const WeightType type = known_type(weight_type_of_storage(item(1).text));
  storage.type = type;
  if (__builtin_mul_overflow(storage.bytes, element_bytes(type), &storage.bytes)) {
    throw PickleFault{fmt::format("holds a storage '{}' of {} elements, too many",
                                  shown_text(storage.key),
                                  item(4).number)};
  }
  return storage;
}

PickledTensor pickled_tensor(const PickledData& data,
                             const std::vector<PickledIndex>& arguments,
                             bool of_dtype) {
  const std::size_t least = of_dtype ? 7 : 6;
  if (arguments.size() < least || arguments.size() > least + 1 ||
      data.values[arguments[0]].kind != Kind::kStorage ||
      data.values[arguments[1]].kind != Kind::kInt ||
      data.values[arguments[1]].number < 0) {
    throw PickleFault{
        "holds a tensor that is not made of a storage, an offset of at least 0, a size "
        "and a stride"};
  }
  PickledTensor tensor;
  tensor.storage = static_cast<std::size_t>(data.values[arguments[0]].number);
  tensor.first = static_cast<uint64_t>(data.values[arguments[1]].number);
  tensor.shape = counts_of(data, arguments[2], "size");
  tensor.strides = counts_of(data, arguments[3], "stride");
  if (tensor.shape.size() != tensor.strides.size()) {
    throw PickleFault{fmt::format("holds a tensor of {} sizes and {} strides",
                                  tensor.shape.size(),
                                  tensor.strides.size())};
  }
  check_rest(data, arguments, of_dtype);
  const PickledStorage& storage = data.storages[tensor.storage];
  tensor.type = type_of_tensor(data, arguments, storage, of_dtype);
  check_elements(tensor, storage);
  return tensor;
}

}  // namespace sizewise::checkpoint
