# One static library per folder of src/ and one test program per folder of tests/.

# slipway_library(NAME sources... [LINKS targets...])  ->  target slipway_NAME
function(slipway_library name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  add_library(slipway_${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(slipway_${name} PUBLIC slipway_settings ${ARG_LINKS})
endfunction()

# Every test program, for the sanitizer presets that build nothing else.
add_custom_target(unit_tests)

# slipway_test(NAME sources... [LINKS targets...])  ->  program NAME_test, its cases discovered for ctest
function(slipway_test name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  add_executable(${name}_test ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name}_test PRIVATE slipway_settings ${ARG_LINKS} GTest::gmock GTest::gtest_main)
  add_dependencies(unit_tests ${name}_test)
  gtest_discover_tests(${name}_test TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300 LABELS unit)
endfunction()
