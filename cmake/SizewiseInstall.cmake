# What `cmake --install` adds to the targets' own install rules: the package that
# find_package(Sizewise) reads, with the plugin helper and its template.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Sizewise")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/SizewiseConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/SizewiseConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/SizewiseConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(
  FILES "${PROJECT_BINARY_DIR}/SizewiseConfig.cmake"
        "${PROJECT_BINARY_DIR}/SizewiseConfigVersion.cmake"
        cmake/SizewiseAddPlugin.cmake
        cmake/SizewiseFindTorch.cmake
        cmake/plugin_manifest.cpp.in
  DESTINATION "${package_dir}")
install(EXPORT SizewiseTargets NAMESPACE Sizewise:: DESTINATION "${package_dir}")
if(SIZEWISE_WITH_TORCH)
  install(EXPORT SizewiseTorchTargets NAMESPACE Sizewise:: DESTINATION "${package_dir}")
endif()
