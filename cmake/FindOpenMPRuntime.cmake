# LLVM's OpenMP runtime, which compiled kernels call, as
# OpenMPRuntime::OpenMPRuntime.
find_library(OpenMPRuntime_LIBRARY NAMES omp
             HINTS /usr/lib/llvm-22/lib ${LLVM_LIBRARY_DIR})
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenMPRuntime
  REQUIRED_VARS OpenMPRuntime_LIBRARY)
if(OpenMPRuntime_FOUND AND NOT TARGET OpenMPRuntime::OpenMPRuntime)
  add_library(OpenMPRuntime::OpenMPRuntime SHARED IMPORTED)
  set_target_properties(OpenMPRuntime::OpenMPRuntime PROPERTIES
    IMPORTED_LOCATION "${OpenMPRuntime_LIBRARY}")
endif()
