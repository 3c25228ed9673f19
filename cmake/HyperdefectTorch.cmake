# SPDX-License-Identifier: Apache-2.0
# Finds LibTorch and declares HyperdefectTorch::all, which links it whole.
#
# TorchConfig.cmake itself is not run: that of a CUDA build wants the whole CUDA toolkit, although
# nothing here compiles CUDA. Looked up, in this order: Torch_DIR (variable, then environment), each entry
# of CMAKE_PREFIX_PATH (variable, then environment), the root in HYPERDEFECT_TORCH_FALLBACK.
include_guard(GLOBAL)
set(HYPERDEFECT_TORCH_MINIMUM 2.6)

function(_hyperdefect_find_torch_root result)
  foreach(named "${Torch_DIR}" "$ENV{Torch_DIR}")
    if(named AND NOT EXISTS "${named}/TorchConfig.cmake")
      message(FATAL_ERROR "Torch_DIR is ${named}, which holds no TorchConfig.cmake. Set it to the folder of "
                          "that file (…/share/cmake/Torch), or unset it.")
    endif()
  endforeach()
  set(places "${Torch_DIR}" "$ENV{Torch_DIR}")
  string(REPLACE ":" ";" env_prefixes "$ENV{CMAKE_PREFIX_PATH}")
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH env_prefixes)
    list(APPEND places "${prefix}" "${prefix}/Torch" "${prefix}/share/cmake/Torch")
  endforeach()
  list(APPEND places "${HYPERDEFECT_TORCH_FALLBACK}/share/cmake/Torch")
  foreach(place IN LISTS places)
    if(place AND EXISTS "${place}/TorchConfig.cmake")
      get_filename_component(root "${place}/../../.." REALPATH)
      set(${result} "${root}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "LibTorch was not found. Run scripts/setup.sh, or set Torch_DIR to the folder of "
                      "its TorchConfig.cmake, or CMAKE_PREFIX_PATH to the folder above it.")
endfunction()

function(_hyperdefect_torch_version root result)
  foreach(header include/torch/headeronly/version.h include/torch/csrc/api/include/torch/version.h)
    if(EXISTS "${root}/${header}")
      file(STRINGS "${root}/${header}" lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
      string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
      if(numbers)
        list(JOIN numbers "." version)
        set(${result} "${version}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
  message(FATAL_ERROR "LibTorch in ${root} has no readable torch/version.h")
endfunction()

function(_hyperdefect_import_torch root)
  set(libraries)
  foreach(name c10 torch_cpu torch c10_cuda torch_cuda)
    find_library(path_${name} NAMES ${name} PATHS "${root}/lib" NO_DEFAULT_PATH NO_CACHE)
    if(path_${name})
      add_library(HyperdefectTorch::${name} SHARED IMPORTED GLOBAL)
      set_target_properties(HyperdefectTorch::${name} PROPERTIES IMPORTED_LOCATION "${path_${name}}")
      list(APPEND libraries HyperdefectTorch::${name})
    elseif(NOT name MATCHES "cuda")
      message(FATAL_ERROR "LibTorch in ${root} lacks lib${name}")
    endif()
  endforeach()
  add_library(HyperdefectTorch::all INTERFACE IMPORTED GLOBAL)
  add_library(HyperdefectTorch::headers INTERFACE IMPORTED GLOBAL)
  set_target_properties(HyperdefectTorch::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
    "${root}/include;${root}/include/torch/csrc/api/include")
  # Nothing refers to a symbol of torch_cuda: without this the linker drops it, and CUDA with it.
  target_link_libraries(HyperdefectTorch::all INTERFACE
    HyperdefectTorch::headers -Wl,--no-as-needed ${libraries} -Wl,--as-needed)
endfunction()

_hyperdefect_find_torch_root(HYPERDEFECT_TORCH_ROOT)
_hyperdefect_torch_version("${HYPERDEFECT_TORCH_ROOT}" HYPERDEFECT_TORCH_VERSION)
if(HYPERDEFECT_TORCH_VERSION VERSION_LESS HYPERDEFECT_TORCH_MINIMUM)
  message(FATAL_ERROR "LibTorch ${HYPERDEFECT_TORCH_VERSION} in ${HYPERDEFECT_TORCH_ROOT} is too old: "
                      "${HYPERDEFECT_TORCH_MINIMUM} or newer is needed.")
endif()
file(STRINGS "${HYPERDEFECT_TORCH_ROOT}/share/cmake/Torch/TorchConfig.cmake" _old_abi REGEX "_GLIBCXX_USE_CXX11_ABI=0")
if(_old_abi)
  message(FATAL_ERROR "LibTorch in ${HYPERDEFECT_TORCH_ROOT} was built with the old C++ ABI, GDAL and OpenCV "
                      "were not: take the cxx11-ABI build, or the wheel of 2.7 or newer.")
endif()
_hyperdefect_import_torch("${HYPERDEFECT_TORCH_ROOT}")
message(STATUS "LibTorch ${HYPERDEFECT_TORCH_VERSION}: ${HYPERDEFECT_TORCH_ROOT}")
