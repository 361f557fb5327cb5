# Prints the options that differ from their defaults, so that a log says what was built.

# sizewise_report_option(NAME DEFAULT): one line where the option has another value.
function(sizewise_report_option name default)
  set(value "${${name}}")
  if(default MATCHES "^(ON|OFF)$")
    if(value)
      set(value ON)
    else()
      set(value OFF)
    endif()
  endif()
  if(NOT "${value}" STREQUAL "${default}")
    message(STATUS "  ${name} = ${value} (default ${default})")
  endif()
endfunction()

message(STATUS "Sizewise ${PROJECT_VERSION}, ${CMAKE_BUILD_TYPE}, ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
               ", LibTorch ${SIZEWISE_TORCH_VERSION} in '${SIZEWISE_TORCH_PREFIX}'")
sizewise_report_option(SIZEWISE_WITH_TORCH ON)
sizewise_report_option(SIZEWISE_TESTS "${PROJECT_IS_TOP_LEVEL}")
sizewise_report_option(SIZEWISE_BENCHMARKS OFF)
sizewise_report_option(SIZEWISE_FUZZERS OFF)
sizewise_report_option(SIZEWISE_WARNINGS_AS_ERRORS "${PROJECT_IS_TOP_LEVEL}")
sizewise_report_option(SIZEWISE_SANITIZER none)
