# Configuration of the suite: what a test is, what it may run, and what this
# machine can do. The build writes lit.site.cfg.py, which says where things are
# and then loads this file.

import os
import sys

import lit.formats

sys.path.insert(0, os.path.join(config.attn_source_dir, "test"))
import features

config.name = "attn"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Downstream"]
config.test_source_root = os.path.join(config.attn_source_dir, "test")
config.test_exec_root = os.path.join(config.attn_build_dir, "test")

# The tools that compile verify the module after every pass, whoever starts them:
# attn-opt does as it is, the others are told to.
verifying = os.path.join(config.test_exec_root, "verifying")
os.makedirs(verifying, exist_ok=True)
for tool in ["attn-compile", "attn-run", "attn-test-run"]:
    script = os.path.join(verifying, tool)
    with open(f"{script}.{os.getpid()}", "w") as file:
        file.write(
            f'#!/bin/sh\nexec "{config.attn_tools_dir}/{tool}" --verify-each "$@"\n'
        )
    os.chmod(file.name, 0o755)
    os.replace(file.name, script)

# Our tools first, then FileCheck, not, split-file, mlir-reduce of the packages.
config.environment["PATH"] = os.pathsep.join(
    [
        verifying,
        config.attn_tools_dir,
        config.llvm_tools_dir,
        os.environ.get("PATH", ""),
    ]
)
config.environment["FILECHECK_OPTS"] = "--enable-var-scope"
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"

config.substitutions += [
    ("%attn_on_gpu", f"bash {config.attn_source_dir}/test/lib/on-gpu.sh "
                     f"{config.attn_build_dir}"),
    ("%emulated_cuda", f"{config.attn_build_dir}/test/lib/emulated-cuda"),
    ("%ptxas", features.find_ptxas() or "ptxas"),
    ("%python", config.python),
    ("%cmake", config.cmake),
    ("%cc", config.cc),
    ("%cxx", config.cxx),
    ("%openmp", config.openmp),
    ("%archer", config.openmp.replace("libomp", "libarcher")),
    ("%llvm_tools_dir", config.llvm_tools_dir),
    ("%attn_source_dir", config.attn_source_dir),
    ("%attn_build_dir", config.attn_build_dir),
]

config.available_features |= features.available()
if config.sanitizers:
    config.available_features.add("sanitizers")
    # Memory that headers of LLVM's, built here, poison, its libraries, which
    # are not built for the sanitizer, hand out.
    config.environment["ASAN_OPTIONS"] = "allow_user_poisoning=0"

if lit_config.maxIndividualTestTimeIsSupported[0]:
    lit_config.maxIndividualTestTime = 900
