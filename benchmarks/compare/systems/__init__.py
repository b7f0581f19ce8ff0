"""The systems that are compared, a module each; see worker.py."""


class Cannot(Exception):
    """A system has no way to say a case; the message says what it lacks."""


# Module: name in tables, in the order of these.
PEERS = {"pytorch": "PyTorch", "flex": "FlexAttention",
         "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "jax": "JAX",
         "iree": "IREE"}

NAMES = {"attn": "attn", **PEERS, "plain": "NumPy"}
