//===- GPUTarget.cpp - GPUs by name -----------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/GPUTarget.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn;

/// From the tables "Target ISA Notes" of the PTX manual and "Technical
/// Specifications per Compute Capability" of the CUDA programming guide; of
/// AMD's from the white paper on CDNA 3, of an MI300X. LLVM aborts on a chip
/// with an older PTX.
static constexpr GPUTarget kTargets[] = {
    {"sm_80", 70, 163 << 10, 108},  {"sm_86", 71, 99 << 10, 84},
    {"sm_87", 74, 163 << 10, 16},   {"sm_89", 78, 99 << 10, 142},
    {"sm_90", 78, 227 << 10, 132},  {"sm_90a", 80, 227 << 10, 132},
    {"sm_100", 86, 227 << 10, 148}, {"sm_100a", 86, 227 << 10, 148},
    {"sm_103", 88, 227 << 10, 160}, {"sm_103a", 88, 227 << 10, 160},
    {"sm_120", 87, 99 << 10, 188},  {"sm_120a", 87, 99 << 10, 188},
    {"sm_121", 88, 99 << 10, 48},   {"sm_121a", 88, 99 << 10, 48},
    {"gfx942", 0, 64 << 10, 304, GPUVendor::AMD},
};

llvm::StringRef GPUTarget::getTriple() const {
  return isAMD() ? "amdgcn-amd-amdhsa" : "nvptx64-nvidia-cuda";
}

std::string GPUTarget::getFeatures() const {
  return isAMD() ? "" : "+ptx" + std::to_string(ptxVersion);
}

int32_t GPUTarget::getNumber() const {
  int32_t number = 0;
  llvm::StringRef digits = chip;
  digits.consume_front("sm_");
  digits.consumeInteger(10, number);
  return number;
}

bool GPUTarget::isExact() const {
  return isAMD() || !llvm::isDigit(chip.back());
}

std::optional<GPUTarget> GPUTarget::ofNumber(int32_t number) {
  std::optional<GPUTarget> latest;
  for (const GPUTarget &target : kTargets)
    if (target.isAMD())
      continue;
    else if (target.getNumber() == number && target.hasWgmma())
      return target;
    else if (!target.isExact() && target.getNumber() <= number &&
             (!latest || latest->getNumber() < target.getNumber()))
      latest = target;
  return latest;
}

std::optional<GPUTarget> GPUTarget::find(llvm::StringRef chip) {
  for (const GPUTarget &target : kTargets)
    if (target.chip == chip)
      return target;
  return std::nullopt;
}

std::string GPUTarget::listChips() {
  return llvm::join(
      llvm::map_range(
          kTargets, [](const GPUTarget &target) { return target.chip.str(); }),
      ", ");
}

GPUTarget GPUTarget::of(mlir::Operation *op) {
  auto module = mlir::dyn_cast<mlir::ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<mlir::ModuleOp>();
  auto name = module ? module->getAttrOfType<mlir::StringAttr>(
                           getAttributeName())
                     : mlir::StringAttr();
  std::optional<GPUTarget> target = find(name ? name.getValue() : "");
  return target ? *target : *find(getDefaultChip());
}
