# SPDX-License-Identifier: Apache-2.0
# Which LibTorch an installed program uses: its own copy if LibTorch lies in the project, as that of scripts/setup.sh
# does; otherwise the one it was built with, by its path.

# CMake removes run paths into the project from what it installs. .deps may be a link to a folder elsewhere.
function(_hyperdefect_torch_is_in_the_project result)
  set(${result} OFF PARENT_SCOPE)
  foreach(folder "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}" "${HYPERDEFECT_TORCH_FALLBACK}")
    file(REAL_PATH "${folder}" folder)
    cmake_path(IS_PREFIX folder "${HYPERDEFECT_TORCH_ROOT}" NORMALIZE is_inside)
    if(is_inside)
      set(${result} ON PARENT_SCOPE)
    endif()
  endforeach()
endfunction()
_hyperdefect_torch_is_in_the_project(HYPERDEFECT_BUNDLES_TORCH)

# hyperdefect_bundle_torch(LIBRARY): installs, with the component "program", the LibTorch libraries that the program's own
# one loads, below its folder. They keep their places relative to each other, because their own run paths are relative.
function(hyperdefect_bundle_torch library)
  cmake_path(GET HYPERDEFECT_TORCH_ROOT PARENT_PATH home)
  cmake_path(GET HYPERDEFECT_TORCH_ROOT FILENAME torch)
  set_property(TARGET ${library} PROPERTY INSTALL_RPATH "$ORIGIN/${torch}/lib")
  install(CODE "set(HYPERDEFECT_BUNDLE_PROGRAM [[$<TARGET_FILE:${library}>]])
set(HYPERDEFECT_BUNDLE_HOME [[${home}]])
set(HYPERDEFECT_BUNDLE_LIBDIR [[${CMAKE_INSTALL_LIBDIR}/hyperdefect]])
set(HYPERDEFECT_BUNDLE_LICENSES [[${CMAKE_INSTALL_DOCDIR}/libraries]])"
          SCRIPT "${PROJECT_SOURCE_DIR}/cmake/InstallTorch.cmake" COMPONENT program)
endfunction()
