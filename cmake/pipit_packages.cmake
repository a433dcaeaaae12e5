# SPDX-License-Identifier: Apache-2.0
# The Debian packages, which scripts/package makes: pipit (the programs, as a service), libpipit0 and
# libpipit-dev. What only they install is left out of `cmake --install`.
set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "Pipit authors <pipit@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # Each package has its own.
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_SET_DESTDIR ON) # For /etc.
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/pack_pages.cmake)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL program library development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME pipit)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "NATS server and command line
Pipit speaks the NATS protocol: publish and subscribe, wildcards, queue groups
and requests, with the options, configuration files, signals and monitoring of
nats-server. The command line publishes, subscribes, asks, measures and checks,
with this server and with any other.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA
  ${debian}/postinst ${debian}/prerm ${debian}/postrm ${debian}/conffiles)

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libpipit${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "NATS in C++ - library
What programs that were built with libpipit-dev need to run.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
# Until 1.0.0 another minor version is another interface.
math(EXPR next_minor "${PROJECT_VERSION_MINOR} + 1")
file(CONFIGURE OUTPUT packages.in/shlibs CONTENT "libpipit ${PROJECT_VERSION_MAJOR} \
libpipit${PROJECT_VERSION_MAJOR} (>= ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}), \
libpipit${PROJECT_VERSION_MAJOR} (<< ${PROJECT_VERSION_MAJOR}.${next_minor}~)\n")
file(CONFIGURE OUTPUT packages.in/triggers CONTENT "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
  ${PROJECT_BINARY_DIR}/packages.in/shlibs ${PROJECT_BINARY_DIR}/packages.in/triggers)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libpipit-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "NATS in C++ - headers
The protocol without any I/O, a client and a server to embed, for C++20
programs that are built with CMake or pkg-config.")
string(REGEX MATCH "^[0-9]+\\.[0-9]+" boost_series ${Boost_VERSION_STRING})
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS libboost${boost_series}-dev)
set(CPACK_COMPONENT_DEVELOPMENT_DEPENDS library)

# The service.
install(FILES ${debian}/pipit.conf DESTINATION /etc/pipit COMPONENT program EXCLUDE_FROM_ALL)
install(FILES ${debian}/pipit.service DESTINATION /lib/systemd/system
  COMPONENT program EXCLUDE_FROM_ALL)

# Each package says whose it is and what changed.
string(TIMESTAMP changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(changelog ${PROJECT_BINARY_DIR}/packages.in/changelog.Debian)
configure_file(${debian}/changelog.in ${changelog} @ONLY)
add_custom_command(OUTPUT ${changelog}.gz DEPENDS ${changelog}
  COMMAND gzip -9n < ${changelog} > ${changelog}.gz VERBATIM)
set(news ${PROJECT_BINARY_DIR}/packages.in/changelog)
add_custom_command(OUTPUT ${news}.gz DEPENDS ${PROJECT_SOURCE_DIR}/CHANGELOG.md
  COMMAND gzip -9n < ${PROJECT_SOURCE_DIR}/CHANGELOG.md > ${news}.gz VERBATIM)
add_custom_target(package_changelogs ALL DEPENDS ${changelog}.gz ${news}.gz)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  install(FILES ${changelog}.gz ${news}.gz ${debian}/copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME}
    COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

include(CPack)
