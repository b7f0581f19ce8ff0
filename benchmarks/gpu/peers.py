"""What PyTorch has for the rows of the kit, where it can be imported. A peer
that fails says so in its row.

Goes into the kit.
"""

import numpy as np

from cases import CAP, DOCUMENT, WINDOW


def load():
    """Torch and the names of what can be asked, or why there is none."""
    try:
        import torch
        torch.zeros(1, device="cuda")
        return torch, ""
    except Exception as error:  # whatever a broken installation has to say
        return None, str(error).splitlines()[0][:120] if str(error) else "none"


class Peers:
    """Functions without arguments that compute a row's case, by name. The
    memory is PyTorch's own, the numbers other ones."""

    def __init__(self, torch):
        self.torch = torch
        # A row is a compilation.
        for limit in ("cache_size_limit", "recompile_limit"):
            if hasattr(torch._dynamo.config, limit):
                setattr(torch._dynamo.config, limit, 1000)

    def tensors(self, case):
        torch = self.torch
        dtype = torch.float16 if case.dtype == "f16" else torch.bfloat16
        return [torch.randn(case.batch, heads, rows, case.width, device="cuda",
                            dtype=dtype)
                for heads, rows in ((case.heads, case.rows),
                                    (case.key_heads, case.keys),
                                    (case.key_heads, case.keys))]

    def list(self, case):
        """(name, what makes the function)."""
        q, k, v = self.tensors(case)
        grouped = case.heads != case.key_heads
        if case.kind in ("dense", "causal"):
            for name, backend in (("cudnn", "CUDNN_ATTENTION"),
                                  ("flash", "FLASH_ATTENTION")):
                yield name, lambda backend=backend: self.sdpa(
                    backend, q, k, v, case.kind == "causal", grouped)
            yield "flash-attn-4", lambda: self.flash4(q, k, v,
                                                      case.kind == "causal")
        for backend in ("TRITON", "FLASH"):
            yield (f"flex {backend.lower()}",
                   lambda backend=backend: self.flex_attention(
                       backend, case, q, k, v, grouped))

    def sdpa(self, backend, q, k, v, causal, grouped):
        from torch.nn.attention import SDPBackend, sdpa_kernel
        attend = self.torch.nn.functional.scaled_dot_product_attention

        def run():
            with sdpa_kernel(getattr(SDPBackend, backend)):
                return attend(q, k, v, is_causal=causal, enable_gqa=grouped)
        return run

    def flash4(self, q, k, v, causal):
        from flash_attn.cute import flash_attn_func
        turned = [x.transpose(1, 2).contiguous() for x in (q, k, v)]
        return lambda: flash_attn_func(*turned, causal=causal)

    def flex_attention(self, backend, case, q, k, v, grouped):
        from torch.nn.attention.flex_attention import (create_block_mask,
                                                       flex_attention)
        torch = self.torch
        slopes = torch.tensor(case.slopes(), device="cuda")
        ids = torch.arange(case.keys, device="cuda") // DOCUMENT

        def score(s, b, h, i, j):
            if case.kind == "softcap":
                return CAP * torch.tanh(s / CAP)
            return s + slopes[h] * (j - i)

        def mask(b, h, i, j):
            if case.kind == "window":
                return (i >= j) & (i - j <= WINDOW)
            if case.kind == "documents":
                return (i >= j) & (ids[i] == ids[j])
            return i >= j
        blocks = None if case.kind == "dense" else create_block_mask(
            mask, None, None, case.rows, case.keys, BLOCK_SIZE=(128, 128))
        modified = score if case.kind in ("softcap", "alibi") else None
        compiled = torch.compile(flex_attention, dynamic=False)
        return lambda: compiled(q, k, v, score_mod=modified, block_mask=blocks,
                                enable_gqa=grouped,
                                kernel_options={"BACKEND": backend})

    def product(self):
        """The yardstick: a function, and its flops."""
        torch = self.torch
        a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.float16)
                for _ in range(2))
        return lambda: a @ b, 2 * 8192 ** 3

    def time(self, run, count):
        torch = self.torch
        begin = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        times = []
        for _ in range(count):
            begin.record()
            run()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end))
        return times


def median(values):
    return float(np.median(values)) if values else 0.0
