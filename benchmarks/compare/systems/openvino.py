"""OpenVINO: its operator ScaledDotProductAttention, elementary ones where that
lacks something, MatMul and MVN, in f32 on one thread."""

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


def block(case, x, gain, shift, wqkv, bqkv, wout, bout):
    norm = ops.mvn(x, ops.constant([1]), True, case.epsilon, "inside_sqrt")
    norm = ops.add(ops.multiply(norm, gain), shift)
    projected = ops.reshape(
        ops.add(ops.matmul(norm, wqkv, False, False), bqkv),
        ops.constant([1, case.rows, 3, case.heads, case.width]), False)
    parts = ops.split(ops.transpose(projected, ops.constant([2, 0, 3, 1, 4])),
                      ops.constant(0), 3)
    q, k, v = (ops.squeeze(parts.output(part), ops.constant([0]))
               for part in range(3))
    attended = ops.scaled_dot_product_attention(q, k, v, causal=True)
    joined = ops.reshape(ops.transpose(attended, ops.constant([0, 2, 1, 3])),
                         ops.constant([case.rows, case.features]), False)
    out = ops.add(ops.matmul(joined, wout, False, False), bout)
    return ops.add(out, x)


def prepare(case, arrays):
    arrays = {name: array for name, array in arrays.items() if name != "length"}
    parameters = [ops.parameter(list(array.shape), numpy.float32, name)
                  for name, array in arrays.items()]
    if case.kind == "product":
        result = ops.matmul(*parameters[:2], False, False)
        if case.bias:
            result = ops.add(result, parameters[2])
    elif case.kind == "block":
        result = block(case, *parameters)
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
