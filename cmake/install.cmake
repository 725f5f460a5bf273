# What `cmake --install` puts in place: library, header, command with its manual page and completion, and the files by which find_package and pkg-config
# find them.
include(CMakePackageConfigHelpers)

install(TARGETS jacchain EXPORT jacchainTargets)
file(GLOB public_headers CONFIGURE_DEPENDS include/*.h)
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET jacchain_command)
  install(TARGETS jacchain_command)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/jacchain.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/jacchain.bash RENAME jacchain
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/jacchain)
install(EXPORT jacchainTargets NAMESPACE jacchain:: DESTINATION ${package_dir})
configure_package_config_file(cmake/jacchainConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/jacchainConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/jacchainConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/jacchainConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/jacchainConfigVersion.cmake
  DESTINATION ${package_dir})

# A static library brings the libraries it uses along; a shared one has them linked in.
set(PC_PRIVATE_LIBS "-pthread -lm")
if(NOT JACCHAIN_BARE)
  string(PREPEND PC_PRIVATE_LIBS "${OPENBLAS_LIBRARY} ")
  set(PC_REQUIRES "jansson gmp")
endif()
if(JACCHAIN_HAS_CUDA)
  list(TRANSFORM JACCHAIN_CUDA_SYSTEM_LIBRARIES PREPEND " -l" OUTPUT_VARIABLE flags)
  string(APPEND PC_PRIVATE_LIBS ${flags})
endif()
if(BUILD_SHARED_LIBS)
  set(PC_LINES "Requires.private: ${PC_REQUIRES}\nLibs: -L\${libdir} -ljacchain\nLibs.private: ${PC_PRIVATE_LIBS}")
else()
  set(PC_LINES "Requires: ${PC_REQUIRES}\nLibs: -L\${libdir} -ljacchain ${PC_PRIVATE_LIBS}")
endif()
# The prefix is said relative to the file itself: it may still change by `cmake --install --prefix`.
file(RELATIVE_PATH PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" PC_PREFIX ${PC_PREFIX})
configure_file(cmake/jacchain.pc.in ${CMAKE_CURRENT_BINARY_DIR}/jacchain.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/jacchain.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
