"""Writes a result of every case as scripts/compare.sh keeps them, with numbers
that are easy to follow, into a folder.

    write-results.py SOURCE_DIR FOLDER
"""

import json
import pathlib
import sys

sys.path.insert(0, sys.argv[1] + "/benchmarks/compare")
from cases import CASES

folder = pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
for case in CASES.values():
    systems = {
        "pytorch": {"version": "1.0", "ms": 3, "ratio": 1.5, "low": 1.4,
                    "high": 1.6, "pairs": 9, "loss": False},
        "onnxruntime": {"version": "2.0", "ms": 1.8, "ratio": 0.9, "low": 0.88,
                        "high": 0.92, "pairs": 9, "loss": True,
                        "again": [0.89, 0.91, 0.93]},
        "openvino": {"version": "3.0", "failed": "outputs differ by 0.1"},
        "jax": {"absent": "No module named 'jax'"},
    }
    if case.kind == "product":
        systems["flex"] = {"cannot": "attention only"}
    result = {"case": case.name, "date": "2000-01-01", "processor": "P",
              "flops": case.flops(), "attn_ms": 2, "systems": systems}
    (folder / f"{case.name}.json").write_text(json.dumps(result))
