# Compiler settings live in one INTERFACE target that every target of the project links.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(slipway_settings INTERFACE)
target_compile_features(slipway_settings INTERFACE cxx_std_20)
target_include_directories(slipway_settings INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_BINARY_DIR}/generated")
target_compile_options(slipway_settings INTERFACE -Wall -Wextra -Wshadow -Wconversion
                       $<$<BOOL:${SLIPWAY_WARNINGS_AS_ERRORS}>:-Werror>)
if(SLIPWAY_SANITIZERS)
  target_compile_options(slipway_settings INTERFACE -fsanitize=${SLIPWAY_SANITIZERS} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  if(SLIPWAY_SANITIZERS MATCHES "thread")
    # Asio's fences are not understood: synchronisation by them alone would be reported, but never missed.
    target_compile_options(slipway_settings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
  target_link_options(slipway_settings INTERFACE -fsanitize=${SLIPWAY_SANITIZERS})
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/version.hpp.in" "${PROJECT_BINARY_DIR}/generated/version.hpp")
