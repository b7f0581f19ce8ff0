"""Calls a library with what has the face of PyTorch's tensors: on the CPU, and on
the GPU of the driver that is none, in a stream.

    torch_tensors.py EXAMPLES LIBRARY
"""

import ctypes
import sys

import numpy as np

sys.path.insert(0, sys.argv[1])
from attn_library import CallError, Library  # noqa: E402


class Device:
    index = None


class Tensor:
    """What a tensor of PyTorch says of itself."""

    def __init__(self, array, address=None):
        self.array, self.address = array, address
        self.is_cuda, self.device = address is not None, Device()
        self.shape, self.dtype = array.shape, f"torch.{array.dtype}"

    def dim(self):
        return self.array.ndim

    def stride(self):
        return [step // self.array.itemsize for step in self.array.strides]

    def data_ptr(self):
        return self.address or self.array.ctypes.data


def to_gpu(cuda, array):
    address = ctypes.c_uint64()
    cuda.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(array.nbytes))
    cuda.cuMemcpyHtoDAsync_v2(address, ctypes.c_void_p(array.ctypes.data),
                              ctypes.c_size_t(array.nbytes), None)
    return Tensor(array, address.value)


random = np.random.default_rng(0)
q, k, v = (random.standard_normal((rows, width), dtype=np.float32)
           for rows, width in ((5, 16), (70, 16), (70, 8)))
library = Library(sys.argv[2])
less, out = ctypes.c_float(0.5), np.zeros((5, 8), np.float32)
library.call("f", [Tensor(q), Tensor(k), Tensor(v), less], [Tensor(out)])
weights = np.exp(0.125 * q.astype(float) @ k.T)
wanted = weights / weights.sum(-1, keepdims=True) @ v
print("on the CPU:", bool(np.abs(out - wanted).max() < 1e-5))

cuda = ctypes.CDLL("libcuda.so.1")
tensors = [to_gpu(cuda, array) for array in (q, k, v, np.zeros_like(out))]
library.use_stream(1234, asynchronous=True)
library.call("f", [*tensors[:3], less], tensors[3:])
library.wait()
out[:] = 0
cuda.cuMemcpyDtoHAsync_v2(ctypes.c_void_p(out.ctypes.data),
                          ctypes.c_uint64(tensors[3].address),
                          ctypes.c_size_t(out.nbytes), None)
print("on the GPU:", bool(np.abs(out - wanted).max() < 1e-5))
try:
    library.call("f", [tensors[0], Tensor(k), tensors[2], less], tensors[3:])
except CallError as error:
    print(f"status {error.status}: {error}")
library.close()
