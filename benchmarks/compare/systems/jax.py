"""JAX: dot_product_attention and matmul, compiled by XLA."""

import os

# One thread: the pool of XLA would find one core, but wait for others.
os.environ["XLA_FLAGS"] = ("--xla_cpu_multi_thread_eigen=false "
                           "intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy


def version():
    return jax.__version__


def attend(case):
    def function(q, k, v, length=None):
        if case.softcap:
            scores = jnp.einsum("bmhd,bnhd->bhmn", q, k) * case.width ** -0.5
            weights = jax.nn.softmax(
                case.softcap * jnp.tanh(scores / case.softcap), axis=-1)
            return jnp.einsum("bhmn,bnhe->bmhe", weights, v)
        window = (case.window - 1, 0) if case.window else None
        return jax.nn.dot_product_attention(
            q, k, v, is_causal=bool(case.causal or case.window),
            local_window_size=window, key_value_seq_lengths=length)

    return function


def block(case):
    def function(x, gain, shift, wqkv, bqkv, wout, bout):
        norm = jax.nn.standardize(x, epsilon=case.epsilon) * gain + shift
        projected = jnp.reshape(norm @ wqkv + bqkv,
                                (1, case.rows, 3, case.heads, case.width))
        q, k, v = (projected[:, :, part] for part in range(3))
        attended = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        joined = attended.reshape(case.rows, case.features)
        return joined @ wout + bout + x

    return function


def prepare(case, arrays):
    if case.kind == "product":
        function = jax.jit(lambda a, b, *bias: jnp.matmul(a, b) + sum(bias))
        inputs = list(arrays.values())
        order = None
    elif case.kind == "block":
        function = jax.jit(block(case))
        inputs = list(arrays.values())
        order = None
    else:
        # Its own order: rows before heads.
        function = jax.jit(attend(case))
        order = (0, 2, 1, 3)
        inputs = [array.transpose(order) if array.ndim == 4 else array
                  for array in arrays.values()]
    inputs = [jnp.asarray(numpy.ascontiguousarray(array)) for array in inputs]

    class Output:
        def __init__(self, array):
            self.array = array

        def __array__(self, dtype=None, copy=None):
            array = numpy.asarray(self.array)
            return array.transpose(order) if order else array

    return lambda: Output(function(*inputs).block_until_ready())
