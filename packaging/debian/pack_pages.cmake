# SPDX-License-Identifier: Apache-2.0
# Manual pages as Debian keeps them; CPack runs this before it packs what was installed.
file(GLOB_RECURSE pages "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/program/usr/share/man/*.[1-8]")
foreach(page IN LISTS pages)
  execute_process(COMMAND gzip -9n ${page} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
