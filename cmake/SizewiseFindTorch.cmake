# Finds LibTorch and makes the imported target Sizewise::libtorch. Used by the build and by the
# installed package.
#
# Looks where find_package(Torch) would: Torch_DIR, then CMAKE_PREFIX_PATH (the folder that holds
# include/ and lib/, or its share/cmake), then the paths in SIZEWISE_TORCH_HINTS. It does not load
# TorchConfig.cmake: that stops where a LibTorch built for CUDA is used on a machine without the
# CUDA toolkit, which Sizewise never needs.
#
# Sets Sizewise_Torch_FOUND, and where found SIZEWISE_TORCH_PREFIX and SIZEWISE_TORCH_VERSION.
include_guard(DIRECTORY)

find_path(
  SIZEWISE_TORCH_CONFIG_DIR TorchConfig.cmake
  HINTS "${Torch_DIR}"
  PATHS ${SIZEWISE_TORCH_HINTS}
  PATH_SUFFIXES share/cmake/Torch Torch
  DOC "Folder of LibTorch's TorchConfig.cmake")
mark_as_advanced(SIZEWISE_TORCH_CONFIG_DIR)
set(Sizewise_Torch_FOUND FALSE)
if(SIZEWISE_TORCH_CONFIG_DIR AND EXISTS "${SIZEWISE_TORCH_CONFIG_DIR}/../../../include/torch/headeronly/version.h")
  get_filename_component(SIZEWISE_TORCH_PREFIX "${SIZEWISE_TORCH_CONFIG_DIR}/../../.." ABSOLUTE)
  file(STRINGS "${SIZEWISE_TORCH_PREFIX}/include/torch/headeronly/version.h" numbers
       REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
  list(TRANSFORM numbers REPLACE ".* " "")
  list(JOIN numbers "." SIZEWISE_TORCH_VERSION)
  set(Sizewise_Torch_FOUND TRUE)
endif()

if(Sizewise_Torch_FOUND AND NOT TARGET Sizewise::libtorch)
  add_library(Sizewise::libtorch INTERFACE IMPORTED)
  set(libraries "")
  # The _cuda ones are there only in a LibTorch built for CUDA. They register themselves when
  # loaded and nothing refers to them, so the linker must be told to keep them.
  foreach(name torch torch_cpu torch_cuda c10 c10_cuda)
    if(EXISTS "${SIZEWISE_TORCH_PREFIX}/lib/lib${name}.so")
      list(APPEND libraries "${SIZEWISE_TORCH_PREFIX}/lib/lib${name}.so")
    endif()
  endforeach()
  set_target_properties(
    Sizewise::libtorch
    PROPERTIES
      INTERFACE_INCLUDE_DIRECTORIES
      "${SIZEWISE_TORCH_PREFIX}/include;${SIZEWISE_TORCH_PREFIX}/include/torch/csrc/api/include"
      INTERFACE_LINK_LIBRARIES "-Wl,--push-state,--no-as-needed;${libraries};-Wl,--pop-state"
      INTERFACE_LINK_OPTIONS "LINKER:-rpath-link,${SIZEWISE_TORCH_PREFIX}/lib")
endif()
