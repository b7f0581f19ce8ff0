//===- Passes.td - Passes that make vectors and LLVM -------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_PASSES_TD
#define ATTN_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def OutlineContractionsPass
    : Pass<"attn-outline-contractions", "::mlir::ModuleOp"> {
  let summary = "Make products of matrices calls of few kernels";
  let description = [{
    Each `attn.contract` on buffers becomes a call of a function with that op
    alone, on operands of any extents and strides. One function serves all of a
    kind: of the same element types, orders of dimensions and elementwise ops.
    So the projections of twelve layers are compiled once.

    Example: two products of one kind.
    ```mlir
    #a = affine_map<(r, c, k) -> (r, k)>
    #b = affine_map<(r, c, k) -> (k, c)>
    #c = affine_map<(r, c, k) -> (r, c)>
    func.func @twice(%x: memref<5x7xf32>, %w: memref<7x7xf32>, %v: memref<7x3xf32>,
                     %h: memref<5x7xf32>, %y: memref<5x3xf32>) {
      attn.contract ins(%x, %w : memref<5x7xf32>, memref<7x7xf32>)
          outs(%h : memref<5x7xf32>) {indexing_maps = [#a, #b, #c]}
      attn.contract ins(%h, %v : memref<5x7xf32>, memref<7x3xf32>)
          outs(%y : memref<5x3xf32>) {indexing_maps = [#a, #b, #c]}
      return
    }
    ```
  }];
  let statistics = [
    Statistic<"numKernels", "num-kernels", "Functions that there came to be">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect"];
}

def VectorizeAttentionPass
    : Pass<"attn-vectorize", "::mlir::func::FuncOp"> {
  let summary = "Emit vector code for tiles on buffers";
  let description = [{
    Replaces `attn.online`, `attn.pack` and `attn.finish` on buffers by what the
    emitter of their layout makes of them, and `attn.contract` by its loop nest.
    Other `linalg` ops, `attn.merge` and copies of views become loops over
    vectors, in parallel where there is enough to do: lanes run along the
    innermost dimension of the result, or along a reduction that is contiguous
    where the result is not. What has no form in vectors becomes loops over
    elements.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    func.func @pack(%q: memref<5x4xf32>, %tile: memref<4x16xf32>) {
      attn.pack ins(%q : memref<5x4xf32>) outs(%tile : memref<4x16xf32>)
          layout(#attn.lanes_along_rows<16>) role(query) {indexing_map = #q}
      return
    }
    ```
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512",
           "Width of the target's vectors in bits">,
    Option<"numRegisters", "num-registers", "int64_t", /*default=*/"32",
           "Number of the target's vector registers">,
    Option<"hasBf16Dot", "has-bf16-dot", "bool", /*default=*/"false",
           "The target multiplies pairs of bf16 and adds to f32">
  ];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
    "::mlir::x86vector::X86VectorDialect"
  ];
}

def ExpandMathPass
    : Pass<"attn-expand-math", "::mlir::func::FuncOp"> {
  let summary = "Expand exponentials on vectors into polynomials";
  let description = [{
    `math.exp` and `math.exp2` on vectors of f32 and f64 become a rounding, a
    polynomial and a scaling by a power of two, with at most 2.5 units in the
    last place of error and correct results for infinities and NaN.

    Example:
    ```mlir
    func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
      %y = math.exp2 %x : vector<16xf32>
      return %y : vector<16xf32>
    }
    ```
  }];
  let options = [
    Option<"hasScalef", "has-scalef", "bool", /*default=*/"false",
           "The target scales by powers of two in one instruction">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def ExpandViewsPass : Pass<"attn-expand-views", "::mlir::func::FuncOp"> {
  let summary = "Expand views into offsets and strides";
  let description = [{
    Turns subviews, collapsed and expanded shapes into arithmetic on offsets and
    strides and a `memref.reinterpret_cast`, with the upstream patterns of
    `expand-strided-metadata`, in one walk: what a second look could fold is
    folded by LLVM in less time. A pattern of its own serves the split of a
    dimension into two whose sizes are known at run time only, as the heads of a
    query are if their numbers are: the upstream pattern derives one size from
    the others and cannot do that (nor if another is 0); here strides follow
    from the sizes given.

    Example:
    ```mlir
    func.func @split(%m: memref<?x4xf32>, %a: index, %b: index) -> memref<?x?x4xf32> {
      %r = memref.expand_shape %m [[0, 1], [2]] output_shape [%a, %b, 4]
          : memref<?x4xf32> into memref<?x?x4xf32>
      return %r : memref<?x?x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def LowerMathPass : Pass<"attn-lower-math", "::mlir::ModuleOp"> {
  let summary = "Lower arithmetic that LLVM has no instruction for";
  let description = [{
    Expands conversions of bf16 and rounding integer divisions, computes on bf16
    in f32, and turns `math` ops into intrinsics, functions of the module and
    calls of libm. Where there is none of them, which is the rule, it costs one
    walk.

    Example:
    ```mlir
    func.func @page(%key: index, %rows: index) -> index {
      %page = arith.floordivsi %key, %rows : index
      return %page : index
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::math::MathDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def OutlineParallelPass : Pass<"attn-outline-parallel", "::mlir::ModuleOp"> {
  let summary = "Turn the bodies of parallel loops into functions";
  let description = [{
    `scf.forall` and `scf.parallel` (without reductions) become a call of the
    runtime's parallel-for, which is given a function for the items from
    `%begin` up to `%end`, counted over all dimensions, and a structure of what
    the body captures. Constants move into the body. What is allocated in each
    item with sizes from outside is allocated once for all of a call.

    Example:
    ```mlir
    func.func @scale(%x: memref<3x5xf32>, %by: f32) {
      scf.forall (%i, %j) in (3, 5) {
        %old = memref.load %x[%i, %j] : memref<3x5xf32>
        %new = arith.mulf %old, %by : f32
        memref.store %new, %x[%i, %j] : memref<3x5xf32>
      }
      return
    }
    ```
    gives
    ```
    func.func private @scale.parallel(%data: !llvm.ptr, %begin: index, %end: index) {
      %x, %by = ...load from %data...
      scf.for %item = %begin to %end step %c1 {
        %i = arith.divui %item, %c5 : index
        %j = arith.remui %item, %c5 : index
        ...
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect"
  ];
}

def ThreadContextPass : Pass<"attn-thread-context", "::mlir::ModuleOp"> {
  let summary = "Give functions a context for errors and memory";
  let description = [{
    Control flow is flat. Every function with a body takes a context first and
    hands it on to those it calls; functions that are only declared are of other
    libraries and do not, but for the runtime's. `memref.alloc` and `dealloc`
    ask the context; what a public function allocates once and returns may be
    memory that the host has offered; with `device-memory` all of it is a GPU's.
    A `cf.assert` that does not hold records
    its message in the context and returns, and so does a caller, which looks
    after each call.

    Example:
    ```mlir
    func.func @half(%x: i32) -> i32 {
      %c1 = arith.constant 1 : i32
      %odd = arith.andi %x, %c1 : i32
      %even = arith.cmpi ne, %odd, %c1 : i32
      cf.assert %even, "expected an even number"
      %half = arith.shrsi %x, %c1 : i32
      return %half : i32
    }
    ```
  }];
  let options = [
    Option<"deviceMemory", "device-memory", "bool", /*default=*/"false",
           "Ask for memory of a GPU">
  ];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect",
    "::mlir::ub::UBDialect"
  ];
}

//===----------------------------------------------------------------------===//
// GPUs
//===----------------------------------------------------------------------===//

def NameChipPass : Pass<"attn-name-chip", "::mlir::ModuleOp"> {
  let summary = "Say which GPU the kernels of a module are for";
  let description = [{
    The module gets the attribute `attn.chip`. Whoever builds instructions for
    kernels takes those of that chip's vendor; without it, kernels are for
    sm_80.

    Example:
    ```mlir
    func.func @host(%x: f32) -> f32 {
      return %x : f32
    }
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", /*default=*/"\"sm_80\"",
           "The GPU, as LLVM names it">
  ];
}

def ChooseGPUKernelPass
    : Pass<"attn-choose-gpu-kernel", "::mlir::func::FuncOp"> {
  let summary = "Choose the form and the tiles of GPU kernels";
  let description = [{
    Gives each `attn.generic` the attribute `attn.gpu_kernel`, unless it has
    one: the form by element types and regions, tiles as large as registers and
    shared memory of the chip allow. What is chosen, and why, is a remark. What
    cannot be a kernel is left as it is if `attn-decompose` can expand it, to
    become several, and else is an error. Inits, which the op does not read,
    become empty tensors where they are filled.

    A kernel of the form `wgmma` is not for every array: what calls have instead
    is `attn.gpu_fallback`, unless that is left out by `wgmma=always`.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @dense(%q: tensor<5x16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x24xf16>,
                     %init: tensor<5x24xf16>) -> tensor<5x24xf16> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x16xf16>, tensor<7x16xf16>, tensor<7x24xf16>)
          weighting(#attn.softmax) outs(%init : tensor<5x24xf16>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x24xf16>
      return %o : tensor<5x24xf16>
    }
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", /*default=*/"\"sm_80\"",
           "The GPU to choose for, as LLVM names it">,
    Option<"countTiles", "count-tiles", "bool", /*default=*/"false",
           "Let kernels count the key tiles that they meet">,
    Option<"wgmma", "wgmma", "::attn::WgmmaPolicy",
           /*default=*/"::attn::WgmmaPolicy::Auto",
           "Which kernels take the form wgmma",
           "::attn::getWgmmaPolicyValues()">
  ];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def ChooseGPUContractPass
    : Pass<"attn-choose-gpu-contract", "::mlir::func::FuncOp"> {
  let summary = "Choose the form and the tiles of products on a GPU";
  let description = [{
    Gives each `attn.contract` the attribute `attn.gpu_contract`, unless it has
    one: the form by element types and regions, tiles by extents and the
    multiprocessors of the chip. What is chosen, and why, is a remark.

    A kernel of the form `wgmma` is not for every array: what calls have instead
    is `attn.gpu_fallback`, unless that is left out by `wgmma=always`.

    Example:
    ```mlir
    #x = affine_map<(r, c, k) -> (r, k)>
    #w = affine_map<(r, c, k) -> (c, k)>
    #y = affine_map<(r, c, k) -> (r, c)>
    func.func @project(%x: tensor<300x64xf16>, %w: tensor<192x64xf16>,
                       %init: tensor<300x192xf16>) -> tensor<300x192xf16> {
      %y = attn.contract ins(%x, %w : tensor<300x64xf16>, tensor<192x64xf16>)
          outs(%init : tensor<300x192xf16>) {indexing_maps = [#x, #w, #y]}
          -> tensor<300x192xf16>
      return %y : tensor<300x192xf16>
    }
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", /*default=*/"\"sm_80\"",
           "The GPU to choose for, as LLVM names it">,
    Option<"wgmma", "wgmma", "::attn::WgmmaPolicy",
           /*default=*/"::attn::WgmmaPolicy::Auto",
           "Which kernels take the form wgmma",
           "::attn::getWgmmaPolicyValues()">
  ];
}

def EmitGPUPass : Pass<"attn-emit-gpu", "::mlir::func::FuncOp"> {
  let summary = "Emit GPU kernels for ops on buffers";
  let description = [{
    Each `attn.generic` on buffers becomes the launch of a kernel, as its
    attribute `attn.gpu_kernel` has it. A block has some query rows of one
    position in the other dimensions; it walks over the keys that they see, with
    the state of each row in the registers of four threads. Regions are inlined
    on what a thread holds of a row of scores, twice where all pairs of a tile
    are visible, and twice where some may be hidden. With `attn.gpu_fallback`
    the host looks at the arrays, and launches that kernel for those of which
    there are no tensor maps.

    So does each `attn.contract`, as its attribute `attn.gpu_contract` has it
    or, without one, as runs on any GPU, with a parallel loop around it that
    holds nothing else; each op of `linalg`, and each copy, with a thread for an
    element of the result, or a warp where rows are reduced; and what the host
    computes and stores. Parallel loops around anything else are the host's. It
    is an error if anything else in the function accesses memory: the host has
    no hold of a GPU's.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @dense(%q: memref<5x16xf16>, %k: memref<7x16xf16>, %v: memref<7x24xf16>,
                     %o: memref<5x24xf16>) {
      attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<7x16xf16>, memref<7x24xf16>)
          weighting(#attn.softmax) outs(%o : memref<5x24xf16>)
          {indexing_maps = [#q, #k, #v, #o],
           attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
      return
    }
    ```
  }];
  let dependentDialects = [
    "::attn::AttnDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::ROCDL::ROCDLDialect",
    "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::nvgpu::NVGPUDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

def ExpandKernelMathPass
    : Pass<"attn-expand-kernel-math", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Expand the functions of GPU kernels into instructions";
  let description = [{
    Kernels call no library: `math` ops become polynomials, or the approximate
    instructions of the GPU, of at most 2 units in the last place; divisions of
    f32 are such ones, too. What has no such form is an error.

    Example:
    ```mlir
    gpu.module @kernels {
      gpu.func @exp(%x: memref<32xf32>) kernel {
        %i = gpu.thread_id x
        %old = memref.load %x[%i] : memref<32xf32>
        %new = math.exp2 %old : f32
        memref.store %new, %x[%i] : memref<32xf32>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::ROCDL::ROCDLDialect", "::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def LowerKernelChecksPass
    : Pass<"attn-lower-kernel-checks", "::mlir::ModuleOp"> {
  let summary = "Write down the errors that kernels find";
  let description = [{
    An `attn.check` in a kernel, whose control flow is flat, ends the thread
    where it does not hold. The first one of all writes the number of its
    message and its numbers to an `attn_rt_gpu_error`: three words, which the
    kernel is given as its last parameter and a launch asks the runtime for, by
    `attn_rt_gpu_get_error_word` with the messages of the module.

    Example:
    ```mlir
    module attributes {gpu.container_module} {
      gpu.module @kernels {
        gpu.func @read(%x: memref<?xf32>, %at: index) kernel {
          %c0 = arith.constant 0 : index
          %n = memref.dim %x, %c0 : memref<?xf32>
          %holds = arith.cmpi ult, %at, %n : index
          attn.check %holds, "expected a number below {0}, but got {1}" (%n, %at)
          %zero = arith.constant 0.0 : f32
          memref.store %zero, %x[%at] : memref<?xf32>
          gpu.return
        }
      }
      func.func @main(%x: memref<?xf32>, %at: index) {
        %c1 = arith.constant 1 : index
        gpu.launch_func @kernels::@read blocks in (%c1, %c1, %c1)
            threads in (%c1, %c1, %c1) args(%x : memref<?xf32>, %at : index)
        return
      }
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect",
    "::mlir::memref::MemRefDialect"
  ];
}

def LowerTensorMapsPass : Pass<"attn-lower-tensor-maps", "::mlir::ModuleOp"> {
  let summary = "Have tensor maps made by the runtime and passed by value";
  let description = [{
    The map that an `nvgpu.tma.create.descriptor` makes of an array, for a
    launch, is filled by `attn_rt_gpu_map`: 16 words, which are given to the
    launch one by one, behind the array. The kernel takes them as the array, 128
    bytes by value, and 15 words that it does not read. That they are taken by
    value is said of functions of the dialect `llvm`, for which the pass runs
    once more.

    Example:
    ```mlir
    module attributes {gpu.container_module} {
      gpu.module @kernels {
        gpu.func @copy(%map: !nvgpu.tensormap.descriptor<tensor = memref<8x64xf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>) kernel {
          %address = builtin.unrealized_conversion_cast %map : !nvgpu.tensormap.descriptor<tensor = memref<8x64xf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none> to !llvm.ptr
          gpu.return
        }
      }
      func.func @main(%x: memref<?x64xf16>) {
        %c1 = arith.constant 1 : index
        %c8 = arith.constant 8 : index
        %c64 = arith.constant 64 : index
        %any = memref.cast %x : memref<?x64xf16> to memref<*xf16>
        %map = nvgpu.tma.create.descriptor %any box [%c8, %c64] : memref<*xf16> -> !nvgpu.tensormap.descriptor<tensor = memref<8x64xf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
        gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1)
            threads in (%c1, %c1, %c1) args(%map : !nvgpu.tensormap.descriptor<tensor = memref<8x64xf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>)
        return
      }
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"
  ];
}

def LowerLaunchesPass : Pass<"attn-lower-launches", "::mlir::ModuleOp"> {
  let summary = "Turn launches of kernels into calls of the runtime";
  let description = [{
    A `gpu.launch_func` becomes a call of `attn_rt_gpu_launch`, which is given
    the names of the kernel and its module, the extents of grid and block, the
    bytes of shared memory, the parameters, a word each, and of each memref
    where it begins and its bytes. Launches follow each other: each is over
    before the next begins. Kernels get names of letters, digits and underlines
    that no other module has; constants are copied to where kernels see them.

    Example:
    ```mlir
    module attributes {gpu.container_module} {
      gpu.module @kernels {
        gpu.func @fill(%x: memref<?xf32>, %with: f32) kernel {
          %i = gpu.thread_id x
          memref.store %with, %x[%i] : memref<?xf32>
          gpu.return
        }
      }
      func.func @main(%x: memref<?xf32>, %with: f32) {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %n = memref.dim %x, %c0 : memref<?xf32>
        gpu.launch_func @kernels::@fill blocks in (%c1, %c1, %c1)
            threads in (%n, %c1, %c1) args(%x : memref<?xf32>, %with : f32)
        return
      }
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"
  ];
}

#endif // ATTN_CODEGEN_PASSES_TD
