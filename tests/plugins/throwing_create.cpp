#include <stdexcept>

#include <sizewise/plugin_abi.h>

// A descriptor written by hand whose create() lets an exception out; the SDK's macros do
// not.

namespace {

int32_t create(const sizewise_host_services* /*host*/,
               const char* /*options*/,
               const char* /*data*/,
               void** /*instance*/,
               sizewise_error_record* /*error*/) {
  throw std::runtime_error("let out by hand");
}

void destroy(void* /*instance*/) {}

void* get_interface(void* /*instance*/, const char* /*name*/) {
  return nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const sizewise_descriptor*
sizewise_plugin_v1() {
  static const sizewise_descriptor kDescriptor{SIZEWISE_PLUGIN_MAGIC,
                                               sizeof(sizewise_descriptor),
                                               SIZEWISE_ABI_MAJOR,
                                               SIZEWISE_ABI_MINOR,
                                               SIZEWISE_KIND_FIT,
                                               "",
                                               "{}",
                                               &create,
                                               &destroy,
                                               &get_interface,
                                               {}};
  return &kDescriptor;
}
