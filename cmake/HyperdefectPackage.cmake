# SPDX-License-Identifier: Apache-2.0
# `cpack --preset release` makes a .tar.gz, and on Debian a .deb, of what a user of the program needs: the component
# "program". Headers and static libraries come with `cmake --install` alone.
string(TOLOWER "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" system)
set(CPACK_PACKAGE_FILE_NAME "${PROJECT_NAME}-${PROJECT_VERSION}-${system}")
set(CPACK_PACKAGE_VENDOR "${PROJECT_NAME}")
set(CPACK_PACKAGE_CONTACT "The ${PROJECT_NAME} developers" CACHE STRING "The maintainer that a .deb names")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "defect detection in hyperspectral images")
set(CPACK_PACKAGE_DESCRIPTION
"Finds pixels whose spectrum their surroundings and the normal material do not
explain. Learns from good parts and judges many cubes, or judges a single scene
without training data. Reads ENVI, GeoTIFF and other formats of GDAL. Writes
maps of anomaly scores and defects, overlays and tables.")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_COMPONENTS_ALL program)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_THREADS 0)

set(CPACK_GENERATOR TGZ)
find_program(HYPERDEFECT_DPKG dpkg)
mark_as_advanced(HYPERDEFECT_DPKG)
if(HYPERDEFECT_DPKG)
  list(APPEND CPACK_GENERATOR DEB)
endif()
set(CPACK_PROJECT_CONFIG_FILE "${PROJECT_SOURCE_DIR}/cmake/BeforePackage.cmake")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# dpkg-shlibdeps finds LibTorch here; as no package holds it, it does not become a dependency.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${HYPERDEFECT_TORCH_ROOT}/lib")
if(NOT HYPERDEFECT_BUNDLES_TORCH)
  message(STATUS "Packages will not hold LibTorch: they need it in ${HYPERDEFECT_TORCH_ROOT}")
  string(APPEND CPACK_PACKAGE_DESCRIPTION "\n\nNeeds LibTorch in ${HYPERDEFECT_TORCH_ROOT}.")
endif()
include(CPack)
