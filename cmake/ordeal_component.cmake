# ordeal_component(NAME <name> SOURCES ... HEADERS ... [DEPENDS ...] [PRIVATE_DEPENDS ...] [PCH])
#
# One static library a folder: target ordeal_<name>, alias ordeal::<name>. Include paths start at the root.
# PCH precompiles the Asio headers, for components made of coroutines.
function(ordeal_component)
  cmake_parse_arguments(arg "PCH" "NAME" "SOURCES;HEADERS;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  set(target ordeal_${arg_NAME})
  add_library(${target} STATIC)
  add_library(ordeal::${arg_NAME} ALIAS ${target})
  target_sources(${target} PRIVATE ${arg_SOURCES}
    PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${arg_HEADERS})
  target_link_libraries(${target} PUBLIC ${arg_DEPENDS} PRIVATE ordeal_warnings ${arg_PRIVATE_DEPENDS})
  if(arg_PCH)
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/asio_pch.h)
  endif()
endfunction()

# ordeal_test(<name> LABEL <label> SOURCES ... [DEPENDS ...] [TIMEOUT seconds] [PCH])
#
# The tests' own code is compiled without optimisation, in half the time: what calculates for long belongs in a component.
function(ordeal_test name)
  cmake_parse_arguments(arg "PCH" "LABEL;TIMEOUT" "SOURCES;DEPENDS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ordeal_warnings ${arg_DEPENDS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${name} PRIVATE -O0)
  if(arg_PCH)
    target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/asio_pch.h)
  endif()
  set_property(GLOBAL APPEND PROPERTY ordeal_tests_${arg_LABEL} ${name})
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
endfunction()
