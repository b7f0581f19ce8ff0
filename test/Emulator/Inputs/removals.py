"""Takes what orders the threads of kernels out of each form, one at a time.

    removals.py HEADER FORM...

HEADER is the one of the leaf helpers, whose section "Order" names the ops. Each of
them is left out of every kernel that has it, wherever it is, and what is left goes
through the checker of PTX, or, where that finds nothing, through the emulator. Prints
by form and op how many there are and who found them, what nobody finds, and the ops
that no form has.
"""

import re
import subprocess
import sys

ATTENTION = """
#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, m, n, d, e) -> (h, n, e)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>
#w = affine_map<(h, m, n, d, e) -> (h, m, n)>
#c = affine_map<(h, m, n, d, e) -> ()>
#s = affine_map<(h, m, n, d, e) -> (h)>
func.func @main(%q: tensor<1xMxDxT>, %k: tensor<1xNxDxT>,
                %v: tensor<1xNxExT>$EXTRA) -> ($TYPES) {
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %q, %c1 : tensor<1xMxDxT>
  %keys = tensor.dim %k, %c1 : tensor<1xNxDxT>
  %init = tensor.empty($ROWS) : tensor<1xMxExT>
  %pairs = tensor.empty($PAIRS) : tensor<1xMxNxT>
  %o$RESULTS = attn.generic ins(%q, %k, %v : tensor<1xMxDxT>, tensor<1xNxDxT>, tensor<1xNxExT>)
      weighting($WEIGHTING) outs(%init : tensor<1xMxExT>) $STORES
      {indexing_maps = [#q, #k, #v, $MAPS],
       attn.gpu_kernel = #attn.gpu_kernel<$CHOICE>}
      $REGION -> $TYPES
  return $RETURN : $TYPES
}
"""
CAUSAL = """mask {
        %i = attn.index 1
        %j = attn.index 2
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      }"""
DISTANCE = """similarity {
      ^bb0(%x: f32, %y: f32):
        %difference = arith.subf %x, %y : f32
        %size = math.absf %difference : f32
        attn.yield %size : f32
      }"""
PRODUCT = """
func.func @main(%a: tensor<MxDxT>, %b: tensor<DxNxT>) -> tensor<MxNxf32> {
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<MxNxf32>
  %filled = linalg.fill ins(%zero : f32) outs(%init : tensor<MxNxf32>)
      -> tensor<MxNxf32>
  %c = linalg.matmul ins(%a, %b : tensor<MxDxT>, tensor<DxNxT>)
      outs(%filled : tensor<MxNxf32>) -> tensor<MxNxf32>
  return %c : tensor<MxNxf32>
}
"""


def fill(text, values, **letters):
    """Puts in values for names, and extents for letters in types."""
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return re.sub(r"tensor<([\w]+)>", lambda found: "tensor<" + "x".join(
        str(letters.get(part, part)) for part in found.group(1).split("x"))
        + ">", text)


def attention(choice, dtype="f16", sizes=(32, 96, 32, 16), dynamic=False,
              region="", weighting="#attn.softmax", weights=False,
              operands=()):
    """A module, and the shapes of its arguments if they are dynamic."""
    rows, keys, width, channels = sizes
    names = ", ".join(f"%x{i}" for i in range(len(operands)))
    types = ", ".join(type for type, _ in operands)
    if operands:
        weighting += f", {names} : {types}"
    text = fill(ATTENTION, {
        "EXTRA": "".join(f", %x{i}: {type}"
                         for i, (type, _) in enumerate(operands)),
        "RESULTS": ":2" if weights else "",
        "WEIGHTING": weighting,
        "STORES": "weights(%pairs : tensor<1xMxNxT>)" if weights else "",
        "MAPS": "".join(f"{map}, " for _, map in operands) + "#o"
                + (", #w" if weights else ""),
        "CHOICE": choice, "REGION": region,
        "RETURN": "%o#0, %o#1" if weights else "%o",
        "TYPES": "tensor<1xMxExT>" + (", tensor<1xMxNxT>" if weights else ""),
        "ROWS": "%rows" if dynamic else "",
        "PAIRS": "%rows, %keys" if dynamic else ""},
        T=dtype, D=width, E=channels, M="?" if dynamic else rows,
        N="?" if dynamic else keys)
    shapes = [(1, rows, width), (1, keys, width), (1, keys, channels)]
    return text, shapes if dynamic else []


def product(dtype, rows=70, keys=40, width=130):
    return fill(PRODUCT, {}, T=dtype, M=rows, N=keys, D=width), []


MMA = "mma_sync, rows = 32, keys = 32, warps = 2, stages = {}, splits = {}"
PLAIN = "plain, rows = 32, keys = 16, warps = 2, stages = 1, splits = 1"
SHARED = "mma_sync, rows = 16, keys = 32, warps = 2, stages = {}, splits = 1"
SHARED_PLAIN = "plain, rows = 16, keys = 32, warps = 4, stages = 1, splits = 1"


WGMMA = "wgmma, rows = {}, keys = 32, warps = {}, stages = {}, splits = 1"


def forms():
    for stages in (1, 2, 3):
        yield f"mma, stages {stages}", attention(MMA.format(stages, 1))
        yield (f"mma causal, stages {stages}",
               attention(MMA.format(stages, 1), sizes=(70, 70, 40, 40),
                         dynamic=True, region=CAUSAL))
        yield (f"mma with weights, stages {stages}",
               attention(MMA.format(stages, 1), sizes=(32, 160, 32, 16),
                         weights=True))
        yield (f"mma wide, stages {stages}",
               attention(MMA.format(stages, 1), sizes=(32, 96, 144, 32)))
        yield (f"mma of shared rows, stages {stages}",
               attention(SHARED.format(stages), sizes=(32, 96, 32, 32)))
    yield ("mma causal of shared rows",
           attention(SHARED.format(1), sizes=(70, 70, 40, 40), dynamic=True,
                     region=CAUSAL))
    yield "mma split", attention(MMA.format(1, 2), sizes=(32, 128, 32, 16))
    yield "wgmma", attention(WGMMA.format(128, 8, 2),
                             sizes=(128, 128, 64, 64))
    yield "wgmma causal", attention(WGMMA.format(64, 4, 3),
                                    sizes=(64, 150, 64, 64), region=CAUSAL)
    f32 = {"dtype": "f32", "sizes": (32, 48, 12, 8)}
    yield "plain", attention(PLAIN, **f32)
    yield "plain causal", attention(PLAIN, "f32", (70, 70, 12, 8),
                                    dynamic=True, region=CAUSAL)
    yield "plain similarity", attention(PLAIN, region=DISTANCE, **f32)
    yield "plain with weights", attention(PLAIN, weights=True, **f32)
    yield "plain of shared rows", attention(SHARED_PLAIN, **f32)
    yield "plain select", attention(
        PLAIN, weighting="#attntest.best<3, #attn.softmax>", **f32)
    yield "plain ordered", attention(
        PLAIN, weighting="#attntest.fading",
        operands=[("tensor<1xf32>", "#s"), ("f32", "#c")], **f32)
    yield "product of f16", product("f16")
    yield "product of f32", product("f32")
    yield "wgmma product", product("f16", 72, 40, 328)
    yield "wgmma product of two warpgroups", product("bf16", 200, 72, 328)


def run(command, text):
    done = subprocess.run(command, input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr.strip()


def get_chip(form):
    return "sm_90a" if form.startswith("wgmma") else "sm_90"


def list_order(header):
    """The ops of the section: those of its comment, and one of each function."""
    with open(header) as file:
        section = re.search(r"// Order\n *//=.*\n((?:.*\n)*?) *//=",
                            file.read()).group(1)
    functions = re.findall(r"((?: *///.*\n)+)([^;]*;)", section)
    names = re.findall(r"`([\w]+\.[\w.]+)`", section.split("///")[0])
    for comment, function in functions:
        name = re.search(r"/// `([\w.]+)`\n$", comment)
        if not name:
            sys.exit(f"expected the name of an op above {function.strip()}")
        names.append(name.group(1))
    return names


def take_out(line, op):
    """What stands there without it, or nothing if it is not in the line."""
    if op.startswith("wgmma."):
        # Of a piece of assembly, an instruction.
        changed = re.sub(rf"{re.escape(op)}\.sync\.aligned( \d)?;(\\0A)?", "",
                         line)
        return None if changed == line else changed
    found = re.match(rf"\s*(%\w+ = )?{re.escape(op)}(?![\w.])", line)
    if not found:
        return None
    # What is waited for by asking again is there at once.
    return found.group(1) + "arith.constant true" if "try_wait" in op else ""


def check(text, chip):
    """Whether the checker finds something in the PTX of `text`."""
    status, ptx, err = run(["attn-test-run", "-", "--target=gpu", "--emit=ptx",
                            f"--chip={chip}", "--start-after=gpu"], text)
    if status:
        sys.exit(err)
    status, out, err = run(["attn-test-ptx", "-"], ptx)
    return status, out + err


def emulate(text, chip, shapes):
    return run(["attn-test-run", "-", "--target=gpu-emulator",
                f"--chip={chip}", "--start-after=gpu", "--random"] + shapes,
               text)


def main(argv):
    order = list_order(argv[1])
    unseen = set(order)
    for form, (module, shapes) in forms():
        if argv[2:] and form not in argv[2:]:
            continue
        chip = get_chip(form)
        shapes = ["--shape=" + "x".join(map(str, shape)) for shape in shapes]
        status, kernels, err = run(
            ["attn-test-run", "-", "--target=gpu", f"--chip={chip}",
             "--stop-after=gpu"], module)
        if status:
            sys.exit(f"{form}: {err}\n{module}")
        status, out = check(kernels, chip)
        if status or "or more" in out:
            print(f"{form}: expected no finding of the checker, but got {out}")
        status, out, err = emulate(kernels, chip, shapes)
        if status:
            print(f"{form}: expected no finding of the emulator, but got {err}")
        lines = kernels.split("\n")
        for op in order:
            found = {"checker": 0, "emulator": 0}
            places = [(i, instead) for i, line in enumerate(lines)
                      if (instead := take_out(line, op)) is not None]
            for number, instead in places:
                text = "\n".join(lines[:number] + [instead] +
                                 lines[number + 1:])
                if check(text, chip)[0] == 1:
                    found["checker"] += 1
                elif emulate(text, chip, shapes)[0] == 1:
                    found["emulator"] += 1
                else:
                    print(f"{form}: {op} in line {number + 1}: missed")
            if places:
                unseen.discard(op)
                print(f"{form}: {op}: {len(places)}, "
                      f"{found['checker']} found by the checker, "
                      f"{found['emulator']} by the emulator")
    print(f"in no kernel: {', '.join(sorted(unseen)) or 'none'}")


if __name__ == "__main__":
    main(sys.argv)
