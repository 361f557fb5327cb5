/* The binary contract between the host and a plugin: plain C, one exported symbol.
 *
 * Written for C11 and C++20; a test pins every size and offset. Past the descriptor a
 * plugin is C++: get_interface() returns a pointer to one of the abstract classes of the
 * SDK.
 */
#pragma once

/* NOLINTBEGIN: this file must read as C */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SIZEWISE_PLUGIN_MAGIC 0x31575A53u /* "SZW1", little-endian */
#define SIZEWISE_ABI_MAJOR 1              /* another number: another contract */
#define SIZEWISE_ABI_MINOR 0              /* a larger number in the host is compatible */
#define SIZEWISE_PLUGIN_SYMBOL "sizewise_plugin_v1"

enum sizewise_kind {
  SIZEWISE_KIND_MODEL = 1,
  SIZEWISE_KIND_DATASET = 2,
  SIZEWISE_KIND_LOSS = 3,
  SIZEWISE_KIND_SWEEP = 4,
  SIZEWISE_KIND_FIT = 5,
  SIZEWISE_KIND_QUANTIZER = 6
};

/* Owned by the caller, so that no memory crosses allocators. Texts are UTF-8, cut where
 * too long. */
typedef struct sizewise_error_record {
  uint32_t struct_size;
  uint32_t code; /* the value of a sizewise::ErrorCode */
  char message[1024];
  char suggestion[512];
} sizewise_error_record;

/* What the host offers a plugin. Valid from create() to destroy(). */
typedef struct sizewise_host_services {
  uint32_t struct_size;
  uint16_t abi_major;
  uint16_t abi_minor;
  void* context;
  /* level: 0 debug, 1 info, 2 warning. [any thread] */
  void (*log)(void* context, int32_t level, const char* message);
} sizewise_host_services;

/* What a plugin exports, through `const sizewise_descriptor* sizewise_plugin_v1(void)`.
 */
typedef struct sizewise_descriptor {
  uint32_t magic;       /* SIZEWISE_PLUGIN_MAGIC */
  uint32_t struct_size; /* sizeof(sizewise_descriptor) where the plugin was built */
  uint16_t abi_major;
  uint16_t abi_minor;
  uint32_t kind;         /* one of enum sizewise_kind, equal to the manifest's */
  const char* build_tag; /* "arch=...;sdk=..." as in the note .note.sizewise */
  const char* manifest;  /* the JSON of plugin.json */
  /* Makes one instance. options: a JSON object; data: the JSON of a DatasetInfo, or null
   * for the kinds that see no data. Returns 0, or non-zero with *error filled in. Never
   * throws. [any thread] */
  int32_t (*create)(const sizewise_host_services* host,
                    const char* options,
                    const char* data,
                    void** instance,
                    sizewise_error_record* error);
  /* Ends an instance. Never throws. [after create, once] */
  void (*destroy)(void* instance);
  /* The C++ interface of that name ("sizewise.model/1"), or null. [after create] */
  void* (*get_interface)(void* instance, const char* name);
  const void* reserved[4]; /* null */
} sizewise_descriptor;

typedef const sizewise_descriptor* (*sizewise_get_descriptor)(void);

#ifdef __cplusplus
}
#endif
/* NOLINTEND */
