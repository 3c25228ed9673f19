# SPDX-License-Identifier: Apache-2.0
# CPack reads this before each package that it makes.
cmake_policy(VERSION 3.25)

# Without dpkg-shlibdeps CPack would make a .deb that depends on nothing.
function(_check_tool name package)
  find_program(path ${name} NO_CACHE)
  if(NOT path)
    message(FATAL_ERROR "A .deb needs ${name}, which is not installed. Install the package ${package}, or make the "
                        ".tar.gz alone with -G TGZ.")
  endif()
endfunction()

if(CPACK_GENERATOR STREQUAL "DEB")
  _check_tool(dpkg-shlibdeps dpkg-dev)
  _check_tool(file file)
else()
  # An archive unpacks into one folder.
  set(CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY ON)
endif()
