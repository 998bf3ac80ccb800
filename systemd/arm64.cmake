# SPDX-License-Identifier: Apache-2.0
# Builds for arm64 on another machine: Debian's cross compiler, and Debian's arm64 packages unpacked into a folder
# (systemd/for_arm64 unpacks them).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

file(REAL_PATH ../build/parts/sysroot-arm64 CMAKE_SYSROOT BASE_DIRECTORY ${CMAKE_CURRENT_LIST_DIR})
if(NOT EXISTS ${CMAKE_SYSROOT}/.unpacked)
  message(FATAL_ERROR "${CMAKE_SYSROOT} is not there: systemd/for_arm64 unpacks it, and builds")
endif()
# Programs are this machine's, everything else is in there.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
  ${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)

# Messages of assertions in headers name them as on a machine of that kind.
set(CMAKE_C_FLAGS_INIT -ffile-prefix-map=${CMAKE_SYSROOT}=)
set(CMAKE_CXX_FLAGS_INIT -ffile-prefix-map=${CMAKE_SYSROOT}=)
