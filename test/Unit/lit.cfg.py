# GoogleTest binaries, which the build puts into build/test/Unit, as tests.

import os

import lit.formats

config.name = "attn-unit"
config.test_format = lit.formats.GoogleTest(".", "Tests")
config.test_source_root = os.path.join(config.attn_build_dir, "test", "Unit")
config.test_exec_root = config.test_source_root
