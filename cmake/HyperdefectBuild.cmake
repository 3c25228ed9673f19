# SPDX-License-Identifier: Apache-2.0
# How every target of the project is compiled, and the two functions that declare them: hyperdefect_add_room and
# hyperdefect_add_tests.
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
# The rooms become part of a shared library: the program's own (app/CMakeLists.txt), or a user's. Tests are compiled alike,
# since a precompiled header serves only sources that are.
target_compile_options(hyperdefect_compile_options INTERFACE
  -fPIC -fno-semantic-interposition -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
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
    -fsanitize=${HYPERDEFECT_SANITIZE} -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(hyperdefect_compile_options INTERFACE -fsanitize=${HYPERDEFECT_SANITIZE})
endif()
if(HYPERDEFECT_COVERAGE)
  target_link_options(hyperdefect_compile_options INTERFACE --coverage)
endif()

# What is precompiled, once for all targets that take it. torch/torch.h instead would cost every source file 7 s more: at the
# end of each one GCC instantiates what inline functions of the precompiled headers call.
set(HYPERDEFECT_TENSORS_PCH <torch/types.h> <torch/utils.h>)
set(HYPERDEFECT_MODULES_PCH ${HYPERDEFECT_TENSORS_PCH} <torch/nn/cloneable.h> <torch/nn/pimpl.h>
    <torch/nn/modules/container/any.h> <torch/nn/modules/conv.h> <torch/nn/modules/linear.h>)

# hyperdefect_use_torch(TARGET TENSORS|MODULES): precompiled headers for tensors alone, or for torch::nn modules too.
function(hyperdefect_use_torch target kind)
  string(TOLOWER "hyperdefect_${kind}_pch" carrier)
  if(NOT TARGET ${carrier})
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/${carrier}.cpp" CONTENT "// Carries the precompiled headers.\n")
    add_library(${carrier} OBJECT "${PROJECT_BINARY_DIR}/${carrier}.cpp")
    target_link_libraries(${carrier} PRIVATE hyperdefect_compile_options HyperdefectTorch::all)
    target_precompile_headers(${carrier} PRIVATE ${HYPERDEFECT_${kind}_PCH})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${carrier})
endfunction()

# Whether a header below lib reaches torch, itself or through others of ours.
function(_hyperdefect_reaches_torch result header)
  get_property(answer GLOBAL PROPERTY "HYPERDEFECT_REACHES_TORCH:${header}")
  if("${answer}" STREQUAL "")
    set(answer OFF)
    file(STRINGS "${PROJECT_SOURCE_DIR}/lib/${header}" lines REGEX "^[ \t]*#[ \t]*include")
    foreach(line IN LISTS lines)
      if(line MATCHES "[<\"](hyperdefect/[^>\"]+)[>\"]" AND EXISTS "${PROJECT_SOURCE_DIR}/lib/${CMAKE_MATCH_1}")
        _hyperdefect_reaches_torch(below "${CMAKE_MATCH_1}")
      else()
        string(FIND "${line}" "<torch/" place)
        string(COMPARE GREATER "${place}" -1 below)
      endif()
      if(below)
        set(answer ON)
        break()
      endif()
    endforeach()
    set_property(GLOBAL PROPERTY "HYPERDEFECT_REACHES_TORCH:${header}" "${answer}")
  endif()
  set(${result} "${answer}" PARENT_SCOPE)
endfunction()

# The target headers_alone, built on request, compiles every public header as a source file of its own. One that reaches
# torch may have the precompiled headers of its room; any other must do without.
function(_hyperdefect_check_headers room)
  set(target hyperdefect_${room}_headers)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/lib" OUTPUT_VARIABLE folder)
  set(sources)
  foreach(header IN LISTS ARGN)
    set(source "${CMAKE_CURRENT_BINARY_DIR}/headers_alone/${header}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include \"${folder}/${header}\"\n#include \"${folder}/${header}\"\n")
    list(APPEND sources "${source}")
    _hyperdefect_reaches_torch(reaches_torch "${folder}/${header}")
    if(NOT reaches_torch)
      set_source_files_properties("${source}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_link_libraries(${target} PRIVATE hyperdefect_compile_options hyperdefect_${room})
  target_compile_options(${target} PRIVATE $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-O1>)
  get_target_property(reused hyperdefect_${room} PRECOMPILE_HEADERS_REUSE_FROM)
  if(reused)
    target_precompile_headers(${target} REUSE_FROM ${reused})
  endif()
  if(NOT TARGET headers_alone)
    add_custom_target(headers_alone)
  endif()
  add_dependencies(headers_alone ${target})
endfunction()

# hyperdefect_add_room(NAME [TENSORS|MODULES] [PAIRS ...] [HEADERS ...] [SOURCES ...] [ROOMS ...] [PRIVATE ...])
#   A room of the library: the static library hyperdefect_NAME, exported as hyperdefect::NAME.
#   TENSORS or MODULES says what of torch it takes (hyperdefect_use_torch).
#   HEADERS are installed, SOURCES are not; a name in PAIRS stands for NAME.h in HEADERS and NAME.cpp in SOURCES.
#   ROOMS are the rooms below it that it takes; PRIVATE are packages that only its sources see.
function(hyperdefect_add_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "TENSORS;MODULES" "" "PAIRS;HEADERS;SOURCES;ROOMS;PRIVATE")
  foreach(name_of_pair IN LISTS ROOM_PAIRS)
    list(APPEND ROOM_HEADERS ${name_of_pair}.h)
    list(APPEND ROOM_SOURCES ${name_of_pair}.cpp)
  endforeach()
  set(target hyperdefect_${name})
  add_library(${target} STATIC ${ROOM_SOURCES})
  add_library(hyperdefect::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/lib" FILES ${ROOM_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:hyperdefect_compile_options> ${ROOM_PRIVATE})
  list(TRANSFORM ROOM_ROOMS PREPEND hyperdefect_)
  target_link_libraries(${target} PUBLIC ${ROOM_ROOMS})
  foreach(kind TENSORS MODULES)
    if(ROOM_${kind})
      target_link_libraries(${target} PUBLIC HyperdefectTorch::all)
      hyperdefect_use_torch(${target} ${kind})
    endif()
  endforeach()
  if(HYPERDEFECT_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage)
  endif()
  _hyperdefect_check_headers(${name} ${ROOM_HEADERS})
  set_property(GLOBAL APPEND PROPERTY HYPERDEFECT_ROOM_FOLDERS "${CMAKE_CURRENT_SOURCE_DIR}")
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

# A process a case would load LibTorch for each, which takes longer than most cases: a process runs a share of them.
# Its report goes to test_results/NAME.SHARE.xml, which scripts/count_tests.py counts.
function(_hyperdefect_add_shares name shares labels)
  foreach(share RANGE 1 ${shares})
    math(EXPR index "${share} - 1")
    set(test "${name}.${share}_of_${shares}")
    add_test(NAME ${test} COMMAND ${name}_tests "--gtest_output=xml:${PROJECT_BINARY_DIR}/test_results/${test}.xml")
    set_tests_properties(${test} PROPERTIES LABELS "${labels}" TIMEOUT 1800
                         ENVIRONMENT "GTEST_TOTAL_SHARDS=${shares};GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()

# hyperdefect_add_tests(NAME [TENSORS|MODULES] [SANITIZE address|thread ...] [SOURCES ...] LINK ... [LABELS ...])
#   The tests of a room: one GoogleTest program NAME_tests, one ctest entry for each four of its source files. Without
#   SOURCES these are all *_test.cpp of the folder.
#   SANITIZE names the sanitizers that it runs under in reasonable time (scripts/sanitize.sh); a build with another
#   one leaves it out.
function(hyperdefect_add_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 TESTS "TENSORS;MODULES" "" "SOURCES;LINK;LABELS;SANITIZE")
  if(NOT TESTS_SOURCES)
    file(GLOB TESTS_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp")
  endif()
  set(target ${name}_tests)
  add_executable(${target} ${TESTS_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  hyperdefect_declare_test_files()
  target_link_libraries(${target} PRIVATE
    hyperdefect_compile_options hyperdefect_test_files ${TESTS_LINK} GTest::gtest_main)
  # Half the time to compile; what the tests call is optimised in full. GCC takes the precompiled header of -O3.
  target_compile_options(${target} PRIVATE $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-O1>)
  foreach(kind TENSORS MODULES)
    if(TESTS_${kind})
      hyperdefect_use_torch(${target} ${kind})
    endif()
  endforeach()
  if(HYPERDEFECT_SANITIZE)
    string(REPLACE "," "|" built_in "${HYPERDEFECT_SANITIZE}")
    list(FILTER TESTS_SANITIZE INCLUDE REGEX "^(${built_in})$")
    if(NOT TESTS_SANITIZE)
      set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
      return()
    endif()
    if(NOT TARGET sanitized_tests)
      add_custom_target(sanitized_tests)
    endif()
    add_dependencies(sanitized_tests ${target})
  endif()
  list(LENGTH TESTS_SOURCES files)
  math(EXPR shares "(${files} + 3) / 4")
  _hyperdefect_add_shares(${name} ${shares} "${name};${TESTS_LABELS}")
  if(HYPERDEFECT_SANITIZE MATCHES "address" AND "GDAL::GDAL" IN_LIST TESTS_LINK)
    # scripts/lsan.supp names a function of GDAL, which has no frame pointers: whole stacks take ten times as long.
    foreach(share RANGE 1 ${shares})
      set_tests_properties(${name}.${share}_of_${shares} PROPERTIES
                           ENVIRONMENT_MODIFICATION "ASAN_OPTIONS=string_append::fast_unwind_on_malloc=0")
    endforeach()
  endif()
endfunction()
