# attn_add_library(NAME SOURCE... [LINK_LIBS LIB...]) adds a static library of
# the project. Every library depends on the generated headers and links the
# packaged libMLIR.so, never a static MLIR archive beside it.
function(attn_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  add_library(attn::${name} ALIAS ${name})
  add_dependencies(${name} AttnIncGen)
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS} MLIR LLVM)
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_precompile_headers(${name} REUSE_FROM AttnPrecompiled)
  set_property(GLOBAL APPEND PROPERTY ATTN_LIBRARIES ${name})
endfunction()

# attn_add_tool(NAME SOURCE... [LINK_LIBS LIB...]) adds an executable under
# build/bin.
function(attn_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} MLIR LLVM)
  set_property(GLOBAL APPEND PROPERTY ATTN_TOOLS ${name})
endfunction()
