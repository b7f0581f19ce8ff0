//===- AttnBase.td - What the ops share --------------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ATTNBASE_TD
#define ATTN_IR_ATTNBASE_TD

include "attn/IR/AttnAttributes.td"
include "attn/IR/AttnDialect.td"
include "attn/IR/AttnInterfaces.td"
include "attn/IR/Layouts.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

def Attn_Element : AnyTypeOf<
    [F16, BF16, F32, F64, I1, I8, I16, I32, I64, Index],
    "f16, bf16, f32, f64, i1, i8, i16, i32, i64 or index">;
def Attn_Shaped : AnyTypeOf<
    [RankedTensorOf<[Attn_Element]>, MemRefOf<[Attn_Element]>],
    "ranked tensor or memref of f16, bf16, f32, f64, i1, i8, i16, i32, i64 or "
    "index">;
def Attn_FloatShaped : AnyTypeOf<[
    RankedTensorOf<[F16, BF16, F32, F64]>, MemRefOf<[F16, BF16, F32, F64]>],
    "ranked tensor or memref of f16, bf16, f32 or f64">;
def Attn_BoolShaped : AnyTypeOf<[RankedTensorOf<[I1]>, MemRefOf<[I1]>],
    "ranked tensor or memref of i1">;
def Attn_IntegerShaped : AnyTypeOf<[
    RankedTensorOf<[I8, I16, I32, I64, Index]>,
    MemRefOf<[I8, I16, I32, I64, Index]>],
    "ranked tensor or memref of i8, i16, i32, i64 or index">;
def Attn_ShapedOrElement : AnyTypeOf<[Attn_Shaped, Attn_Element],
    "f16, bf16, f32, f64, i1, i8, i16, i32, i64, index, or a ranked tensor or "
    "memref of one">;
def Attn_Starts : AnyTypeOf<[
    1DTensorOf<[I32, I64, Index]>, MemRefRankOf<[I32, I64, Index], [1]>],
    "tensor or memref of i32, i64 or index, with one dimension">;
def Attn_OptionalBlock : MaxSizedRegion<1>;

/// No attribute is one that nobody reads: see the C++ of the trait.
def Attn_KnownAttributes : NativeOpTrait<"KnownAttributes"> {
  let cppNamespace = "::attn";
}

class Attn_Op<string mnemonic, list<Trait> traits = []>
    : Op<Attn_Dialect, mnemonic, !listconcat([Attn_KnownAttributes], traits)>;

/// An op in destination style: results tied to its inits, on tensors before
/// bufferization and on memrefs after it.
class Attn_DestinationStyleOp<string mnemonic, list<Trait> traits = []>
    : Attn_Op<mnemonic, !listconcat([
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>], traits)> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
}

#endif // ATTN_IR_ATTNBASE_TD
