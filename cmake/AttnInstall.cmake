# What `cmake --install` puts where: libraries for find_package(attn), headers
# with those that TableGen wrote, tools. Test libraries and tools stay behind.
include(CMakePackageConfigHelpers)
set(ATTN_INSTALL_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/attn")

foreach(kind LIBRARIES TOOLS)
  get_property(targets GLOBAL PROPERTY ATTN_${kind})
  set(ATTN_INSTALL_${kind})
  foreach(target ${targets})
    get_target_property(directory ${target} SOURCE_DIR)
    if(directory MATCHES "^${CMAKE_SOURCE_DIR}/(lib|tools)/")
      list(APPEND ATTN_INSTALL_${kind} ${target})
    endif()
  endforeach()
endforeach()

# Tools find the libraries of LLVM where the build found them.
set_target_properties(${ATTN_INSTALL_TOOLS} PROPERTIES
  INSTALL_RPATH_USE_LINK_PATH ON)

install(TARGETS ${ATTN_INSTALL_LIBRARIES} ${ATTN_INSTALL_TOOLS}
  EXPORT AttnTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(EXPORT AttnTargets NAMESPACE attn::
  DESTINATION "${ATTN_INSTALL_CMAKE_DIR}")

install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/attn"
                  "${CMAKE_BINARY_DIR}/include/attn"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
  PATTERN "CMakeFiles" EXCLUDE)

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/attn-config.cmake.in"
  "${CMAKE_BINARY_DIR}/cmake/attn-config.cmake"
  INSTALL_DESTINATION "${ATTN_INSTALL_CMAKE_DIR}")
write_basic_package_version_file(
  "${CMAKE_BINARY_DIR}/cmake/attn-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/cmake/attn-config.cmake"
              "${CMAKE_BINARY_DIR}/cmake/attn-config-version.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/FindOpenMPRuntime.cmake"
  DESTINATION "${ATTN_INSTALL_CMAKE_DIR}")
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" "${CMAKE_SOURCE_DIR}/README.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")
