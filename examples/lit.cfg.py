# Every example is a test: its first line is the command to try, and is run.

import os

lit_config.load_config(
    config, os.path.join(config.attn_source_dir, "test", "lit.cfg.py")
)
config.name = "attn-examples"
config.suffixes = [".mlir"]
config.test_source_root = os.path.join(config.attn_source_dir, "examples")
config.test_exec_root = os.path.join(config.attn_build_dir, "examples")
