"""Gives texts that nest 20000 deep to the tools, and says how each ended.

    deep-text.py DIRECTORY
"""

import json
import os
import subprocess
import sys

DEPTH = 20000


def chain():
    """A score of that many ops, each of the one before."""
    body = "".join(f"  %s{i + 1} = arith.addf %s{i}, %c : f32\n"
                   for i in range(DEPTH))
    return f"""
func.func @f(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>) -> tensor<5x3xf32> {{
  %c = arith.constant 1.0 : f32
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>)
      score {{
      ^bb0(%s0: f32, %i: index, %j: index):
      {body}
      attn.yield %s{DEPTH} : f32
      }} -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}}
"""


TEXTS = {
    "signs": f"#m = affine_map<(d0) -> ({'-' * DEPTH}d0)>\n",
    "parentheses":
        f"#m = affine_map<(d0) -> ({'(' * DEPTH}d0{')' * DEPTH})>\n",
    "regions": "module {\n" * DEPTH + "}\n" * DEPTH,
    "types":
        f"func.func private @f({'tuple<' * DEPTH}{'>' * DEPTH})\n",
    "aliases": "#a0 = [1]\n" +
               "".join(f"#a{i + 1} = [#a{i}]\n" for i in range(DEPTH)),
    "chain": chain(),
}


def request(text):
    """What an editor says that opens a file with `text` and closes."""
    document = {"uri": "test:///f.mlir", "languageId": "mlir", "version": 1,
                "text": text}
    messages = [
        {"id": 0, "method": "initialize",
         "params": {"processId": 1, "rootPath": "f", "capabilities": {}}},
        {"method": "textDocument/didOpen",
         "params": {"textDocument": document}},
        {"id": 1, "method": "shutdown"},
        {"method": "exit"},
    ]
    bodies = [json.dumps({"jsonrpc": "2.0", **message})
              for message in messages]
    return "".join(f"Content-Length: {len(body)}\r\n\r\n{body}"
                   for body in bodies)


def main(directory):
    os.chdir(directory)
    for name, text in TEXTS.items():
        with open(f"{name}.mlir", "w") as file:
            file.write(text)
        for tool, options in [("attn-opt", ["-o", os.devnull]),
                              ("attn-run", ["--stop-after=tile"])]:
            done = subprocess.run([tool, f"{name}.mlir", *options],
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
            print(f"{tool} {name}: {done.returncode} {done.stderr[:200]}".strip())
        done = subprocess.run(["attn-lsp-server", "--log=error"],
                              input=request(text), capture_output=True,
                              text=True)
        answers = done.stdout.count('"id":')
        print(f"attn-lsp-server {name}: {done.returncode} answers {answers} "
              "requests")


if __name__ == "__main__":
    main(sys.argv[1])
