"""A second start reads its executables from the disk."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from aim_jax.policy import compile_cache


def test_a_second_compilation_is_read(tmp_path):
    found = []
    compile_cache.use(tmp_path)
    try:
        for _ in range(2):
            jitted = jax.jit(lambda x: jnp.sin(x) * 3 + 1)
            with compile_cache.counted() as used:
                jitted(jnp.arange(5.0)).block_until_ready()
            found.append(used)
            jax.clear_caches()
    finally:
        compile_cache.stop()
    assert found[0].misses > 0
    assert found[1].misses == 0
    assert found[1].hits > 0
    assert list(tmp_path.iterdir())
