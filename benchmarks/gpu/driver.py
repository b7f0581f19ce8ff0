"""The driver of CUDA and libraries of kernels, by ctypes: memory, clocks,
calls.

Goes into the kit.
"""

import ctypes

import numpy as np

VERSION, CUDA, CPU = 2, 2, 1
INT, FLOAT, BFLOAT, BOOL = 0, 2, 4, 6
SCALARS = {"f16": ctypes.c_uint16, "bf16": ctypes.c_uint16,
           "f32": ctypes.c_float, "f64": ctypes.c_double, "i1": ctypes.c_uint8,
           "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32,
           "i64": ctypes.c_int64, "index": ctypes.c_int64}


class NoGPU(Exception):
    pass


class Driver:
    """The first GPU and its primary context, which is current from then on."""

    def __init__(self):
        try:
            self.library = ctypes.CDLL("libcuda.so.1")
        except OSError:
            raise NoGPU("expected a GPU of NVIDIA's and its driver, but there "
                        "is no libcuda.so.1")
        if self.library.cuInit(0):
            raise NoGPU("expected a GPU of NVIDIA's, but its driver cannot "
                        "start")
        count, device = ctypes.c_int(), ctypes.c_int()
        self.do("cuDeviceGetCount", ctypes.byref(count))
        if not count.value:
            raise NoGPU("expected a GPU of NVIDIA's, but the driver sees none")
        self.do("cuDeviceGet", ctypes.byref(device), 0)
        self.device, context = device, ctypes.c_void_p()
        self.do("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.do("cuCtxPushCurrent_v2", context)

    def do(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status:
            raise RuntimeError(f"{name} failed with CUDA error {status}")

    def attribute(self, number):
        value = ctypes.c_int()
        self.do("cuDeviceGetAttribute", ctypes.byref(value), number,
                self.device)
        return value.value

    def describe(self):
        name = ctypes.create_string_buffer(100)
        get = getattr(self.library, "cuDeviceGetName", None)
        if get is None or get(name, 100, self.device):
            name.value = b"GPU"
        version = ctypes.c_int()
        self.do("cuDriverGetVersion", ctypes.byref(version))
        return {"gpu": name.value.decode(),
                "chip": f"sm_{self.attribute(75)}{self.attribute(76)}",
                "driver": f"{version.value // 1000}."
                          f"{version.value % 1000 // 10}"}

    def copy_in(self, array):
        """Memory of the GPU with the bytes of an array."""
        address = ctypes.c_uint64()
        self.do("cuMemAlloc_v2", ctypes.byref(address),
                ctypes.c_size_t(max(array.nbytes, 1)))
        if array.nbytes:
            self.do("cuMemcpyHtoDAsync_v2", address,
                    ctypes.c_void_p(array.ctypes.data),
                    ctypes.c_size_t(array.nbytes), None)
            self.wait()
        return address.value

    def copy_out(self, array, address):
        if array.nbytes:
            self.do("cuMemcpyDtoHAsync_v2", ctypes.c_void_p(array.ctypes.data),
                    ctypes.c_uint64(address), ctypes.c_size_t(array.nbytes),
                    None)
            self.wait()

    def free(self, address):
        self.do("cuMemFree_v2", ctypes.c_uint64(address))

    def wait(self):
        self.do("cuStreamSynchronize", None)

    def time(self, run, count):
        """Milliseconds of each of so many runs, by the GPU's clock."""
        begin, end = ctypes.c_void_p(), ctypes.c_void_p()
        for event in (begin, end):
            self.do("cuEventCreate", ctypes.byref(event), 0)
        times = []
        for _ in range(count):
            self.do("cuEventRecord", begin, None)
            run()
            self.do("cuEventRecord", end, None)
            self.do("cuEventSynchronize", end)
            took = ctypes.c_float()
            self.do("cuEventElapsedTime", ctypes.byref(took), begin, end)
            times.append(took.value)
        for event in (begin, end):
            self.do("cuEventDestroy_v2", event)
        return times


class Dtype(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16)]


class Tensor(ctypes.Structure):
    """DLPack's DLTensor, row by row."""
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32),
                ("device_id", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("dtype", Dtype), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.c_void_p), ("byte_offset", ctypes.c_uint64)]


class Place(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int32), ("asynchronous", ctypes.c_int32),
                ("cuda_context", ctypes.c_void_p), ("stream", ctypes.c_void_p)]


def describe(array, dtype, address=None):
    """The tensor of an array, or of memory of the GPU that holds the same."""
    code = (BFLOAT if dtype == "bf16" else BOOL if dtype == "i1" else
            FLOAT if dtype.startswith("f") else INT)
    extents = ctypes.c_int64 * array.ndim
    return Tensor(array.ctypes.data if address is None else address,
                  CPU if address is None else CUDA, 0, array.ndim,
                  Dtype(code, 8 * array.itemsize, 1), extents(*array.shape),
                  None, 0)


def pass_scalar(array, dtype):
    return SCALARS[dtype](np.asarray(array).view(np.uint16).item()
                          if dtype == "f16" else np.asarray(array).item())


class Library:
    """What attn-compile has made; for a GPU, calls leave their work to it."""

    def __init__(self, path, gpu):
        self.functions = ctypes.CDLL(str(path))
        self.functions.attn_rt_create.restype = ctypes.c_void_p
        self.functions.attn_rt_get_error.restype = ctypes.c_char_p
        self.context = ctypes.c_void_p(self.functions.attn_rt_create(None))
        if gpu:
            place = Place(VERSION, 1, None, None)
            self.functions.attn_rt_gpu_set_place(self.context,
                                                 ctypes.byref(place))

    def call(self, name, passed):
        passed = [ctypes.byref(value) if isinstance(value, Tensor) else value
                  for value in passed]
        status = getattr(self.functions, name)(self.context, *passed)
        if status:
            error = self.functions.attn_rt_get_error(self.context)
            raise RuntimeError(error.decode() if error else f"status {status}")

    def wait(self):
        if self.functions.attn_rt_gpu_wait(self.context):
            error = self.functions.attn_rt_get_error(self.context)
            raise RuntimeError(error.decode() if error else "a kernel failed")

    def close(self):
        self.functions.attn_rt_destroy(self.context)
