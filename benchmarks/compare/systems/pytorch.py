"""PyTorch: scaled_dot_product_attention, mm, addmm and layer_norm, not compiled."""

import torch
import torch.nn.functional as functional

from . import Cannot

torch.set_num_threads(1)


def version():
    return torch.__version__


def prepare(case, arrays):
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    if case.kind == "product":
        return prepare_product(case, tensors)
    if case.kind == "block":
        return prepare_block(case, tensors)
    if case.softcap:
        raise Cannot("no softcap")
    mask = None
    if case.window or case.length:
        mask = torch.from_numpy(case.mask())
    q, k, v = tensors["q"], tensors["k"], tensors["v"]

    @torch.inference_mode()
    def call():
        return functional.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=case.causal and mask is None,
            enable_gqa=case.group > 1)

    return call


def prepare_product(case, tensors):
    a, b = tensors["a"], tensors["b"]

    @torch.inference_mode()
    def call():
        return (torch.addmm(tensors["bias"], a, b) if case.bias else
                torch.mm(a, b))

    return call


def prepare_block(case, tensors):
    t = tensors

    @torch.inference_mode()
    def call():
        norm = functional.layer_norm(t["x"], (case.features,), t["gain"],
                                     t["shift"], case.epsilon)
        projected = torch.addmm(t["bqkv"], norm, t["wqkv"])
        q, k, v = projected.view(1, case.rows, 3, case.heads, case.width
                                 ).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(q, k, v,
                                                           is_causal=True)
        joined = attended.transpose(1, 2).reshape(case.rows, case.features)
        return torch.addmm(t["bout"], joined, t["wout"]) + t["x"]

    return call
