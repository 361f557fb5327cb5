// A library for LD_PRELOAD: the system calls that change files under DISK_FAULTS_UNDER
// fail as on a read-only file system (DISK_FAULTS_READ_ONLY), or write() fails as on a
// full disk once DISK_FAULTS_BYTES have been written there by this process.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_under(const char* path) {
  const char* under = getenv("DISK_FAULTS_UNDER");
  return under != NULL && strncmp(path, under, strlen(under)) == 0;
}

static int read_only(const char* path) {
  return getenv("DISK_FAULTS_READ_ONLY") != NULL && is_under(path);
}

int mkdir(const char* path, mode_t mode) {
  int (*real)(const char*, mode_t) =
      (int (*)(const char*, mode_t))dlsym(RTLD_NEXT, "mkdir");
  if (read_only(path)) {
    errno = EROFS;
    return -1;
  }
  return real(path, mode);
}

static int open_as(const char* name, const char* path, int flags, mode_t mode) {
  int (*real)(const char*, int, mode_t) =
      (int (*)(const char*, int, mode_t))dlsym(RTLD_NEXT, name);
  if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0 && read_only(path)) {
    errno = EROFS;
    return -1;
  }
  return real(path, flags, mode);
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_as("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open_as("open64", path, flags, mode);
}

ssize_t write(int descriptor, const void* data, size_t size) {
  static size_t written = 0;
  ssize_t (*real)(int, const void*, size_t) =
      (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  const char* room = getenv("DISK_FAULTS_BYTES");
  if (room != NULL) {
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    if (is_under(path)) {
      const size_t left = (size_t)atol(room) > written ? (size_t)atol(room) - written : 0;
      if (left == 0) {
        errno = ENOSPC;
        return -1;
      }
      size = size < left ? size : left;  // a full disk first takes what still fits
      written += size;
    }
  }
  return real(descriptor, data, size);
}
