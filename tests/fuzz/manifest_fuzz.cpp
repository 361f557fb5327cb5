#include <sizewise/manifest.hpp>

#include "fuzz.hpp"

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  const Manifest manifest = parse_manifest(input);
  require(!manifest.id.empty(), "a manifest that was accepted has an id");
  if (manifest.size) {
    const int64_t size = manifest.size->nearest(100.0);
    require(manifest.size->allows(size), "the nearest size is allowed");
  }
  for (const OptionSpec& spec : manifest.options.specs()) {
    require(!spec.summary().empty(), "an option has a summary");
  }
  const Options resolved = manifest.options.resolve(Options());
  require(manifest.options.resolve(resolved).to_json() == resolved.to_json(),
          "defaults are allowed values");
}
