"""OpenVINO: its operator ScaledDotProductAttention, elementary ones where that
lacks something, and MatMul, in f32 on one thread."""

import numpy
import openvino
import openvino.opset13 as ops


def version():
    return openvino.__version__.split("-")[0]


def repeat(key, case):
    """Key heads as often as query heads read them."""
    if case.group == 1:
        return key
    spread = ops.broadcast(
        ops.unsqueeze(key, ops.constant([2])),
        ops.constant([1, case.key_heads, case.group, case.keys, case.width]))
    return ops.reshape(
        spread, ops.constant([1, case.heads, case.keys, case.width]), False)


def attend(case, q, k, v):
    k, v = repeat(k, case), repeat(v, case)
    if case.softcap:
        scores = ops.multiply(ops.matmul(q, k, False, True), ops.constant(
            numpy.float32(case.width ** -0.5 / case.softcap)))
        capped = ops.multiply(ops.tanh(scores),
                              ops.constant(numpy.float32(case.softcap)))
        return ops.matmul(ops.softmax(capped, -1), v, False, False)
    if case.window or case.length:
        mask = ops.constant(numpy.where(case.mask(), 0, -numpy.inf)
                            .astype(numpy.float32)[None, None])
        return ops.scaled_dot_product_attention(q, k, v, mask)
    return ops.scaled_dot_product_attention(q, k, v, causal=case.causal)


def prepare(case, arrays):
    arrays = {name: array for name, array in arrays.items() if name != "length"}
    parameters = [ops.parameter(list(array.shape), numpy.float32, name)
                  for name, array in arrays.items()]
    if case.kind == "product":
        result = ops.matmul(*parameters[:2], False, False)
        if case.bias:
            result = ops.add(result, parameters[2])
    else:
        result = attend(case, *parameters)
    compiled = openvino.Core().compile_model(
        openvino.Model([result], parameters, "graph"), "CPU",
        {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32",
         "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False})
    request = compiled.create_infer_request()
    tensors = [openvino.Tensor(array) for array in arrays.values()]
    for number, tensor in enumerate(tensors):
        request.set_input_tensor(number, tensor)

    def call():
        request.infer()
        return request.get_output_tensor(0).data

    return call
