"""What is compared: attention, matrix products and an attention block of layers,
f32, batch 1.

Arrays are heads x rows x width with a leading batch extent of 1, as attn takes
them; a system that wants another order gets it before the clock starts.
"""

import dataclasses
import pathlib

import numpy


@dataclasses.dataclass(frozen=True)
class Attention:
    """Query heads x rows x width against key_heads x keys x width."""

    name: str
    heads: int
    width: int
    rows: int
    keys: int = None
    key_heads: int = None
    causal: bool = False
    window: int = 0  # keys that a row sees, its own the last; 0: all
    softcap: float = 0
    length: int = 0  # keys that are no padding, read from an array; 0: all

    kind = "attention"

    def __post_init__(self):
        object.__setattr__(self, "keys", self.keys or self.rows)
        object.__setattr__(self, "key_heads", self.key_heads or self.heads)

    @property
    def group(self):
        return self.heads // self.key_heads

    @property
    def masked(self):
        return bool(self.causal or self.window or self.length)

    def flops(self):
        return 4 * self.heads * self.width * int(self.mask().sum())

    def mask(self):
        """Whether each of rows x keys sees; the first row sees key 0."""
        row = numpy.arange(self.rows)[:, None]
        key = numpy.arange(self.keys)[None, :]
        seen = numpy.ones((self.rows, self.keys), bool)
        if self.causal or self.window:
            seen &= key <= row
        if self.window:
            seen &= key > row - self.window
        if self.length:
            seen &= key < self.length
        return seen

    def inputs(self):
        draw = numpy.random.default_rng(1)
        shapes = {"q": (self.heads, self.rows),
                  "k": (self.key_heads, self.keys),
                  "v": (self.key_heads, self.keys)}
        arrays = {name: draw.uniform(-1, 1, (1, *shape, self.width))
                  .astype(numpy.float32) for name, shape in shapes.items()}
        if self.length:
            arrays["length"] = numpy.array([self.length], numpy.int32)
        return arrays

    def mlir(self):
        q, k = (f"tensor<1x{heads}x{rows}x{self.width}xf32>" for heads, rows in
                ((self.heads, self.rows), (self.key_heads, self.keys)))
        attributes, region = [], ""
        if self.causal or self.window:
            attributes.append("causal = #attn.causal<top_left>")
        if self.window:
            attributes.append(f"window = array<i64: {self.window - 1}, 0>")
        if self.softcap:
            attributes.append(f"softcap = {self.softcap:.1f} : f64")
        if self.length:
            region = LENGTH_MASK
        length = ", %length: tensor<1xi32>" if self.length else ""
        attributes = f"{{{', '.join(attributes)}}}" if attributes else ""
        return f"""\
func.func @attention(%q: {q}, %k: {k}, %v: {k}{length}) -> {q} {{
  %init = tensor.empty() : {q}
  %o = attn.sdpa ins(%q, %k, %v : {q}, {k}, {k}) outs(%init : {q}) {attributes}
      {region} -> {q}
  return %o : {q}
}}
"""


LENGTH_MASK = """mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %last = tensor.extract %length[%b] : tensor<1xi32>
        %end = arith.index_cast %last : i32 to index
        %visible = arith.cmpi slt, %j, %end : index
        attn.yield %visible : i1
      }"""


@dataclasses.dataclass(frozen=True)
class Product:
    """rows x depth times depth x columns, plus a bias of columns, if any."""

    name: str
    rows: int
    depth: int
    columns: int
    bias: bool = False

    kind = "product"

    def flops(self):
        return 2 * self.rows * self.depth * self.columns

    def inputs(self):
        draw = numpy.random.default_rng(1)
        shapes = {"a": (self.rows, self.depth), "b": (self.depth, self.columns)}
        if self.bias:
            shapes["bias"] = (self.columns,)
        return {name: draw.uniform(-1, 1, shape).astype(numpy.float32)
                for name, shape in shapes.items()}

    def types(self):
        """Those of a, b, bias and the result, as MLIR writes them."""
        return [f"tensor<{extents}xf32>" for extents in (
            f"{self.rows}x{self.depth}", f"{self.depth}x{self.columns}",
            f"{self.columns}", f"{self.rows}x{self.columns}")]

    def mlir(self):
        a, b, bias, c = self.types()
        argument = f", %bias: {bias}" if self.bias else ""
        start = (f"linalg.broadcast ins(%bias : {bias}) outs(%init : {c}) "
                 f"dimensions = [0]" if self.bias else
                 f"linalg.fill ins(%zero : f32) outs(%init : {c}) -> {c}")
        return f"""\
func.func @product(%a: {a}, %b: {b}{argument}) -> {c} {{
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : {c}
  %start = {start}
  %c = linalg.matmul ins(%a, %b : {a}, {b}) outs(%start : {c}) -> {c}
  return %c : {c}
}}
"""


@dataclasses.dataclass(frozen=True)
class Block:
    """Layer norm, projections to causal attention, output, residual, as
    benchmarks/gpt2-block.mlir has them."""

    name: str
    rows: int = 1024
    heads: int = 12
    width: int = 64

    kind = "block"
    epsilon = 1e-5

    @property
    def features(self):
        return self.heads * self.width

    def flops(self):
        projections = 2 * self.rows * self.features * 4 * self.features
        seen = self.rows * (self.rows + 1) // 2
        return projections + 4 * self.features * seen

    def inputs(self):
        draw = numpy.random.default_rng(1)
        features = self.features
        shapes = {"x": (self.rows, features), "gain": (features,),
                  "shift": (features,), "wqkv": (features, 3 * features),
                  "bqkv": (3 * features,), "wout": (features, features),
                  "bout": (features,)}
        arrays = {name: draw.uniform(-1, 1, shape).astype(numpy.float32)
                  for name, shape in shapes.items()}
        # Weights of a layer keep the variance of what they are given.
        for name in ("wqkv", "wout"):
            arrays[name] *= numpy.float32((3 / features) ** 0.5)
        return arrays

    def mlir(self):
        folder = pathlib.Path(__file__).resolve().parent.parent
        return (folder / "gpt2-block.mlir").read_text()


DENSE_64 = [Attention(f"dense-d64-n{rows}", 8, 64, rows)
            for rows in (128, 197, 384, 512, 1000, 1024, 2048, 4096)]
DENSE_128 = [Attention(f"dense-d128-n{rows}", 8, 128, rows)
             for rows in (128, 512, 1024, 2048, 4096)]

CASES = {case.name: case for case in [
    *DENSE_64,
    *DENSE_128,
    Attention("causal-d64-n512", 8, 64, 512, causal=True),
    Attention("causal-d64-n2048", 8, 64, 2048, causal=True),
    Attention("causal-d128-n1024", 8, 128, 1024, causal=True),
    Attention("causal-d128-n4096", 8, 128, 4096, causal=True),
    Attention("grouped-causal-d128-n2048", 32, 128, 2048, key_heads=8,
              causal=True),
    Attention("cross-64x1500", 12, 64, 64, keys=1500),
    Attention("window256-d64-n4096", 8, 64, 4096, window=256),
    Attention("padding-d64-n512", 12, 64, 512, length=387),
    Attention("dense-d80-n1024", 16, 80, 1024),
    Attention("softcap-d128-n2048", 8, 128, 2048, softcap=50),
    Attention("decode-grouped-d128-n4096", 32, 128, 1, keys=4096, key_heads=8),
    Attention("decode-d64-n512", 8, 64, 1, keys=512),
    Product("matmul-512", 512, 512, 512),
    Product("matmul-1024", 1024, 1024, 1024),
    Product("gpt2-attention-in", 1024, 768, 2304, bias=True),
    Product("gpt2-attention-out", 1024, 768, 768, bias=True),
    Product("gpt2-mlp-in", 1024, 768, 3072, bias=True),
    Product("gpt2-mlp-out", 1024, 3072, 768, bias=True),
    Block("gpt2-block"),
]}
