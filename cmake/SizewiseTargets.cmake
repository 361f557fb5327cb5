# What every target of our own shares. Nothing here is exported.

# sizewise_target(TARGET): C++20, warnings, sanitizer, hidden symbols, position-independent code.
function(sizewise_target target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(
    ${target}
    PROPERTIES CXX_EXTENSIONS OFF
               POSITION_INDEPENDENT_CODE ON
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(
    ${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow
                      $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor;-Woverloaded-virtual>
                      $<$<BOOL:${SIZEWISE_WARNINGS_AS_ERRORS}>:-Werror>
                      # GCC takes a source that is joined with others for a header.
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>
                      # libstdc++ 12's stable_sort() uses what it calls deprecated, and clang tells us.
                      $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
  if(SIZEWISE_FUZZERS)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(SIZEWISE_SANITIZER STREQUAL "address")
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  elseif(SIZEWISE_SANITIZER STREQUAL "thread")
    target_compile_options(${target} PRIVATE -fsanitize=thread)
    target_link_options(${target} PRIVATE -fsanitize=thread)
  elseif(NOT SIZEWISE_SANITIZER STREQUAL "none")
    message(FATAL_ERROR "SIZEWISE_SANITIZER is '${SIZEWISE_SANITIZER}'; allowed: none, address, thread")
  endif()
endfunction()

# sizewise_library(TARGET EXPORT_NAME [TORCH]): a shared library of the install, found beside the
# programs. TORCH: it links LibTorch, so a user's find_package() offers it only where that is found.
function(sizewise_library target export_name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "TORCH" "" "")
  sizewise_target(${target})
  add_library(Sizewise::${export_name} ALIAS ${target})
  set_target_properties(
    ${target}
    PROPERTIES EXPORT_NAME ${export_name}
               VERSION ${PROJECT_VERSION}
               SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
               CXX_VISIBILITY_PRESET default)
  set(export SizewiseTargets)
  set(rpath "$ORIGIN")
  if(arg_TORCH)
    set(export SizewiseTorchTargets)
    list(APPEND rpath "${SIZEWISE_TORCH_PREFIX}/lib")
  endif()
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${rpath}")
  install(TARGETS ${target} EXPORT ${export} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# sizewise_program(TARGET [TORCH]): a program of the install, which finds its libraries relative to
# itself and LibTorch where the build found it.
function(sizewise_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "")
  sizewise_target(${target})
  set(rpath "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  if(arg_TORCH)
    list(APPEND rpath "${SIZEWISE_TORCH_PREFIX}/lib")
  endif()
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${rpath}")
  install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# sizewise_precompile(TARGET header...): a precompiled header, for targets whose many files include
# LibTorch. ccache then has to be told that it may look at what goes into it.
# sizewise_precompile(TARGET REUSE_FROM other): the one of a target with the same flags.
function(sizewise_precompile target)
  if(ARGV1 STREQUAL "REUSE_FROM")
    target_precompile_headers(${target} ${ARGN})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  if(SIZEWISE_CCACHE AND CMAKE_CXX_COMPILER_LAUNCHER STREQUAL SIZEWISE_CCACHE)
    set_target_properties(
      ${target} PROPERTIES CXX_COMPILER_LAUNCHER
                           "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${SIZEWISE_CCACHE}")
  endif()
endfunction()
