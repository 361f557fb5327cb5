# sizewise_add_plugin(TARGET SOURCES file... [MANIFEST plugin.json] [LIBRARIES target...]
#                     [OUTPUT_DIRECTORY dir])
#
# Builds TARGET.so, a Sizewise plugin. The manifest (default: plugin.json beside the CMakeLists.txt)
# names its id and kind; it is checked now and embedded in the object. Plugins of the kinds model,
# dataset, loss and quantizer link LibTorch through Sizewise::sdk_torch, the others Sizewise::sdk.
include_guard(GLOBAL)

set(SIZEWISE_PLUGIN_TEMPLATE "${CMAKE_CURRENT_LIST_DIR}/plugin_manifest.cpp.in")

# Stops with the manifest's file name where a required field is missing or the kind is unknown.
function(_sizewise_read_manifest file out_text out_kind)
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "${file}: there is no such manifest; write one (id, kind, version, summary, options)")
  endif()
  file(READ "${file}" text)
  foreach(field id kind version summary)
    string(JSON value ERROR_VARIABLE fault GET "${text}" ${field})
    if(fault)
      message(FATAL_ERROR "${file}: needs \"${field}\": ${fault}")
    endif()
    set(${field} "${value}")
  endforeach()
  set(kinds model dataset loss sweep fit quantizer)
  if(NOT kind IN_LIST kinds)
    list(JOIN kinds ", " allowed)
    message(FATAL_ERROR "${file}: \"kind\" is '${kind}'; allowed: ${allowed}")
  endif()
  if(NOT id MATCHES "^[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "${file}: \"id\" is '${id}'; allowed: a letter, then letters, digits and _, lower case")
  endif()
  set(${out_text} "${text}" PARENT_SCOPE)
  set(${out_kind} "${kind}" PARENT_SCOPE)
endfunction()

function(sizewise_add_plugin target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MANIFEST;OUTPUT_DIRECTORY" "SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "sizewise_add_plugin(${target}): use SOURCES file... [MANIFEST file] [LIBRARIES target...] [OUTPUT_DIRECTORY dir]; not understood: '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT arg_MANIFEST)
    set(arg_MANIFEST plugin.json)
  endif()
  get_filename_component(SIZEWISE_MANIFEST_FILE "${arg_MANIFEST}" ABSOLUTE)
  _sizewise_read_manifest("${SIZEWISE_MANIFEST_FILE}" SIZEWISE_MANIFEST_TEXT kind)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${SIZEWISE_MANIFEST_FILE}")
  get_filename_component(SIZEWISE_MANIFEST_FILE "${SIZEWISE_MANIFEST_FILE}" NAME)
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${target}_manifest.cpp")
  configure_file("${SIZEWISE_PLUGIN_TEMPLATE}" "${generated}" @ONLY)

  set(torch_kinds model dataset loss quantizer)
  if(kind IN_LIST torch_kinds)
    set(sdk Sizewise::sdk_torch)
  else()
    set(sdk Sizewise::sdk)
  endif()
  if(NOT TARGET ${sdk})
    message(FATAL_ERROR "sizewise_add_plugin(${target}): a ${kind} plugin needs LibTorch; name its folder in CMAKE_PREFIX_PATH")
  endif()

  add_library(${target} MODULE ${arg_SOURCES} "${generated}")
  target_link_libraries(${target} PRIVATE ${sdk} ${arg_LIBRARIES})
  string(TOUPPER "${kind}" kind_upper)
  target_compile_definitions(${target} PRIVATE SIZEWISE_PLUGIN_KIND=SIZEWISE_KIND_${kind_upper})
  target_link_options(${target} PRIVATE LINKER:-z,defs LINKER:-z,nodelete)
  if(SIZEWISE_SANITIZER AND NOT SIZEWISE_SANITIZER STREQUAL "none")
    # The sanitizer's runtime lives in the program, so its symbols are not defined here.
    target_link_options(${target} PRIVATE LINKER:-z,undefs)
  endif()
  set_target_properties(
    ${target}
    PROPERTIES PREFIX ""
               SUFFIX ".so"
               POSITION_INDEPENDENT_CODE ON
               CXX_VISIBILITY_PRESET hidden
               C_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON)
  if(arg_OUTPUT_DIRECTORY)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${arg_OUTPUT_DIRECTORY}")
  endif()
endfunction()
