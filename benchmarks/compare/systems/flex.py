"""PyTorch's FlexAttention, compiled; block masks are made before the clock
starts."""

import os

# There is one core: a pool of processes to compile in would only take memory.
os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"

import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from . import Cannot

torch.set_num_threads(1)


def version():
    return torch.__version__


def sees(case, length):
    """The mask of a case as FlexAttention has it; None if all see all."""
    if not case.masked:
        return None

    def mask(b, h, i, j):
        seen = j >= 0
        if case.causal or case.window:
            seen = seen & (j <= i)
        if case.window:
            seen = seen & (j > i - case.window)
        if case.length:
            seen = seen & (j < length[b])
        return seen

    return mask


def prepare(case, arrays):
    if case.kind != "attention":
        raise Cannot("attention only")
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    mask = sees(case, tensors.get("length"))
    blocks = mask and create_block_mask(mask, 1, None, case.rows, case.keys,
                                        device="cpu")

    def softcap(score, b, h, i, j):
        return case.softcap * torch.tanh(score / case.softcap)

    torch._dynamo.reset()
    compiled = torch.compile(flex_attention, dynamic=False)
    q, k, v = tensors["q"], tensors["k"], tensors["v"]

    @torch.inference_mode()
    def call():
        return compiled(q, k, v, score_mod=softcap if case.softcap else None,
                        block_mask=blocks, enable_gqa=case.group > 1)

    return call
