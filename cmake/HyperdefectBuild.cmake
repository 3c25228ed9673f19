# SPDX-License-Identifier: Apache-2.0
# How every target of the project is compiled, and the two functions that declare them.
include(GNUInstallDirs)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
# What a user of the program needs names the component "program" instead.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development)

if(HYPERDEFECT_USE_CCACHE)
  find_program(HYPERDEFECT_CCACHE ccache)
  if(HYPERDEFECT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # ccache refuses sources with a precompiled header unless it may ignore time stamps. Paths relative to the
    # checkout let another checkout take the same objects.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
        ${HYPERDEFECT_CCACHE})
  endif()
endif()

add_library(hyperdefect_compile_options INTERFACE)
target_compile_features(hyperdefect_compile_options INTERFACE cxx_std_20)
target_compile_options(hyperdefect_compile_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # ccache needs this to reuse objects that were compiled with a precompiled header.
  target_compile_options(hyperdefect_compile_options INTERFACE -fpch-preprocess)
elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(hyperdefect_compile_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()
if(HYPERDEFECT_WARNINGS_AS_ERRORS)
  target_compile_options(hyperdefect_compile_options INTERFACE -Werror)
endif()
if(HYPERDEFECT_SANITIZE)
  target_compile_options(hyperdefect_compile_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(hyperdefect_compile_options INTERFACE -fsanitize=address,undefined)
endif()

# torch/torch.h costs 10-25 s a source file: it is compiled once, here, and every torch target takes it over.
function(hyperdefect_use_torch target)
  if(NOT TARGET hyperdefect_torch_pch)
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/torch_pch.cpp" CONTENT "// Carries the precompiled header.\n")
    add_library(hyperdefect_torch_pch OBJECT "${PROJECT_BINARY_DIR}/torch_pch.cpp")
    target_link_libraries(hyperdefect_torch_pch PRIVATE hyperdefect_compile_options HyperdefectTorch::all)
    target_precompile_headers(hyperdefect_torch_pch PRIVATE <torch/torch.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM hyperdefect_torch_pch)
endfunction()

# hyperdefect_add_room(NAME [TORCH] HEADERS ... SOURCES ... [ROOMS ...] [PRIVATE ...])
#   A room of the library: the static library hyperdefect_NAME, exported as hyperdefect::NAME.
#   ROOMS are the rooms below it that it takes; PRIVATE are packages that only its sources see.
function(hyperdefect_add_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "TORCH" "" "HEADERS;SOURCES;ROOMS;PRIVATE")
  set(target hyperdefect_${name})
  add_library(${target} STATIC ${ROOM_SOURCES})
  add_library(hyperdefect::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/lib" FILES ${ROOM_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:hyperdefect_compile_options> ${ROOM_PRIVATE})
  list(TRANSFORM ROOM_ROOMS PREPEND hyperdefect_)
  target_link_libraries(${target} PUBLIC ${ROOM_ROOMS})
  if(ROOM_TORCH)
    target_link_libraries(${target} PUBLIC HyperdefectTorch::all)
    hyperdefect_use_torch(${target})
  endif()
  install(TARGETS ${target} EXPORT hyperdefectTargets FILE_SET HEADERS)
endfunction()

# Where tests/data lies, behind a function of support/test_data.h: as a macro, the path of the checkout would
# keep ccache from reusing a test's object in another one.
function(hyperdefect_declare_test_files)
  if(NOT TARGET hyperdefect_test_files)
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/test_files.cpp" @ONLY CONTENT
      "#include \"support/test_data.h\"\nconst char* hyperdefect::test::files_dir() { return \"@PROJECT_SOURCE_DIR@/tests/data\"; }\n")
    add_library(hyperdefect_test_files STATIC "${PROJECT_BINARY_DIR}/test_files.cpp")
    target_include_directories(hyperdefect_test_files PRIVATE "${PROJECT_SOURCE_DIR}/tests")
    target_link_libraries(hyperdefect_test_files PRIVATE hyperdefect_compile_options GTest::gtest)
  endif()
endfunction()

# hyperdefect_add_tests(NAME [TORCH] SOURCES ... LINK ... [LABELS ...])
#   The tests of a room: one GoogleTest program NAME_tests, one ctest entry a test.
function(hyperdefect_add_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 TESTS "TORCH" "" "SOURCES;LINK;LABELS")
  set(target ${name}_tests)
  add_executable(${target} ${TESTS_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  hyperdefect_declare_test_files()
  target_link_libraries(${target} PRIVATE
    hyperdefect_compile_options hyperdefect_test_files ${TESTS_LINK} GTest::gtest_main)
  if(TESTS_TORCH)
    hyperdefect_use_torch(${target})
  endif()
  gtest_discover_tests(${target} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 120
                       PROPERTIES LABELS "${name};${TESTS_LABELS}" TIMEOUT 900)
endfunction()
