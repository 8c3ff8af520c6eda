# `cmake --install` puts the headers, the libraries and the command line where find_package(cfd) finds them.
include(CMakePackageConfigHelpers)

set(cfd_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cfd)
get_property(cfd_libraries GLOBAL PROPERTY CFD_LIBRARIES)

install(TARGETS ${cfd_libraries} cfd_everything cfd_testing EXPORT cfd ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT cfd NAMESPACE cfd:: FILE cfd-targets.cmake DESTINATION ${cfd_package_dir})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/cfd DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET cfd_command)
  install(TARGETS cfd_command DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/cfd-config.cmake.in
  ${PROJECT_BINARY_DIR}/cfd-config.cmake INSTALL_DESTINATION ${cfd_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cfd-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cfd-config.cmake ${PROJECT_BINARY_DIR}/cfd-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/CfdDependencies.cmake DESTINATION ${cfd_package_dir})
