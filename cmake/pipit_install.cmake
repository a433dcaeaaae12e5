# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` lays down, and how other projects find it: one library, libpipit, made of
# all modules (docs/adr/012); a target and a pkg-config file for each of its parts. (The programs install themselves.)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(pipit_parts protocol client server)

# pipit_links(<module> PUBLIC <out> PRIVATE <out> MODULES <out>): what a module links, all the way
# down: other projects' targets, and our modules.
function(pipit_links module)
  cmake_parse_arguments(arg "" "PUBLIC;PRIVATE;MODULES" "" ${ARGN})
  set(public "")
  set(private "")
  set(modules ${module})
  set(waiting ${module})
  while(waiting)
    list(POP_FRONT waiting current)
    get_target_property(links ${current} INTERFACE_LINK_LIBRARIES)
    foreach(link IN LISTS links)
      string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" name "${link}")
      if(name MATCHES "^(pipit_|Pipit::)")
        string(REPLACE "Pipit::" "pipit_" name ${name})
        if(NOT name IN_LIST modules)
          list(APPEND modules ${name})
          list(APPEND waiting ${name})
        endif()
      elseif(name STREQUAL link)
        list(APPEND public ${name})
      else()
        list(APPEND private ${name})
      endif()
    endforeach()
  endwhile()
  list(REMOVE_DUPLICATES public)
  list(REMOVE_DUPLICATES private)
  list(REMOVE_ITEM private ${public})
  set(${arg_PUBLIC} ${public} PARENT_SCOPE)
  set(${arg_PRIVATE} ${private} PARENT_SCOPE)
  set(${arg_MODULES} ${modules} PARENT_SCOPE)
endfunction()

# How others find what we link: a row each, for CMake and for pkg-config.
#   pipit_found_by_<target>   a line of PipitConfig.cmake
#   pipit_needs_<target>      what a pkg-config file requires; or
#   pipit_linked_by_<target>  what it links
# Classes of Boost are part of the interface, so others need the Boost that the library was built with.
string(CONCAT boost "find_dependency(Boost ${Boost_VERSION_STRING} EXACT)")
set(pipit_found_by_Boost::headers "${boost}")
string(CONCAT pipit_found_by_Boost::json
  "find_dependency(Boost ${Boost_VERSION_STRING} EXACT COMPONENTS json)")
set(pipit_linked_by_Boost::json "-lboost_json -lboost_container")
set(pipit_found_by_Threads::Threads "find_dependency(Threads)")
set(pipit_linked_by_Threads::Threads "-pthread")
set(pipit_found_by_ZLIB::ZLIB "find_dependency(ZLIB)")
set(pipit_needs_ZLIB::ZLIB zlib)
set(pipit_found_by_OpenSSL::SSL "find_dependency(OpenSSL)")
set(pipit_needs_OpenSSL::SSL openssl)
set(pipit_found_by_OpenSSL::Crypto "find_dependency(OpenSSL)")
set(pipit_needs_OpenSSL::Crypto libcrypto)
foreach(name IN ITEMS libsodium libcrypt libxxhash snappy)
  string(REPLACE libxxhash xxhash target ${name})
  set(pipit_found_by_PkgConfig::${target}
    "find_dependency(PkgConfig)\n    pkg_check_modules(${target} QUIET REQUIRED IMPORTED_TARGET ${name})")
  set(pipit_needs_PkgConfig::${target} ${name})
endforeach()

add_library(pipit_library "")
set_target_properties(pipit_library PROPERTIES OUTPUT_NAME pipit EXPORT_NAME pipit
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE CXX
  VERIFY_INTERFACE_HEADER_SETS OFF) # The modules' own are verified.
target_include_directories(pipit_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(pipit_library INTERFACE cxx_std_20)

set(library_modules "")
set(pipit_installed_parts "")
set(pipit_finds "")
file(RELATIVE_PATH pipit_prefix_of_pc
  /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pipit_prefix_of_pc "${pipit_prefix_of_pc}")

foreach(part IN LISTS pipit_parts)
  if(NOT TARGET pipit_${part})
    continue()
  endif()
  list(APPEND pipit_installed_parts ${part})
  pipit_links(pipit_${part} PUBLIC public PRIVATE private MODULES modules)
  list(APPEND library_modules ${modules})
  if(BUILD_SHARED_LIBS) # It brings along what it needs itself.
    set(private "")
  endif()

  # Pipit::<part>, and what PipitConfig.cmake looks for when it is asked for.
  add_library(pipit_part_${part} INTERFACE)
  set_target_properties(pipit_part_${part} PROPERTIES EXPORT_NAME ${part})
  target_link_libraries(pipit_part_${part} INTERFACE pipit_library ${public})
  install(TARGETS pipit_part_${part} EXPORT PipitTargets)
  string(APPEND pipit_finds "if(\"${part}\" IN_LIST Pipit_FIND_COMPONENTS)\n")
  set(pipit_requires "")
  set(pipit_libraries "")
  foreach(link IN LISTS public private)
    if(NOT DEFINED pipit_found_by_${link})
      message(FATAL_ERROR "pipit_install.cmake has no row for ${link}: how do others find it?")
    endif()
    string(APPEND pipit_finds "    ${pipit_found_by_${link}}\n")
    string(APPEND pipit_requires " ${pipit_needs_${link}}")
    string(APPEND pipit_libraries " ${pipit_linked_by_${link}}")
  endforeach()
  string(APPEND pipit_finds "    set(Pipit_${part}_FOUND TRUE)\nendif()\n")
  foreach(link IN LISTS private)
    target_link_libraries(pipit_part_${part} INTERFACE $<LINK_ONLY:${link}>)
    # The archive comes before what it needs, in whatever order others name it.
    target_link_libraries(pipit_library INTERFACE $<LINK_ONLY:$<TARGET_NAME_IF_EXISTS:${link}>>)
  endforeach()

  string(REGEX REPLACE " +" " " pipit_requires "${pipit_requires}")
  string(REGEX REPLACE " +" " " pipit_libraries "${pipit_libraries}")
  set(pipit_part ${part})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/pipit.pc.in pipit-${part}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/pipit-${part}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endforeach()

list(REMOVE_DUPLICATES library_modules)
foreach(module IN LISTS library_modules)
  target_sources(pipit_library PRIVATE $<TARGET_OBJECTS:${module}>)
  get_target_property(headers ${module} HEADER_SET)
  get_target_property(folder ${module} SOURCE_DIR)
  list(TRANSFORM headers PREPEND ${folder}/ REGEX "^[^/]")
  target_sources(pipit_library PUBLIC FILE_SET HEADERS
    BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${headers})
  if(BUILD_SHARED_LIBS)
    pipit_links(${module} PUBLIC public PRIVATE private MODULES modules)
    target_link_libraries(pipit_library PRIVATE ${public} ${private})
  endif()
endforeach()
if(BUILD_SHARED_LIBS)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/pipit.map.in pipit.map @ONLY)
  target_link_options(pipit_library PRIVATE LINKER:--version-script=${PROJECT_BINARY_DIR}/pipit.map
    LINKER:--no-undefined)
  set_target_properties(pipit_library PROPERTIES LINK_DEPENDS ${PROJECT_BINARY_DIR}/pipit.map)
endif()

# What others find.
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Pipit)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/PipitConfig.cmake.in PipitConfig.cmake
  INSTALL_DESTINATION ${package_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(PipitConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/PipitConfig.cmake ${PROJECT_BINARY_DIR}/PipitConfigVersion.cmake
  DESTINATION ${package_folder} COMPONENT development)
install(EXPORT PipitTargets NAMESPACE Pipit:: DESTINATION ${package_folder} COMPONENT development)
install(TARGETS pipit_library EXPORT PipitTargets
  LIBRARY COMPONENT library NAMELINK_COMPONENT development
  ARCHIVE COMPONENT development
  FILE_SET HEADERS COMPONENT development)

install(FILES NOTICE THIRD_PARTY.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
# The packages have these in Debian's way.
install(FILES LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documents)

include(${CMAKE_CURRENT_LIST_DIR}/pipit_packages.cmake)
