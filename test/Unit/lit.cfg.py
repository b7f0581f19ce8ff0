# GoogleTest binaries, which the build puts into build/test/Unit, as tests.

import os

import lit.formats

config.name = "attn-unit"
config.test_format = lit.formats.GoogleTest(".", "Tests")
config.test_source_root = os.path.join(config.attn_build_dir, "test", "Unit")
config.test_exec_root = config.test_source_root

# What the OpenMP runtime orders, its tool tells the sanitizer of threads; what
# is not built for the sanitizer (LLVM, compiled kernels) it takes no notice of.
if "thread" in config.sanitizers:
    config.environment["OMP_TOOL_LIBRARIES"] = config.openmp.replace(
        "libomp", "libarcher"
    )
    config.environment["TSAN_OPTIONS"] = (
        "ignore_noninstrumented_modules=1 halt_on_error=1"
    )
if "address" in config.sanitizers:
    config.environment["ASAN_OPTIONS"] = "allow_user_poisoning=0"
