# Configuration of the suite: what a test is, what it may run, and what this
# machine can do. The build writes lit.site.cfg.py, which says where things are
# and then loads this file.

import os
import platform

import lit.formats

config.name = "attn"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Downstream"]
config.test_source_root = os.path.join(config.attn_source_dir, "test")
config.test_exec_root = os.path.join(config.attn_build_dir, "test")

# Our tools first, then FileCheck, not, split-file, mlir-reduce of the packages.
config.environment["PATH"] = os.pathsep.join(
    [config.attn_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")]
)
config.environment["FILECHECK_OPTS"] = "--enable-var-scope"
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"

config.substitutions += [
    ("%python", config.python),
    ("%cmake", config.cmake),
    ("%attn_source_dir", config.attn_source_dir),
    ("%attn_build_dir", config.attn_build_dir),
]


def host_features():
    """The vector extensions of this CPU, under the names tests ask for."""
    flags = set()
    try:
        with open("/proc/cpuinfo") as cpuinfo:
            for line in cpuinfo:
                if line.split(":")[0].strip() in ("flags", "Features"):
                    flags = set(line.split(":")[1].split())
                    break
    except OSError:
        pass
    needs = {
        "avx2": {"avx2", "fma", "f16c"},
        "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"},
        "avx512bf16": {"avx512_bf16"},
        "neon": {"asimd"},
    }
    return {name for name, flags_of in needs.items() if flags_of <= flags}


config.available_features |= host_features() | {"host=" + platform.machine()}
if config.sanitizers:
    config.available_features.add("sanitizers")

# Features that may be missing, each with the reason that the summary prints.
# There is no `gpu` feature: the compiler has no GPU target yet.

if lit_config.maxIndividualTestTimeIsSupported[0]:
    lit_config.maxIndividualTestTime = 900
