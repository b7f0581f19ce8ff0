"""IREE: its attention operation and linalg.matmul, compiled for this CPU, run
without a pool of threads."""

import importlib.metadata

import iree.compiler
import iree.runtime
import numpy

from . import Cannot


def version():
    return importlib.metadata.version("iree-base-runtime")


def attention(case):
    """A module; the group of query heads that read one key head is a
    dimension."""
    if case.softcap:
        region = f"""
      %cap = arith.constant {case.softcap:.1f} : f32
      %part = arith.divf %score, %cap : f32
      %bent = math.tanh %part : f32
      %final = arith.mulf %bent, %cap : f32
      iree_linalg_ext.yield %final : f32"""
    else:
        region = "iree_linalg_ext.yield %score : f32"
    dims = "b, h, g, m, n, d, e"
    results = ["b, h, g, m, d", "b, h, n, d", "b, h, n, e", "",
               *(["m, n"] if case.masked else []), "b, h, g, m, e"]
    maps = ", ".join(f"affine_map<({dims}) -> ({result})>"
                     for result in results)
    q = f"tensor<1x{case.key_heads}x{case.group}x{case.rows}x{case.width}xf32>"
    k = f"tensor<1x{case.key_heads}x{case.keys}x{case.width}xf32>"
    mask = f", tensor<{case.rows}x{case.keys}xi1>" if case.masked else ""
    argument = ", %mask: " + mask[2:] if mask else ""
    return f"""
func.func @main(%q: {q}, %k: {k}, %v: {k}{argument}) -> {q} {{
  %scale = arith.constant {case.width ** -0.5:.9f} : f32
  %init = tensor.empty() : {q}
  %o = iree_linalg_ext.attention <{{indexing_maps = [{maps}]}}>
      ins(%q, %k, %v, %scale{mask and ", %mask"} : {q}, {k}, {k}, f32{mask})
      outs(%init : {q}) {{
    ^bb0(%score: f32):
      {region}
  }} -> {q}
  return %o : {q}
}}
"""


def prepare(case, arrays):
    if case.kind == "block":
        raise Cannot("not written for it")
    if case.kind == "attention":
        text = attention(case)
        shape = (1, case.key_heads, case.group, case.rows, case.width)
        inputs = [arrays["q"].reshape(shape), arrays["k"], arrays["v"]]
        if case.masked:
            inputs.append(case.mask())
    else:
        text, inputs = case.mlir(), list(arrays.values())
    binary = iree.compiler.compile_str(text, extra_args=[
        "--iree-hal-target-device=local",
        "--iree-hal-local-target-device-backends=llvm-cpu",
        "--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"])
    config = iree.runtime.Config("local-sync")
    context = iree.runtime.SystemContext(config=config)
    context.add_vm_module(
        iree.runtime.VmModule.copy_buffer(context.instance, binary))
    name = "main" if case.kind == "attention" else "product"
    function = context.modules.module[name]
    inputs = [iree.runtime.asdevicearray(config.device, array)
              for array in inputs]

    class Output:
        def __init__(self, array):
            self.array = array

        def __array__(self, dtype=None, copy=None):
            array = self.array.to_host()
            return (array.reshape(1, case.heads, case.rows, case.width)
                    if case.kind == "attention" else array)

    return lambda: Output(function(*inputs))
