#include "weight_settings.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

#include "sizewise/error.hpp"

namespace sizewise::quantizers {
namespace {

constexpr int64_t kGroupStep = 16;

/// @param values the first is the manifest's default; the host let no other text through
template <class Value>
Value one_of(const std::string& text,
             std::initializer_list<std::pair<const char*, Value>> values) {
  const auto* const found =
      std::find_if(values.begin(), values.end(), [&](const auto& value) {
        return text == value.first;
      });
  return found == values.end() ? values.begin()->second : found->second;
}

[[noreturn]] void refuse(const std::string& message, const std::string& suggestion) {
  throw Error(ErrorCode::kConfiguration, message, suggestion);
}

/// Numbers of 16 bits have no scales, so nothing that is said about scales holds.
void check_half(const Options& options, const WeightSettings& settings) {
  const std::string scheme = options.get_or<std::string>("scheme", "symmetric");
  const std::string granularity = options.get_or<std::string>("granularity", "channel");
  if (settings.scheme != SchemeChoice::kSymmetric) {
    refuse("option 'scheme' is " + scheme +
               " with bits 16, which have no zero point; allowed: symmetric",
           "leave scheme out, or set bits to 8 or 4");
  }
  if (settings.granularity != Granularity::kChannel) {
    refuse("option 'granularity' is " + granularity +
               " with bits 16, which have no scales; allowed: channel",
           "leave granularity out, or set bits to 8 or 4");
  }
  if (settings.clips) {
    refuse("option 'clip' is true with bits 16, which cut nothing off; allowed: false",
           "leave clip out, or set bits to 8 or 4");
  }
}

void check_group(const Options& options, const WeightSettings& settings) {
  if (!options.has("group_size")) {
    return;
  }
  const std::string received =
      "option 'group_size' is " + std::to_string(settings.group_size);
  if (settings.granularity != Granularity::kGroup) {
    refuse(received + " with granularity " +
               options.get_or<std::string>("granularity", "channel") +
               "; allowed: with granularity group alone",
           "set granularity to group, or leave group_size out");
  }
  if (settings.group_size % kGroupStep != 0) {
    refuse(received + "; allowed: multiples of " + std::to_string(kGroupStep),
           "use a group_size of 128, 64 or 32");
  }
}

}  // namespace

WeightSettings weight_settings(const Options& options) {
  WeightSettings settings;
  settings.bits = static_cast<int>(options.get_or<int64_t>("bits", 8));
  settings.scheme =
      one_of<SchemeChoice>(options.get_or<std::string>("scheme", "symmetric"),
                           {{"symmetric", SchemeChoice::kSymmetric},
                            {"asymmetric", SchemeChoice::kAsymmetric},
                            {"auto", SchemeChoice::kAuto}});
  settings.granularity =
      one_of<Granularity>(options.get_or<std::string>("granularity", "channel"),
                          {{"channel", Granularity::kChannel},
                           {"tensor", Granularity::kTensor},
                           {"group", Granularity::kGroup}});
  settings.group_size = options.get_or<int64_t>("group_size", settings.group_size);
  settings.clips = options.get_or<bool>("clip", false);
  settings.half_type = one_of<HalfType>(
      options.get_or<std::string>("half_type", "bfloat16"),
      {{"bfloat16", HalfType::kBfloat16}, {"float16", HalfType::kFloat16}});
  if (settings.bits == 16) {
    check_half(options, settings);
  } else if (options.has("half_type")) {
    refuse("option 'half_type' is " + options.get<std::string>("half_type") +
               " with bits " + std::to_string(settings.bits) +
               "; allowed: with bits 16 alone",
           "set bits to 16, or leave half_type out");
  }
  check_group(options, settings);
  return settings;
}

}  // namespace sizewise::quantizers
