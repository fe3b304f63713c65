# Everything comes from Debian packages (scripts/install-dependencies.sh names them). Headers are SYSTEM.
if(POLICY CMP0167)
  cmake_policy(SET CMP0167 NEW)  # CMake's own FindBoost is gone; Boost's configuration files are used
endif()
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(SQLite3 REQUIRED)

add_library(slipway_boost INTERFACE)
target_include_directories(slipway_boost SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
# Process v2: pidfd_open may be refused by a seccomp profile, and 1.81 then throws after the child has started.
target_compile_definitions(slipway_boost INTERFACE BOOST_PROCESS_V2_DISABLE_PIDFD_OPEN BOOST_PROCESS_USE_STD_FS
                           BOOST_PROCESS_V2_HEADER_ONLY BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(slipway_boost INTERFACE Threads::Threads)

# The static program needs the archive; the shared library is what find_package offers.
find_library(YAML_CPP_ARCHIVE NAMES libyaml-cpp.a REQUIRED)
add_library(slipway_yaml INTERFACE)
target_link_libraries(slipway_yaml INTERFACE "${YAML_CPP_ARCHIVE}")

# As archives, whatever the program: bookworm's RE2 stands alone, trixie's needs parts of Abseil.
pkg_check_modules(RE2 REQUIRED re2)
add_library(slipway_re2 INTERFACE)
foreach(name IN LISTS RE2_STATIC_LIBRARIES)
  find_library(RE2_ARCHIVE_${name} NAMES lib${name}.a)
  if(RE2_ARCHIVE_${name})
    target_link_libraries(slipway_re2 INTERFACE "${RE2_ARCHIVE_${name}}")
  endif()
endforeach()
target_link_libraries(slipway_re2 INTERFACE Threads::Threads)

# Time zones that are look-ups in memory. The archives again, in the order pkg-config gives.
pkg_check_modules(ABSL_TIME REQUIRED absl_time)
add_library(slipway_time_zones INTERFACE)
foreach(name ${ABSL_TIME_LIBRARIES})
  if(name MATCHES "^absl_")
    find_library(ARCHIVE_${name} NAMES lib${name}.a REQUIRED)
    target_link_libraries(slipway_time_zones INTERFACE "${ARCHIVE_${name}}")
  endif()
endforeach()
target_link_libraries(slipway_time_zones INTERFACE Threads::Threads)

find_package(spdlog REQUIRED)
