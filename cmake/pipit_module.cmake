# SPDX-License-Identifier: Apache-2.0

# The flags of everything that is ours.
function(pipit_target_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-missing-field-initializers)
  if(PIPIT_STRICT)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# What carries a label is built by <label>_tests, so that a preset can build and run it alone:
# `threads` for ThreadSanitizer, `conformance` for the release build (scripts/test).
foreach(label threads conformance)
  add_custom_target(${label}_tests)
endforeach()
add_custom_target(fuzzers)    # scripts/fuzz
add_custom_target(benchmarks) # scripts/bench

# What only tests need not be fast, but soon there.
function(pipit_test_flags target)
  pipit_target_flags(${target})
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O0>)
endfunction()

# Reads these headers once for the whole target, where a build asks for that. Each source still
# includes what it uses: the other builds do not have this.
function(pipit_precompile target)
  if(PIPIT_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} PRIVATE <algorithm> <array> <chrono> <functional> <map>
      <memory> <optional> <span> <string> <string_view> <variant> <vector> ${ARGN})
  endif()
endfunction()

# Makes a test program from a list of sources and registers every test of it.
function(pipit_test target)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;LABELS;PRECOMPILED" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LINKS} GTest::gtest GTest::gtest_main)
  pipit_test_flags(${target})
  pipit_precompile(${target} <gtest/gtest.h> ${arg_PRECOMPILED})
  gtest_discover_tests(${target} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${arg_LABELS}")
  foreach(label IN LISTS arg_LABELS)
    add_dependencies(${label}_tests ${target})
  endforeach()
endfunction()

# Registers a program that drives ours from outside, and builds what it drives.
#
#   pipit_program_test(NAME end_to_end.startup COMMAND python3 … [LABELS …] [DEPENDS pipit-server])
#
# It runs with what scripts/test puts first on PATH: python3 with nats-py, node, go.
function(pipit_program_test)
  cmake_parse_arguments(arg "" "NAME;TIMEOUT" "COMMAND;LABELS;DEPENDS" ${ARGN})
  add_test(NAME ${arg_NAME} COMMAND env ${arg_COMMAND})
  set_tests_properties(${arg_NAME} PROPERTIES LABELS "${arg_LABELS}")
  if(arg_TIMEOUT)
    set_tests_properties(${arg_NAME} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  endif()
  foreach(label IN LISTS arg_LABELS)
    if(arg_DEPENDS)
      add_dependencies(${label}_tests ${arg_DEPENDS})
    endif()
  endforeach()
endfunction()

# Makes the library of one folder under src/pipit, with what stands beside its sources:
# tests (one program), fuzzers (libFuzzer, or a replay of the corpus) and benchmarks.
#
#   pipit_module(NAME protocol HEADERS … SOURCES … TESTS … FUZZERS … BENCHMARKS …
#                PRECOMPILED <headers of others that many of the sources include>
#                LINKS <public> PRIVATE_LINKS <private> TEST_LINKS <tests only>
#                TEST_LABELS <threads, if the tests have some>)
#
# Each is an archive, in a build of shared libraries too: the programs and the tests link modules, and
# libpipit (pipit_install.cmake) is made of the same objects. HEADERS are installed; the rest of
# <module>/detail/ belongs to the module alone.
function(pipit_module)
  cmake_parse_arguments(arg "" "NAME"
    "HEADERS;SOURCES;PRECOMPILED;TESTS;FUZZERS;BENCHMARKS;LINKS;PRIVATE_LINKS;TEST_LINKS;TEST_LABELS" ${ARGN})
  set(target pipit_${arg_NAME})
  add_library(${target} STATIC ${arg_SOURCES})
  if(BUILD_SHARED_LIBS)
    # What is exported is said by pipit.map.in, not by each class: docs/adr/012.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON
      CXX_VISIBILITY_PRESET default VISIBILITY_INLINES_HIDDEN OFF)
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  endif()
  add_library(Pipit::${arg_NAME} ALIAS ${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS
    BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${arg_HEADERS})
  target_link_libraries(${target} PUBLIC ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
  pipit_target_flags(${target})
  pipit_precompile(${target} ${arg_PRECOMPILED})

  if(PIPIT_TESTS AND arg_TESTS)
    pipit_test(${target}_test SOURCES ${arg_TESTS} LINKS ${target} ${arg_TEST_LINKS}
      LABELS ${arg_TEST_LABELS} PRECOMPILED ${arg_PRECOMPILED})
  endif()
  foreach(source IN LISTS arg_FUZZERS)
    if(NOT PIPIT_FUZZERS AND NOT (PIPIT_TESTS AND PIPIT_REPLAYS))
      continue()
    endif()
    get_filename_component(fuzzer ${source} NAME_WE) # parser_fuzz
    set(fuzzer_target ${target}_${fuzzer})
    if(PIPIT_FUZZERS)
      add_executable(${fuzzer_target} ${source})
      target_link_options(${fuzzer_target} PRIVATE -fsanitize=fuzzer)
      add_dependencies(fuzzers ${fuzzer_target})
    else()
      add_executable(${fuzzer_target} ${source})
      target_link_libraries(${fuzzer_target} PRIVATE pipit_replay)
      add_test(NAME replay.${arg_NAME}.${fuzzer}
        COMMAND ${fuzzer_target} ${PROJECT_SOURCE_DIR}/tests/corpus/${fuzzer})
    endif()
    target_link_libraries(${fuzzer_target} PRIVATE ${target} ${arg_TEST_LINKS})
    pipit_test_flags(${fuzzer_target})
  endforeach()
  if(PIPIT_BENCHMARKS AND arg_BENCHMARKS)
    add_executable(${target}_bench ${arg_BENCHMARKS})
    target_link_libraries(${target}_bench PRIVATE ${target} benchmark::benchmark benchmark::benchmark_main)
    pipit_target_flags(${target}_bench)
    add_dependencies(benchmarks ${target}_bench)
  endif()
endfunction()
