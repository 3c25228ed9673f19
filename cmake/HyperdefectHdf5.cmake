# SPDX-License-Identifier: Apache-2.0
# The HDF5 library that GDAL reads with. CMake's own module asks a compiler wrapper, and needs C for it.
if(NOT TARGET HDF5::HDF5)
  find_path(HDF5_INCLUDE_DIR hdf5.h PATH_SUFFIXES hdf5/serial)
  find_library(HDF5_LIBRARY NAMES hdf5_serial hdf5 PATH_SUFFIXES hdf5/serial)
  mark_as_advanced(HDF5_INCLUDE_DIR HDF5_LIBRARY)
  if(NOT HDF5_INCLUDE_DIR OR NOT HDF5_LIBRARY)
    message(FATAL_ERROR "HDF5 was not found: install libhdf5-dev, or set HDF5_INCLUDE_DIR (the folder of hdf5.h) and "
                        "HDF5_LIBRARY to the library that GDAL uses")
  endif()
  add_library(HDF5::HDF5 UNKNOWN IMPORTED GLOBAL)
  set_target_properties(HDF5::HDF5 PROPERTIES IMPORTED_LOCATION "${HDF5_LIBRARY}"
                                              INTERFACE_INCLUDE_DIRECTORIES "${HDF5_INCLUDE_DIR}")
endif()
