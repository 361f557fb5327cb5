/* The contract in plain C11, with one value replaced by each bad plugin. */
#include <sizewise/plugin_abi.h>

#ifndef TEST_DESCRIPTOR
#define TEST_DESCRIPTOR &descriptor
#endif
#ifndef TEST_MAGIC
#define TEST_MAGIC SIZEWISE_PLUGIN_MAGIC
#endif
#ifndef TEST_STRUCT_SIZE
#define TEST_STRUCT_SIZE sizeof(sizewise_descriptor)
#endif
#ifndef TEST_ABI_MAJOR
#define TEST_ABI_MAJOR SIZEWISE_ABI_MAJOR
#endif
#ifndef TEST_ABI_MINOR
#define TEST_ABI_MINOR SIZEWISE_ABI_MINOR
#endif
#ifndef TEST_KIND
#define TEST_KIND SIZEWISE_KIND_FIT
#endif
#ifndef TEST_DESTROY
#define TEST_DESTROY destroy
#endif
#ifndef TEST_REFUSES
#define TEST_REFUSES 0
#endif
#ifndef TEST_INSTANCE
#define TEST_INSTANCE &the_instance
#endif

__attribute__((unused)) static int the_instance = 1;

static int32_t create(const sizewise_host_services* host,
                      const char* options,
                      const char* data,
                      void** instance,
                      sizewise_error_record* error) {
  (void)data;
  (void)error;
  host->log(host->context, 1, options);
  *instance = TEST_INSTANCE;
  return TEST_REFUSES;
}

__attribute__((unused)) static void destroy(void* instance) {
  (void)instance;
}

static void* get_interface(void* instance, const char* name) {
  (void)instance;
  (void)name;
  return NULL;
}

__attribute__((visibility("default"))) const sizewise_descriptor* sizewise_plugin_v1(
    void);

const sizewise_descriptor* sizewise_plugin_v1(void) {
  static const sizewise_descriptor descriptor = {TEST_MAGIC,
                                                 TEST_STRUCT_SIZE,
                                                 TEST_ABI_MAJOR,
                                                 TEST_ABI_MINOR,
                                                 TEST_KIND,
                                                 "",
                                                 "{}",
                                                 create,
                                                 TEST_DESTROY,
                                                 get_interface,
                                                 {NULL, NULL, NULL, NULL}};
  (void)descriptor;
  return TEST_DESCRIPTOR;
}
