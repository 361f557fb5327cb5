#pragma once

#include <memory>
#include <string>

#include "sizewise/options.hpp"
#include "sizewise/quantizer.hpp"

namespace sizewise::quantizing {

/// One quantizer plugin and how it is set.
struct NamedQuantizer {
  std::string id;
  Options options;  ///< complete
  std::shared_ptr<Quantizer> instance;
};

}  // namespace sizewise::quantizing
