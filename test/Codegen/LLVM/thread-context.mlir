// RUN: attn-opt %s --attn-thread-context --split-input-file --verify-each | FileCheck %s

// A check that does not hold leaves; so does a caller, if a callee has.

// CHECK: llvm.mlir.global internal constant @[[$TEXT:.+]]("expected {0} rows\00")
// CHECK-LABEL: func.func @checked(
// CHECK-SAME: %[[CTX:.+]]: !llvm.ptr, %[[OK:.+]]: i1, %[[N:.+]]: index) -> index {
// CHECK: cf.cond_br %[[OK]] weights([2000, 1]), ^[[REST:.+]], ^[[FAIL:.+]]
// CHECK: ^[[FAIL]]:
// CHECK: %[[MESSAGE:.+]] = llvm.mlir.addressof @[[$TEXT]]
// CHECK: call @attn_rt_fail(%[[CTX]], %[[MESSAGE]], %{{.+}}, %[[N]], %{{.+}})
// CHECK: cf.br ^[[EXIT:.+]]
// CHECK: ^[[REST]]:
// CHECK: return %[[N]]
// CHECK: ^[[EXIT]]:
// CHECK: %[[NOTHING:.+]] = ub.poison : index
// CHECK: return %[[NOTHING]]
func.func @checked(%ok: i1, %n: index) -> index {
  attn.check %ok, "expected {0} rows" (%n)
  return %n : index
}

// A function that calls itself hands the context on; one of a library, which is
// only declared, knows of none.
// CHECK-LABEL: func.func @calls(
// CHECK-SAME: %[[CTX:.+]]: !llvm.ptr, %[[OK:.+]]: i1, %[[N:.+]]: index)
// CHECK: call @library(%[[N]])
// CHECK-NEXT: call @calls(%[[CTX]], %[[OK]], %[[N]])
// CHECK-NEXT: %[[FAILED:.+]] = llvm.load %[[CTX]] : !llvm.ptr -> i32
// CHECK: %[[LEAVES:.+]] = arith.cmpi ne, %[[FAILED]]
// CHECK: cf.cond_br %[[LEAVES]]
func.func private @library(index)
func.func @calls(%ok: i1, %n: index) {
  call @library(%n) : (index) -> ()
  call @calls(%ok, %n) : (i1, index) -> ()
  return
}

// Functions as values take the context, too.
// CHECK-LABEL: func.func @indirect(
// CHECK-SAME: %[[CTX:.+]]: !llvm.ptr, %[[F:.+]]: (!llvm.ptr, index) -> index, %[[N:.+]]: index)
// CHECK: call_indirect %[[F]](%[[CTX]], %[[N]]) : (!llvm.ptr, index) -> index
func.func @indirect(%f: (index) -> index, %n: index) -> index {
  %r = call_indirect %f(%n) : (index) -> index
  return %r : index
}

// -----

// Memory is the context's. A size that does not fit is none.
// CHECK-LABEL: func.func @memory(
// CHECK-SAME: %[[CTX:.+]]: !llvm.ptr, %[[N:.+]]: index)
// CHECK: %[[LOW:.+]], %[[HIGH:.+]] = arith.mului_extended
// CHECK: %[[WRAPS:.+]] = arith.cmpi ne, %[[HIGH]]
// CHECK: %[[BYTES:.+]] = arith.select %[[WRAPS]], %{{.+}}, %[[LOW]]
// CHECK: %[[MEMORY:.+]] = call @attn_rt_alloc(%[[CTX]], %[[BYTES]])
// CHECK: %[[NONE:.+]] = llvm.icmp "eq" %[[MEMORY]]
// CHECK: cf.cond_br %[[NONE]]
// CHECK: call @attn_rt_free(%[[CTX]], %{{.+}})
// CHECK-NOT: memref.{{alloc|dealloc}}
func.func @memory(%n: index) {
  %x = memref.alloc(%n) : memref<?x5xf32>
  memref.dealloc %x : memref<?x5xf32>
  return
}
