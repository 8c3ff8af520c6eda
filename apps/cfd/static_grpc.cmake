# Links a program with the archives of gRPC, protobuf and what they need instead of the shared libraries: some sixty of
# those take a process longer to load than all the rest of its start. The program must use insecure channels alone,
# because these are the archives without TLS. Where one is missing, the program keeps the shared libraries.
function(cfd_link_grpc_statically target)
  # A sanitizer's suppressions name gRPC by its shared library.
  if(CFD_SANITIZE)
    return()
  endif()
  pkg_check_modules(GRPC_UNSECURE grpc++_unsecure)
  set(archives)
  # Debian's .pc files leave out what gRPC takes from outside of it.
  foreach(name ${GRPC_UNSECURE_STATIC_LIBRARIES} address_sorting cares re2 upb protobuf z)
    if(name STREQUAL "rt" OR name STREQUAL "atomic")
      continue()  # of the compiler
    endif()
    find_library(CFD_ARCHIVE_${name} NAMES lib${name}.a)
    if(NOT CFD_ARCHIVE_${name})
      message(STATUS "${target} is linked with gRPC's shared libraries: there is no lib${name}.a")
      return()
    endif()
    list(APPEND archives ${CFD_ARCHIVE_${name}})
  endforeach()
  if(NOT archives)
    return()
  endif()
  list(REMOVE_DUPLICATES archives)
  list(JOIN archives "," group)
  # The archives come first on the command line, and leave nothing for which a shared library would be needed.
  target_link_options(${target} PRIVATE LINKER:--as-needed LINKER:--gc-sections)
  target_link_libraries(${target} PRIVATE "$<LINK_GROUP:RESCAN,${group}>")
endfunction()
