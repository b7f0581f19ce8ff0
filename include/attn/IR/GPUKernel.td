//===- GPUKernel.td - What a GPU kernel is to be -----------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_GPUKERNEL_TD
#define ATTN_IR_GPUKERNEL_TD

include "attn/IR/AttnDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Attn_GPUForm : I32EnumAttr<"GPUForm", "How a GPU kernel multiplies", [
      I32EnumAttrCase<"mma_sync", 0>,
      I32EnumAttrCase<"plain", 1>,
      I32EnumAttrCase<"wgmma", 2>]> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}

def Attn_GPUKernelAttr : AttrDef<Attn_Dialect, "GPUKernel"> {
  let mnemonic = "gpu_kernel";
  let summary = "The form and the tiles of a GPU kernel";
  let description = [{
    What `attn-choose-gpu-kernel` decides for an `attn.generic`, which carries
    it as `attn.gpu_kernel`: an attribute that is there already stays. The form
    says how queries meet keys and weights values:

    * `mma_sync`: matrices of f16 or bf16 in the registers of a warp, from
      sm_80 on; sums are f32;
    * `plain`: multiplications one by one, for any elements and any similarity;
    * `wgmma`: matrices of f16 or bf16 that groups of four warps multiply while
      they do other things, on sm_90a; four warps more copy tiles of tensors.

    A block of `warps` warps has `rows` query rows, 16 to a warp, and meets
    `keys` keys at once. Where channels are more than a warp has registers for,
    2 or 4 warps have the same rows, and each a part of the channels. Unless the
    weighting selects keys or takes them in order, each has the scores of a part
    of the keys, too, and the weights go through shared memory. With
    `stages` buffers, each of which holds the keys and values of a tile, one or
    more tiles are on their way while another is at hand; a single one is filled
    by turns. The keys of a row are split into `splits` parts.

    Query rows are those of the innermost dimension of query rows; if they are
    `folded`, those of all such dimensions: grouped heads share a tile of keys.

    There is a block to each tile of query rows or, where `blocks` is not 0, no
    more than that many, which take tiles in turns.

    Constraints:
    * (C1) there are 1 to 16 warps
    * (C2) there are 16 rows to a warp, or to each 2 or 4 warps
    * (C3) keys are a multiple of 16, from 16 to 256, and of 32 where 4 warps
      have the same rows
    * (C4) there are 1 to 4 stages, and 1 split or more
    * (C5) `wgmma` has 4 or 8 warps, 16 rows to each
    * (C6) `blocks` is 0 or more, and 0 in other forms

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
          {indexing_maps = [#q, #k, #v, #o],
           attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
          -> tensor<5x24xf16>
      return %o : tensor<5x24xf16>
    }
    ```
  }];
  let parameters = (ins EnumParameter<Attn_GPUForm>:$form, "int64_t":$rows,
                        "int64_t":$keys, "int64_t":$warps, "int64_t":$stages,
                        "int64_t":$splits,
                        DefaultValuedParameter<"bool", "false">:$folded,
                        DefaultValuedParameter<"int64_t", "0">:$blocks);
  let assemblyFormat = [{
    `<` $form `,`
        struct($rows, $keys, $warps, $stages, $splits, $folded, $blocks) `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The warps that share their rows, each of which has some channels.
    int64_t getSharers() const { return 16 * getWarps() / getRows(); }
    /// The attribute of an op that holds the choice.
    static ::llvm::StringRef getAttributeName() { return "attn.gpu_kernel"; }
    /// That of the choice for calls whose arrays the first is not for.
    static ::llvm::StringRef getFallbackName() { return "attn.gpu_fallback"; }
    /// The choice that an op carries; null without one.
    static ::attn::GPUKernelAttr of(::mlir::Operation *op) {
      return op->getAttrOfType<::attn::GPUKernelAttr>(getAttributeName());
    }
  }];
}

def Attn_GPUContractAttr : AttrDef<Attn_Dialect, "GPUContract"> {
  let mnemonic = "gpu_contract";
  let summary = "The form and the tiles of a product of matrices on a GPU";
  let description = [{
    What `attn-choose-gpu-contract` decides for an `attn.contract`, which has it
    as `attn.gpu_contract`: an attribute that is there already stays. The forms
    are those of `#attn.gpu_kernel`.

    A block has `rows` rows and `columns` columns of the product. It meets 64
    features at once, or 16 in the form `plain`, which `stages` buffers hold:
    all but one are on their way while one is at hand.

    Constraints:
    * (C1) there are 16 or 64 rows, of `wgmma` 64 or 128
    * (C2) there are 64 columns, of `wgmma` 64, 128 or 256
    * (C3) there are 2 stages, of `wgmma` 2 to 4

    Example:
    ```mlir
    #x = affine_map<(r, c, k) -> (r, k)>
    #w = affine_map<(r, c, k) -> (c, k)>
    #y = affine_map<(r, c, k) -> (r, c)>
    func.func @project(%x: tensor<300x64xf16>, %w: tensor<192x64xf16>,
                       %init: tensor<300x192xf16>) -> tensor<300x192xf16> {
      %y = attn.contract ins(%x, %w : tensor<300x64xf16>, tensor<192x64xf16>)
          outs(%init : tensor<300x192xf16>)
          {indexing_maps = [#x, #w, #y],
           attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 128, columns = 128, stages = 4>}
          -> tensor<300x192xf16>
      return %y : tensor<300x192xf16>
    }
    ```
  }];
  let parameters = (ins EnumParameter<Attn_GPUForm>:$form, "int64_t":$rows,
                        "int64_t":$columns, "int64_t":$stages);
  let assemblyFormat = "`<` $form `,` struct($rows, $columns, $stages) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The warps that multiply.
    int64_t getWarps() const {
      return getForm() == GPUForm::wgmma ? getRows() / 16 : 4;
    }
    /// The features of a stage.
    int64_t getFeatures() const {
      return getForm() == GPUForm::plain ? 16 : 64;
    }
    /// The attribute of an op that holds the choice.
    static ::llvm::StringRef getAttributeName() { return "attn.gpu_contract"; }
    /// The choice that an op carries; null without one.
    static ::attn::GPUContractAttr of(::mlir::Operation *op) {
      return op->getAttrOfType<::attn::GPUContractAttr>(getAttributeName());
    }
  }];
}

#endif // ATTN_IR_GPUKERNEL_TD
