# SPDX-License-Identifier: Apache-2.0
# The package that find_package(hyperdefect) finds, and the documents; rooms and program install themselves where they
# are declared.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/hyperdefect")

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/hyperdefectConfig.cmake.in" "${PROJECT_BINARY_DIR}/hyperdefectConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/hyperdefectConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/hyperdefectConfig.cmake"
              "${PROJECT_BINARY_DIR}/hyperdefectConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/HyperdefectHdf5.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/HyperdefectTorch.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/HyperdefectYamlCpp.cmake"
        DESTINATION "${package_dir}")
install(EXPORT hyperdefectTargets NAMESPACE hyperdefect:: DESTINATION "${package_dir}")

if(HYPERDEFECT_WITH_IO)
  install(FILES "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/CHANGELOG.md" "${PROJECT_SOURCE_DIR}/LICENSE"
                "${PROJECT_SOURCE_DIR}/cmake/copyright"
          DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT program)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT program
          PATTERN "*.json" EXCLUDE)
endif()
