"""The client needs nothing but numpy, websockets and msgpack, and no newer Python than 3.10."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import aim_jax.policy.client as client

FOLDER = Path(client.__file__).parent
ALLOWED = {"numpy", "websockets", "msgpack", *sys.stdlib_module_names}


def test_it_imports_nothing_else():
    for file in FOLDER.glob("*.py"):
        tree = ast.parse(file.read_text(), feature_version=(3, 10))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= ALLOWED, file
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert (node.module or "").split(".")[0] in ALLOWED, file
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, file


def test_inside_the_package_it_loads_no_jax():
    program = (
        "import sys, aim_jax.policy.client;"
        "print(sorted(n for n in sys.modules if n.split('.')[0] in ('jax', 'flax', 'jaxtyping', 'PIL', 'scipy')"
        " or n.startswith('aim_jax.') and not n.startswith('aim_jax.policy')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


def test_a_copy_of_its_folder_works_alone(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "aim_client")
    program = (
        "import numpy as np, aim_client as c; x = c.unpack(c.pack({'a': np.ones(3)})); print(x['a'].sum());"
        "import sys; assert not any(n.split('.')[0] == 'aim_jax' for n in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120, cwd=tmp_path
    )
    assert done.stdout.strip() == "3.0"
