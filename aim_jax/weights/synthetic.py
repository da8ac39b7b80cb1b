"""Checkpoints of the exact shapes with made-up values, in every layout: for tests and benchmarks."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aim_jax.models.dit import WanDiTConfig
from aim_jax.models.umt5 import UMT5Config
from aim_jax.models.vae.config import VAEConfig
from aim_jax.weights.foreign import SHARD_BYTES, Part, TensorSpecs, write_foreign
from aim_jax.weights.layouts import ComponentName, Layout, LayoutName, abstract_network, find_layout
from aim_jax.weights.params import shapes
from aim_jax.weights.plan import chunk_shape
from aim_jax.weights.rules import assign

FULL: dict[ComponentName, Any] = {
    "dit": WanDiTConfig(),
    "vae": VAEConfig.wan22(),
    "text_encoder": UMT5Config(),
}
"""The published sizes."""

SMALL: dict[ComponentName, Any] = {
    "dit": WanDiTConfig(dim=48, ffn_dim=88, num_layers=3, num_heads=4, text_dim=20, freq_dim=16),
    "vae": VAEConfig(base_dim=8, decoder_base_dim=12, num_res_blocks=1),
    "text_encoder": UMT5Config(vocab_size=70, dim=20, head_dim=6, num_heads=4, ffn_dim=28, num_layers=2),
}
"""Sizes for tests."""

_LINGBOT_ACTION_DIM = 30
_POOL = 4_000_037
"""A prime, so that no two rows of a tensor are alike."""


def foreign_specs(layout: Layout, config: Any, dtype: np.dtype) -> dict[str, tuple[np.dtype, tuple[int, ...]]]:
    """Every tensor of a checkpoint in a layout: dtype and shape by name."""
    items = assign(layout.rules(config), shapes(abstract_network(layout.component, config)))
    specs = {item.source: (dtype, item.shape) for item in items}
    if layout.name == "lingbot":
        specs |= _lingbot_action(specs, config, dtype)
    return specs


def write_synthetic(
    out: Path,
    component: ComponentName,
    layout_name: LayoutName,
    config: Any,
    *,
    dtype: np.dtype,
    seed: int,
    shard_bytes: int = SHARD_BYTES,
) -> TensorSpecs:
    """Writes a synthetic network in a foreign layout.

    Args:
        out: folder of the checkpoint.
        component: the network.
        layout_name: whose names and files.
        config: its sizes.
        dtype: of every tensor.
        seed: of the values: normal with standard deviation 0.02, norms around 1.
        shard_bytes: largest file.
    """
    layout = find_layout(component, layout_name)
    specs = foreign_specs(layout, config, dtype)
    write_foreign(out, layout, config, specs, _values(specs, seed), shard_bytes=shard_bytes)
    return specs


def _values(specs: TensorSpecs, seed: int) -> Iterator[Part]:
    """Slices of one pool of random numbers, each from a place of its own: fast enough for billions."""
    rng = np.random.default_rng(seed)
    pool = (rng.standard_normal(_POOL, np.float32) * 0.02).astype(next(iter(specs.values()))[0])
    for name, (dtype, shape) in specs.items():
        offset = int(rng.integers(_POOL))
        is_scale = ("norm" in name and len(shape) == 1 and name.endswith("weight")) or name.endswith("gamma")
        parts = shape[0] // chunk_shape(shape, dtype, stacked=False)[0] if shape else 1
        part = (shape[0] // parts, *shape[1:]) if shape else shape
        size = math.prod(part)
        for index in range(parts):
            load = functools.partial(_slice, pool, offset + index * size, part, 1 if is_scale else 0)
            yield Part(name, load, index * size * dtype.itemsize)


def _slice(pool: np.ndarray, start: int, shape: tuple[int, ...], centre: int) -> np.ndarray:
    """Numbers of the pool from `start` on, over and over, moved to `centre`."""
    start, size = start % len(pool), math.prod(shape)
    values = pool[start : start + size] if start + size <= len(pool) else np.resize(np.roll(pool, -start), size)
    return ((values + 1).astype(pool.dtype) if centre else values).reshape(shape)


def _lingbot_action(
    specs: TensorSpecs, config: WanDiTConfig, dtype: np.dtype
) -> dict[str, tuple[np.dtype, tuple[int, ...]]]:
    embedder = {
        name.replace("condition_embedder.", "condition_embedder_action."): spec
        for name, spec in specs.items()
        if name.startswith("condition_embedder.")
    }
    return {
        **embedder,
        "action_embedder.weight": (dtype, (config.dim, _LINGBOT_ACTION_DIM)),
        "action_embedder.bias": (dtype, (config.dim,)),
        "action_proj_out.weight": (dtype, (_LINGBOT_ACTION_DIM, config.dim)),
        "action_proj_out.bias": (dtype, (_LINGBOT_ACTION_DIM,)),
    }
