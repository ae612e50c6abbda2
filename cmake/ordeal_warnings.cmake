# Warnings live on an INTERFACE target, so that no flag leaks into foreign headers or CMAKE_CXX_FLAGS.
option(ORDEAL_WERROR "Treat warnings as errors" OFF)
set(ORDEAL_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=, or empty")

add_library(ordeal_warnings INTERFACE)
target_compile_options(ordeal_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Wswitch-enum
  $<$<BOOL:${ORDEAL_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # TOOLCHAIN(gcc-12): false reports for `auto [ec, n] = co_await ...` and for coroutine frames at -O2.
  target_compile_options(ordeal_warnings INTERFACE -Wno-maybe-uninitialized -Wno-mismatched-new-delete)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # A precompiled header stays good when a system header was installed again with the same content.
  add_compile_options("SHELL:-Xclang -fvalidate-ast-input-files-content")
endif()

if(ORDEAL_SANITIZE)
  add_compile_options(-fsanitize=${ORDEAL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${ORDEAL_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # TOOLCHAIN(clang-14): the function check puts data before split coroutines that cannot be assembled.
    add_compile_options(-fno-sanitize=function)
  endif()
endif()
