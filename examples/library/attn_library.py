"""Calls libraries that attn-compile has made, with arrays of NumPy or tensors of
PyTorch, by ctypes.

    library = Library("libattention.so")
    library.call("attention", [q, k, v], [out])

Arrays are read and written where they are, whatever their strides; a number is
passed as one of ctypes. Who knows the header knows what a function takes. One for
GPUs takes tensors on a GPU as they are, and runs in a stream:

    library.use_stream(torch.cuda.current_stream().cuda_stream)
"""

import ctypes
import numpy as np

# The runtime's version, element types and devices: attn_rt.h, attn_rt_gpu.h.
VERSION, CPU, CUDA = 2, 1, 2
INT, FLOAT, BFLOAT, BOOL = 0, 2, 4, 6
_CODES = {"i": INT, "f": FLOAT, "b": BOOL}


class Dtype(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16)]


class Tensor(ctypes.Structure):
    """DLPack's DLTensor."""
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32),
                ("device_id", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("dtype", Dtype), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64)]


class Host(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int32), ("threads", ctypes.c_int32),
                ("user", ctypes.c_void_p), ("parallel", ctypes.c_void_p),
                ("allocate", ctypes.c_void_p), ("release", ctypes.c_void_p),
                ("cpu", ctypes.c_char_p)]


class Place(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int32), ("asynchronous", ctypes.c_int32),
                ("cuda_context", ctypes.c_void_p), ("stream", ctypes.c_void_p)]


class CallError(Exception):
    """A call that failed: its status, and the line that says why."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def borrow(array):
    """The tensor of an array, which stays the array's. NumPy has no bf16: the
    two-byte words of a uint16 array are taken for that."""
    extents = ctypes.c_int64 * array.ndim
    kind = array.dtype.kind
    bf16 = array.dtype == np.uint16
    dtype = Dtype(BFLOAT if bf16 else _CODES[kind], 8 * array.itemsize, 1)
    return Tensor(array.ctypes.data, CPU, 0, array.ndim, dtype,
                  extents(*array.shape),
                  extents(*(step // array.itemsize for step in array.strides)),
                  0)


# PyTorch's names of element types.
_TORCH_TYPES = {"float16": (FLOAT, 16), "bfloat16": (BFLOAT, 16),
                "float32": (FLOAT, 32), "float64": (FLOAT, 64),
                "bool": (BOOL, 8), "int8": (INT, 8), "int16": (INT, 16),
                "int32": (INT, 32), "int64": (INT, 64)}


def borrow_torch(tensor):
    """The same of a tensor of PyTorch, on the CPU or on a GPU."""
    code, bits = _TORCH_TYPES[str(tensor.dtype).rpartition(".")[2]]
    extents = ctypes.c_int64 * tensor.dim()
    device = ((CUDA, tensor.device.index or 0) if tensor.is_cuda else (CPU, 0))
    return Tensor(tensor.data_ptr(), *device, tensor.dim(),
                  Dtype(code, bits, 1), extents(*tensor.shape),
                  extents(*tensor.stride()), 0)


def pass_value(value):
    """A value as a function takes it: tensors by address, numbers as they are."""
    if isinstance(value, np.ndarray):
        return ctypes.byref(borrow(value))
    if hasattr(value, "data_ptr"):
        return ctypes.byref(borrow_torch(value))
    return value


class Library:
    """A shared library. `cpu` chooses among those it was compiled for."""

    def __init__(self, path, cpu=None):
        self.functions = ctypes.CDLL(path)
        create = self.functions.attn_rt_create
        create.restype = ctypes.c_void_p
        get_error = self.functions.attn_rt_get_error
        get_error.restype = ctypes.c_char_p
        self._cpu = cpu.encode() if cpu else None
        host = Host(version=VERSION, threads=1, cpu=self._cpu)
        self._context = ctypes.c_void_p(create(ctypes.byref(host)))
        if not self._context:
            raise MemoryError("no context could be made")

    def close(self):
        self.functions.attn_rt_destroy(self._context)
        self._context = None

    def use_stream(self, stream, asynchronous=False):
        """Where the next calls on a GPU run: a CUstream, by its address. With
        `asynchronous` they are left to it, and `wait` says what went wrong."""
        place = Place(VERSION, asynchronous, None, stream)
        self.functions.attn_rt_gpu_set_place(self._context, ctypes.byref(place))

    def wait(self):
        """Waits for the calls that were left to the stream."""
        self._check(self.functions.attn_rt_gpu_wait(self._context))

    def call(self, name, arguments, results):
        """Calls a function, which writes into `results`."""
        passed = [pass_value(value) for value in [*arguments, *results]]
        self._check(getattr(self.functions, name)(self._context, *passed))

    def _check(self, status):
        if status:
            message = self.functions.attn_rt_get_error(self._context)
            raise CallError(status, message.decode() if message else "")
