# SPDX-License-Identifier: Apache-2.0
# Run at install time, with what HyperdefectBundle.cmake sets:
#   HYPERDEFECT_BUNDLE_PROGRAM    the program's library, as built
#   HYPERDEFECT_BUNDLE_HOME       the folder that holds LibTorch and the libraries that came with it
#   HYPERDEFECT_BUNDLE_LIBDIR     where the libraries of home that the program loads are copied to
#   HYPERDEFECT_BUNDLE_LICENSES   where their licenses are copied to
# All is done in functions: a variable set here would be seen by the rest of the install script.
cmake_policy(VERSION 3.25)

# Only what lies below home is followed: the system's libraries are not copied. libcuda comes with the driver.
function(_libraries_below_home result)
  string(REGEX REPLACE "([][+.*()^$?|\\\\])" "\\\\\\1" home_regex "${home}")
  file(GET_RUNTIME_DEPENDENCIES MODULES "${program}" LIBRARIES ${ARGN}
       RESOLVED_DEPENDENCIES_VAR found UNRESOLVED_DEPENDENCIES_VAR missing CONFLICTING_DEPENDENCIES_PREFIX twice
       PRE_EXCLUDE_REGEXES "^libcuda\\.so" POST_INCLUDE_REGEXES "^${home_regex}/" POST_EXCLUDE_REGEXES ".*")
  if(missing)
    list(JOIN missing ", " missing)
    message(FATAL_ERROR "${program} needs libraries that this machine does not have: ${missing}")
  endif()
  foreach(name IN LISTS twice_FILENAMES)
    list(APPEND found ${twice_${name}})
  endforeach()
  set(below_home)
  foreach(library IN LISTS found ARGN)
    cmake_path(NORMAL_PATH library)
    cmake_path(IS_PREFIX home "${library}" is_below)
    if(is_below)
      list(APPEND below_home "${library}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES below_home)
  set(${result} "${below_home}" PARENT_SCOPE)
endfunction()

# A CUDA library loads parts of itself by name, which no header of a library tells: libcudnn.so.9 loads
# libcudnn_ops.so.9, libtorch_cuda.so loads libtorch_cuda_linalg.so and libcaffe2_nvrtc.so.
function(_parts_loaded_by_name result)
  set(parts)
  foreach(library IN LISTS ARGN)
    cmake_path(GET library PARENT_PATH folder)
    cmake_path(GET library FILENAME name)
    string(REGEX REPLACE "(-[0-9a-f]+)?\\.so.*" "" stem "${name}")
    if(stem MATCHES "^lib(cu|nv|torch_cuda)")
      file(GLOB own LIST_DIRECTORIES false "${folder}/${stem}_*.so*" "${folder}/${stem}-*.so*")
      list(APPEND parts ${own})
    endif()
    if(stem STREQUAL "libtorch_cuda")
      file(GLOB compiler LIST_DIRECTORIES false "${folder}/libcaffe2_nvrtc.so")
      list(APPEND parts ${compiler})
    endif()
  endforeach()
  set(${result} "${parts}" PARENT_SCOPE)
endfunction()

function(_all_libraries result)
  _libraries_below_home(libraries)
  set(known)
  while(NOT libraries STREQUAL known)
    set(known "${libraries}")
    _parts_loaded_by_name(parts ${libraries})
    _libraries_below_home(libraries ${libraries} ${parts})
    list(SORT libraries)
  endwhile()
  set(${result} "${libraries}" PARENT_SCOPE)
endfunction()

function(_install_libraries destination)
  foreach(library IN LISTS ARGN)
    cmake_path(GET library PARENT_PATH folder)
    cmake_path(RELATIVE_PATH folder BASE_DIRECTORY "${home}")
    file(INSTALL "${library}" DESTINATION "${destination}/${folder}" FOLLOW_SYMLINK_CHAIN
         FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  endforeach()
endfunction()

# A wheel's licenses lie in a folder beside its libraries.
function(_install_licenses destination)
  file(GLOB packages RELATIVE "${home}" "${home}/torch-*.dist-info")
  if("${ARGN}" MATCHES "/nvidia/")
    file(GLOB cuda RELATIVE "${home}" "${home}/nvidia_*.dist-info")
    list(APPEND packages ${cuda})
  endif()
  foreach(package IN LISTS packages)
    string(REGEX REPLACE "-.*" "" name "${package}")
    file(GLOB licenses "${home}/${package}/licenses/*" "${home}/${package}/License.txt")
    file(INSTALL ${licenses} DESTINATION "${destination}/${name}")
  endforeach()
endfunction()

function(_install_torch)
  set(program "${HYPERDEFECT_BUNDLE_PROGRAM}")
  set(home "${HYPERDEFECT_BUNDLE_HOME}")
  cmake_path(ABSOLUTE_PATH HYPERDEFECT_BUNDLE_LIBDIR BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")
  cmake_path(ABSOLUTE_PATH HYPERDEFECT_BUNDLE_LICENSES BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")
  _all_libraries(libraries)
  _install_libraries("${HYPERDEFECT_BUNDLE_LIBDIR}" ${libraries})
  _install_licenses("${HYPERDEFECT_BUNDLE_LICENSES}" ${libraries})
endfunction()
_install_torch()
