"""The rows of the kit: attention at the shapes that peers are measured at, and
every example. Of each row how its kernel is written, what its arguments are,
what a CPU says of some of its query rows, and how many pairs are visible.

Needs NumPy and nothing else: it goes into the kit.
"""

import dataclasses

import numpy as np

WINDOW, DOCUMENT, CAP = 1024, 1024, 50.0


@dataclasses.dataclass(frozen=True)
class Attention:
    """batch x heads x rows x width against key_heads x keys x width, of 16
    bits."""

    name: str
    heads: int
    width: int
    rows: int
    batch: int = 1
    keys: int = None
    key_heads: int = None
    kind: str = "dense"  # causal, window, softcap, alibi, documents
    dtype: str = "f16"
    quick: bool = False

    def __post_init__(self):
        object.__setattr__(self, "keys", self.keys or self.rows)
        object.__setattr__(self, "key_heads", self.key_heads or self.heads)

    function = "attention"

    def types(self):
        q = f"{self.batch}x{self.heads}x{self.rows}x{self.width}"
        k = f"{self.batch}x{self.key_heads}x{self.keys}x{self.width}"
        return [f"tensor<{shape}x{self.dtype}>" for shape in (q, k)]

    def mlir(self):
        q, k = self.types()
        attributes, region, more = [], "", ""
        if self.kind != "dense":
            attributes.append("causal = #attn.causal<top_left>")
        if self.kind == "window":
            attributes.append(f"window = array<i64: {WINDOW}, 0>")
        if self.kind == "softcap":
            attributes.append(f"softcap = {CAP:.1f} : f64")
        if self.kind == "alibi":
            more = f", %slopes: tensor<{self.heads}xf32>"
            region = ALIBI.replace("HEADS", str(self.heads))
        if self.kind == "documents":
            more = f", %ids: tensor<{self.keys}xi32>"
            region = DOCUMENTS.replace("KEYS", str(self.keys))
        written = f" {{{', '.join(attributes)}}}" if attributes else ""
        return f"""\
func.func @attention(%q: {q}, %k: {k}, %v: {k}{more}) -> {q} {{
  %init = tensor.empty() : {q}
  %o = attn.sdpa ins(%q, %k, %v : {q}, {k}, {k}) outs(%init : {q}){written}
      {region} -> {q}
  return %o : {q}
}}
"""

    def arguments(self):
        """Arrays in order, of bf16 the words."""
        q = (self.batch, self.heads, self.rows, self.width)
        k = (self.batch, self.key_heads, self.keys, self.width)
        arrays = [draw(shape, self.dtype, seed)
                  for seed, shape in enumerate((q, k, k))]
        if self.kind == "alibi":
            arrays.append(self.slopes())
        if self.kind == "documents":
            arrays.append((np.arange(self.keys) // DOCUMENT).astype(np.int32))
        return arrays

    def results(self):
        return [np.zeros((self.batch, self.heads, self.rows, self.width),
                         np.float16 if self.dtype == "f16" else np.uint16)]

    def slopes(self):
        return np.exp2(-8.0 * (np.arange(self.heads) + 1) /
                       self.heads).astype(np.float32)

    def visible(self):
        """Pairs that a head computes."""
        rows = np.arange(self.rows)
        if self.kind == "dense":
            return self.rows * self.keys
        if self.kind == "window":
            return int((np.minimum(rows, WINDOW) + 1).sum())
        if self.kind == "documents":
            return int((rows % DOCUMENT + 1).sum())
        return int((rows + 1).sum())

    def flops(self):
        return 4 * self.batch * self.heads * self.width * self.visible()

    def bytes(self):
        """Of keys and values: what decoding reads."""
        return 4 * self.batch * self.key_heads * self.keys * self.width

    def sample(self):
        """Some (batch, head, row): the first rows, the last, and between."""
        random = np.random.default_rng(7)
        rows = {0, self.rows - 1, *random.integers(0, self.rows, 10)}
        return [(int(random.integers(self.batch)),
                 int(random.integers(self.heads)), int(row))
                for row in sorted(rows)]

    def expected(self, arrays, place):
        """A row of the output in double precision, and its error's bound."""
        b, h, i = place
        q, k, v = (to_doubles(array, self.dtype) for array in (
            arrays[0][b, h, i], arrays[1][b, h * self.key_heads // self.heads],
            arrays[2][b, h * self.key_heads // self.heads]))
        scores, j = k @ q / np.sqrt(self.width), np.arange(self.keys)
        if self.kind == "softcap":
            scores = CAP * np.tanh(scores / CAP)
        if self.kind == "alibi":
            scores = scores + self.slopes()[h].astype(float) * (j - i)
        seen = np.ones(self.keys, bool) if self.kind == "dense" else j <= i
        if self.kind == "window":
            seen &= j >= i - WINDOW
        if self.kind == "documents":
            seen &= j // DOCUMENT == i // DOCUMENT
        weights = np.where(seen, np.exp(scores - scores[seen].max()), 0.0)
        weights /= weights.sum()
        # Weights and the result are rounded to the type of the values.
        unit = 2.0 ** (-8 if self.dtype == "bf16" else -11)
        bound = 4 * unit * (weights @ np.abs(v)) + 1e-6
        return weights @ v, bound

    def check(self, arrays, results):
        """The largest error as a part of its bound; above 1 is wrong."""
        worst = 0.0
        for place in self.sample():
            wanted, bound = self.expected(arrays, place)
            got = to_doubles(results[0][place], self.dtype)
            error = np.abs(got - wanted) / bound
            worst = max(worst, float(np.nan_to_num(error, nan=np.inf).max()))
        return worst


ALIBI = """score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %slope = tensor.extract %slopes[%h] : tensor<HEADSxf32>
        %steps = arith.subi %j, %i : index
        %whole = arith.index_cast %steps : index to i32
        %distance = arith.sitofp %whole : i32 to f32
        %less = arith.mulf %slope, %distance : f32
        %r = arith.addf %s, %less : f32
        attn.yield %r : f32
      }"""

DOCUMENTS = """mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %row = tensor.extract %ids[%i] : tensor<KEYSxi32>
        %key = tensor.extract %ids[%j] : tensor<KEYSxi32>
        %same = arith.cmpi eq, %row, %key : i32
        attn.yield %same : i1
      }"""


@dataclasses.dataclass(frozen=True)
class Example:
    """A file with the arguments of its first line; a library for CPUs, made of
    the same file, says what is right."""

    name: str
    function: str
    arguments_given: list  # of each shape, element type, by value, bounds
    results_given: list  # of each shape, element type
    quick: bool = True
    kind: str = "example"

    def arguments(self):
        return [draw(tuple(shape), dtype, number, bounds)
                for number, (shape, dtype, _, bounds) in
                enumerate(self.arguments_given)]

    def results(self):
        return [np.zeros(shape, NUMPY_TYPES[dtype])
                for shape, dtype in self.results_given]

    def compare(self, wanted, results):
        """The largest error as a part of its bound; above 1 is wrong."""
        worst = 0.0
        for (_, dtype), right, got in zip(self.results_given, wanted, results):
            right, got = to_doubles(right, dtype), to_doubles(got, dtype)
            unit = {"bf16": 2.0 ** -8, "f16": 2.0 ** -11}.get(dtype, 1e-5)
            bound = 4 * unit * (np.abs(right) + 1)
            both = np.isnan(right) & np.isnan(got)
            error = np.where(both, 0, np.abs(right - got) / bound)
            if error.size:
                error = np.nan_to_num(error, nan=np.inf)
                worst = max(worst, float(error.max()))
        return worst


NUMPY_TYPES = {"f16": np.float16, "bf16": np.uint16, "f32": np.float32,
               "f64": np.float64, "i1": np.bool_, "i8": np.int8,
               "i16": np.int16, "i32": np.int32, "i64": np.int64,
               "index": np.int64}


def draw(shape, dtype, seed, bounds=None):
    """Numbers of a pool, over and over: as quick to draw as to copy."""
    random = np.random.default_rng(seed + 1)
    if dtype != "i1" and dtype.startswith("i"):
        least, most = bounds or (0, 1)
        return random.integers(least, max(most, least + 1), shape).astype(
            NUMPY_TYPES[dtype])
    if dtype == "i1":
        return random.integers(0, 2, shape).astype(np.bool_)
    low, high = bounds or (-1, 1)
    pool = random.uniform(low, high, 1048573).astype(np.float32)
    if dtype == "bf16":
        pool = (pool.view(np.uint32) >> 16).astype(np.uint16)
    return np.resize(pool.astype(NUMPY_TYPES[dtype]), shape)


def to_doubles(array, dtype):
    if dtype == "bf16":
        array = (np.asarray(array).astype(np.uint32) << 16).view(np.float32)
    return np.asarray(array).astype(np.float64)


ROWS = [
    Attention("dense-d128", 16, 128, 16384, quick=True),
    Attention("causal-d128", 16, 128, 16384, kind="causal", quick=True),
    Attention("dense-d64", 32, 64, 16384),
    Attention("causal-d64", 32, 64, 16384, kind="causal"),
    Attention("dense-d256", 8, 256, 16384),
    Attention("window1024-d128", 16, 128, 16384, kind="window", quick=True),
    Attention("softcap-d128", 16, 128, 16384, kind="softcap", quick=True),
    Attention("alibi-d128", 16, 128, 16384, kind="alibi"),
    Attention("documents1024-d128", 16, 128, 16384, kind="documents"),
    Attention("dense-bf16-d128", 16, 128, 16384, dtype="bf16"),
    Attention("short-d128", 16, 128, 1024, batch=16),
    Attention("short-causal-d128", 16, 128, 1024, batch=16, kind="causal"),
    Attention("decode-d128", 32, 128, 1, batch=16, keys=8192, key_heads=8),
]
