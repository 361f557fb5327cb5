#pragma once

#include <version>

#include "sizewise/plugin_abi.h"

#ifdef SIZEWISE_USES_TORCH
#include <torch/version.h>
#endif

// What a plugin was built with, as "field=value" pairs that the host compares one by one
// before any code of the plugin runs. Macros, because the text is a constant of an ELF
// note.

#define SIZEWISE_TEXT_OF(x) #x
#define SIZEWISE_TEXT(x) SIZEWISE_TEXT_OF(x)

#if defined(__x86_64__)
#define SIZEWISE_TAG_ARCH "x86_64"
#elif defined(__aarch64__)
#define SIZEWISE_TAG_ARCH "aarch64"
#else
#error "Sizewise plugins are built for x86_64 or aarch64"
#endif

#if defined(__GLIBCXX__)
#define SIZEWISE_TAG_STDLIB "libstdc++"
#define SIZEWISE_TAG_CXX11_ABI SIZEWISE_TEXT(_GLIBCXX_USE_CXX11_ABI)
#elif defined(_LIBCPP_VERSION)
#define SIZEWISE_TAG_STDLIB "libc++"
#define SIZEWISE_TAG_CXX11_ABI "none"
#else
#error "Sizewise plugins are built with libstdc++ or libc++"
#endif

#ifdef _GLIBCXX_DEBUG
#define SIZEWISE_TAG_DEBUG "1"
#else
#define SIZEWISE_TAG_DEBUG "0"
#endif

#if defined(__has_feature)
#define SIZEWISE_HAS_FEATURE(x) __has_feature(x)
#else
#define SIZEWISE_HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || SIZEWISE_HAS_FEATURE(address_sanitizer)
#define SIZEWISE_TAG_SANITIZER "address"
#elif defined(__SANITIZE_THREAD__) || SIZEWISE_HAS_FEATURE(thread_sanitizer)
#define SIZEWISE_TAG_SANITIZER "thread"
#else
#define SIZEWISE_TAG_SANITIZER "none"
#endif

#ifdef SIZEWISE_USES_TORCH
#define SIZEWISE_TAG_TORCH TORCH_VERSION
#else
#define SIZEWISE_TAG_TORCH "none"
#endif

/// Compared: arch, sdk (major equal, minor at most the host's), stdlib, cxx11_abi, debug,
/// sanitizer, torch. For information only: compiler.
#define SIZEWISE_BUILD_TAG                                                               \
  "arch=" SIZEWISE_TAG_ARCH ";sdk=" SIZEWISE_TEXT(SIZEWISE_ABI_MAJOR) "." SIZEWISE_TEXT( \
      SIZEWISE_ABI_MINOR) ";stdlib=" SIZEWISE_TAG_STDLIB                                 \
                          ";cxx11_abi=" SIZEWISE_TAG_CXX11_ABI                           \
                          ";debug=" SIZEWISE_TAG_DEBUG                                   \
                          ";sanitizer=" SIZEWISE_TAG_SANITIZER                           \
                          ";torch=" SIZEWISE_TAG_TORCH ";compiler=" __VERSION__
