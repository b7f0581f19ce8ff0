"""Causal attention from a library, with NumPy arrays.

    attn-compile attention.mlir -o libattention.so
    python3 attention.py ./libattention.so
"""

import sys

import numpy as np

from attn_library import CallError, Library

library = Library(sys.argv[1])
random = np.random.default_rng(0)

# One array of what a projection gives: queries, keys and values are views of it.
heads, rows, width = 2, 5, 64
packed = random.standard_normal((rows, 3, heads, width), dtype=np.float32)
q, k, v = packed.transpose(1, 2, 0, 3)
out = np.empty((heads, rows, width), np.float32)
library.call("attention", [q, k, v], [out])

scores = np.einsum("hid,hjd->hij", q, k).astype(np.float64) / np.sqrt(width)
scores[:, np.triu(np.ones((rows, rows), bool), 1)] = -np.inf
weights = np.exp(scores - scores.max(-1, keepdims=True))
weights /= weights.sum(-1, keepdims=True)
print("largest error below 1e-5:", bool(np.abs(out - weights @ v).max() < 1e-5))

try:
    library.call("attention", [q, k[:, :4], v], [out])
except CallError as error:
    print(f"status {error.status}: {error}")
library.close()
