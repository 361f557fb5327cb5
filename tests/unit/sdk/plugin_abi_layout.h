/* The binary contract: every size and offset of plugin_abi.h on a machine with 64-bit
 * pointers. Compiled as C11 and as C++20. A number here changes only with
 * SIZEWISE_ABI_MAJOR. */
#include <assert.h>
#include <stddef.h>

#include "sizewise/plugin_abi.h"

#define SIZEWISE_PIN(type, field, place) \
  static_assert(offsetof(type, field) == (place), #type "." #field " has moved")

static_assert(SIZEWISE_ABI_MAJOR == 1 && SIZEWISE_ABI_MINOR == 0, "the ABI's version");
static_assert(SIZEWISE_PLUGIN_MAGIC == 0x31575A53u, "the magic number");
static_assert(SIZEWISE_KIND_MODEL == 1 && SIZEWISE_KIND_DATASET == 2 &&
                  SIZEWISE_KIND_LOSS == 3 && SIZEWISE_KIND_SWEEP == 4 &&
                  SIZEWISE_KIND_FIT == 5 && SIZEWISE_KIND_QUANTIZER == 6,
              "the kinds");

static_assert(sizeof(sizewise_error_record) == 1544, "the size of an error record");
SIZEWISE_PIN(sizewise_error_record, struct_size, 0);
SIZEWISE_PIN(sizewise_error_record, code, 4);
SIZEWISE_PIN(sizewise_error_record, message, 8);
SIZEWISE_PIN(sizewise_error_record, suggestion, 1032);

static_assert(sizeof(sizewise_host_services) == 24, "the size of the host's services");
SIZEWISE_PIN(sizewise_host_services, struct_size, 0);
SIZEWISE_PIN(sizewise_host_services, abi_major, 4);
SIZEWISE_PIN(sizewise_host_services, abi_minor, 6);
SIZEWISE_PIN(sizewise_host_services, context, 8);
SIZEWISE_PIN(sizewise_host_services, log, 16);

static_assert(sizeof(sizewise_descriptor) == 88, "the size of a descriptor");
SIZEWISE_PIN(sizewise_descriptor, magic, 0);
SIZEWISE_PIN(sizewise_descriptor, struct_size, 4);
SIZEWISE_PIN(sizewise_descriptor, abi_major, 8);
SIZEWISE_PIN(sizewise_descriptor, abi_minor, 10);
SIZEWISE_PIN(sizewise_descriptor, kind, 12);
SIZEWISE_PIN(sizewise_descriptor, build_tag, 16);
SIZEWISE_PIN(sizewise_descriptor, manifest, 24);
SIZEWISE_PIN(sizewise_descriptor, create, 32);
SIZEWISE_PIN(sizewise_descriptor, destroy, 40);
SIZEWISE_PIN(sizewise_descriptor, get_interface, 48);
SIZEWISE_PIN(sizewise_descriptor, reserved, 56);
