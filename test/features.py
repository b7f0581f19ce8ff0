"""What the machine of the suite can do: the features that tests REQUIRE, and
why the others are missing."""

import os
import platform
import shutil

# For each kind of CPU its features, with the flags that each stands for.
_CPU_FLAGS = {
    "x86_64": {
        "avx2": {"avx2", "fma", "f16c"},
        "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"},
        "avx512bf16": {"avx512_bf16"},
    },
    "aarch64": {"neon": {"asimd"}},
}.get(platform.machine(), {})


def _read_cpu_flags():
    try:
        with open("/proc/cpuinfo") as cpuinfo:
            for line in cpuinfo:
                if line.split(":")[0].strip() in ("flags", "Features"):
                    return set(line.split(":")[1].split())
    except OSError:
        pass
    return set()


def _emulates_aarch64():
    """Whether programs for AArch64 can be linked and run: Debian's qemu-user,
    libc6-dev-arm64-cross and libgcc-12-dev-arm64-cross."""
    return (shutil.which("qemu-aarch64") is not None and
            shutil.which("clang-22") is not None and
            os.path.exists("/usr/aarch64-linux-gnu/lib/libc.a") and
            os.path.isdir("/usr/lib/gcc-cross/aarch64-linux-gnu"))


def find_ptxas():
    """NVIDIA's assembler, where setup.sh --with-ptxas looks for it and puts it;
    None if there is none."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    places = [shutil.which("ptxas"),
              os.path.join(os.environ.get("CUDA_HOME", ""), "bin", "ptxas"),
              "/usr/local/cuda/bin/ptxas",
              os.path.join(root, "build", "ptxas", "bin", "ptxas")]
    return next((place for place in places
                 if place and os.access(place, os.X_OK)), None)


def available():
    """The features that tests may rely on here."""
    flags = _read_cpu_flags()
    host = {name for name, needs in _CPU_FLAGS.items() if needs <= flags}
    if _emulates_aarch64():
        host.add("aarch64-emulator")
    if find_ptxas():
        host.add("ptxas")
    return host | {"host=" + platform.machine()}


def missing():
    """The features that are missing here, each with its reason."""
    reasons = {"gpu": "there is none: kernels are launched on a driver that runs "
                      "them in the emulator"}
    present = available()
    if "aarch64-emulator" not in present:
        reasons["aarch64-emulator"] = (
            "qemu-user, libc6-dev-arm64-cross or libgcc-12-dev-arm64-cross is "
            "not installed")
    if "ptxas" not in present:
        reasons["ptxas"] = "there is none; scripts/setup.sh --with-ptxas gets one"
    for name in _CPU_FLAGS:
        if name not in present:
            reasons[name] = "this CPU does not have it"
    return reasons
