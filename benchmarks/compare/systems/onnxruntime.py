"""ONNX Runtime: its fused attention operators (MultiHeadAttention, Attention of
opset 23, GroupQueryAttention), MatMul and LayerNormalization, on arrays bound
in memory."""

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper

MICROSOFT = "com.microsoft"


def version():
    return onnxruntime.__version__


def bsh(array):
    """1 x heads x rows x width as batch x rows x features."""
    _, heads, rows, width = array.shape
    return numpy.ascontiguousarray(
        array.transpose(0, 2, 1, 3).reshape(1, rows, heads * width))


def build(nodes, inputs, outputs):
    """A session of nodes on named arrays."""
    types = {numpy.dtype("float32"): TensorProto.FLOAT,
             numpy.dtype("int32"): TensorProto.INT32,
             numpy.dtype("bool"): TensorProto.BOOL}
    graph = helper.make_graph(
        nodes, "graph",
        [helper.make_tensor_value_info(name, types[array.dtype], array.shape)
         for name, array in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
         for name in outputs])
    model = helper.make_model(graph, ir_version=10, opset_imports=[
        helper.make_opsetid("", 23), helper.make_opsetid(MICROSOFT, 1)])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def bind(session, inputs, shared=()):
    """Binds inputs, and outputs to memory of the session's choice but those of
    `shared`, which are an input's."""
    binding = session.io_binding()
    values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(array)
              for name, array in inputs.items()}
    for name, value in values.items():
        binding.bind_ortvalue_input(name, value)
    for output in session.get_outputs():
        if output.name in shared:
            binding.bind_ortvalue_output(output.name,
                                         values[shared[output.name]])
        else:
            binding.bind_output(output.name, "cpu")
    return binding


class Output:
    """What a call left in memory, put in attn's order when it is read."""

    def __init__(self, binding, case):
        self.value, self.case = binding.get_outputs()[0], case

    def __array__(self, dtype=None, copy=None):
        array = self.value.numpy()
        if self.case.kind == "attention" and array.ndim == 3:
            return array.reshape(1, self.case.rows, self.case.heads,
                                 -1).transpose(0, 2, 1, 3)
        return array


def multi_head(case, arrays):
    inputs = {name: bsh(arrays[name]) for name in "qkv"}
    names = ["q", "k", "v"]
    if case.length:
        padding = numpy.arange(case.keys)[None, :] < case.length
        inputs["padding"] = padding.astype(numpy.int32)
        names += ["", "padding"]
    node = helper.make_node(
        "MultiHeadAttention", names, ["o"], domain=MICROSOFT,
        num_heads=case.heads, unidirectional=int(case.causal))
    return [node], inputs, ["o"], {}


def grouped(case, arrays):
    """Causal; the keys of decoding lie in the cache, but for the last."""
    inputs = {name: bsh(arrays[name]) for name in "qkv"}
    names = ["q", "k", "v", "pastK", "pastV", "last", "total"]
    past = case.keys - case.rows
    if past:
        inputs["k"], inputs["v"] = (bsh(arrays[name][:, :, past:])
                                    for name in "kv")
        inputs["pastK"], inputs["pastV"] = (arrays[name].copy()
                                            for name in "kv")
    else:
        names[3:5] = ["", ""]
    inputs["last"] = numpy.array([case.keys - 1], numpy.int32)
    inputs["total"] = numpy.array([case.keys], numpy.int32)
    node = helper.make_node(
        "GroupQueryAttention", names, ["o", "presentK", "presentV"],
        domain=MICROSOFT, num_heads=case.heads, kv_num_heads=case.key_heads,
        local_window_size=case.window or -1, softcap=float(case.softcap))
    shared = {"presentK": "pastK", "presentV": "pastV"} if past else {}
    return [node], inputs, ["o", "presentK", "presentV"], shared


def standard(case, arrays):
    node = helper.make_node("Attention", ["q", "k", "v"], ["o"],
                            softcap=float(case.softcap))
    return [node], {name: arrays[name] for name in "qkv"}, ["o"], {}


def product(case, arrays):
    nodes = [helper.make_node("MatMul", ["a", "b"], ["c"])]
    if case.bias:
        nodes.append(helper.make_node("Add", ["c", "bias"], ["o"]))
    return nodes, arrays, ["o" if case.bias else "c"], {}


def block(case, arrays):
    node = helper.make_node
    parts = ["q", "k", "v"]
    nodes = [
        node("LayerNormalization", ["x", "gain", "shift"], ["norm"],
             epsilon=case.epsilon),
        node("MatMul", ["norm", "wqkv"], ["product"]),
        node("Add", ["product", "bqkv"], ["flat"]),
        node("Constant", [], ["axis"], value_ints=[0]),
        node("Unsqueeze", ["flat", "axis"], ["qkv"]),
        node("Split", ["qkv"], parts, axis=2, num_outputs=3),
        node("MultiHeadAttention", parts, ["attended"], domain=MICROSOFT,
             num_heads=case.heads, unidirectional=1),
        node("Squeeze", ["attended", "axis"], ["joined"]),
        node("MatMul", ["joined", "wout"], ["out"]),
        node("Add", ["out", "bout"], ["biased"]),
        node("Add", ["biased", "x"], ["o"])]
    return nodes, arrays, ["o"], {}


def prepare(case, arrays):
    if case.kind == "product":
        choice = product
    elif case.kind == "block":
        choice = block
    elif case.group > 1 or case.window or case.rows == 1:
        choice = grouped
    elif case.softcap:
        choice = standard
    else:
        choice = multi_head
    nodes, inputs, outputs, shared = choice(case, arrays)
    session = build(nodes, inputs, outputs)
    binding = bind(session, inputs, shared)

    def call():
        session.run_with_iobinding(binding)
        return Output(binding, case)

    return call
