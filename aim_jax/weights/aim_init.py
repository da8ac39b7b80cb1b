"""All of AIM's parameters from a converted Wan2.2 transformer.

The video tower is copied. The value stream's projections start as the RGB stream's. The action head's blocks are the
tower's, resampled to its widths and scaled by sqrt(d_v / d_a) where fewer inputs are summed: that keeps the variance of
what comes out (LingBot-VA §3.4; FastWAM scripts/preprocess_action_dit_backbone.py, which resamples by linear
interpolation with aligned corners). The rest is drawn as the model itself draws it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from flax import nnx

from aim_jax.dataclass_json import from_plain, to_plain
from aim_jax.errors import AimError
from aim_jax.files import dumps_json, read_json, require_space
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.model import AIM
from aim_jax.models.converted import read_item, step_folder
from aim_jax.models.dit import WanDiTConfig
from aim_jax.weights.export import StoredParams
from aim_jax.weights.params import abstract, flatten, shapes
from aim_jax.weights.plan import Leaf, chunk_shape
from aim_jax.weights.rules import Assignment, Permute, Shape
from aim_jax.weights.store import ChunkedCheckpoint

_STARTED_FROM = (
    ("wan/", ""),
    ("value/self_attn/", "blocks/self_attn/"),
    ("action/blocks/", "blocks/"),
    ("action/time_embedding/", "time_embedding/"),
    ("action/time_projection/", "time_projection/"),
)
"""Prefix of a parameter of AIM, and of the transformer's parameter that it starts from."""
_GROUPS = 6
"""Parts of the modulation that `time_projection` gives side by side."""


class Additions(NamedTuple):
    """What AIM has beside the tower: fields of `AIMConfig`."""

    action_hidden: int = 1024
    value_qkv: Literal["separate", "shared", "lora"] = "separate"
    value_rank: int = 32

    def config(self, dit: WanDiTConfig) -> AIMConfig:
        """AIM on this tower."""
        return AIMConfig(dit=dit, action_ffn=4 * self.action_hidden, **self._asdict())


def write_aim(
    converted: Path, out: Path, additions: Additions, seed: int, progress: Callable[[int], None]
) -> dict[str, str]:
    """Writes `out`, a checkpoint of all of AIM's parameters.

    Args:
        converted: the converted transformer.
        out: the new checkpoint.
        additions: what AIM has beside the tower.
        seed: of what is drawn.
        progress: is told the bytes written.

    Returns:
        How each part of the parameters began.

    Raises:
        AimError: `out` exists and was made otherwise.
    """
    item = read_item(converted, "config")
    dit = from_plain(WanDiTConfig, item["model"])
    config = additions.config(dit)
    params = StoredParams(step_folder(converted) / "params")
    targets = shapes(abstract(lambda rngs: AIM(config, rngs)))
    leaves = {path: _leaf(path, shape, params) for path, shape in targets.items()}
    drawn = {path for path in targets if source_of(path) is None}
    how = {path: _how(path, shape, params) for path, shape in targets.items()}
    fingerprint = _fingerprint(config, seed, read_item(converted, "meta"))
    if out.exists():
        _require_same(out, fingerprint)
        return how
    require_space(out.parent, sum(leaf.nbytes for leaf in leaves.values()) * 1.01 / 2**30)
    checkpoint = ChunkedCheckpoint(out, leaves, fingerprint)
    checkpoint.open({"component": "aim", "model": to_plain(config)})
    _write_drawn(checkpoint, draw(config, seed, drawn))
    for path in sorted(targets.keys() - drawn):
        _write_started(checkpoint, path, params, progress)
    checkpoint.close({"fingerprint": fingerprint, "initialised": how})
    return how


def source_of(path: str) -> str | None:
    """The transformer's parameter that a parameter of AIM starts from, None if it is drawn."""
    if path.startswith("value/self_attn/") and path.split("/")[-2] in ("down", "up"):  # of low rank: an addition
        return None
    return next((theirs + path[len(ours) :] for ours, theirs in _STARTED_FROM if path.startswith(ours)), None)


def draw(config: AIMConfig, seed: int, paths: set[str]) -> dict[str, np.ndarray]:
    """The initial values of some parameters; the compiler leaves out what computes the others."""

    @jax.jit
    def some() -> dict[str, jax.Array]:
        leaves = flatten(nnx.to_pure_dict(nnx.state(AIM(config, nnx.Rngs(seed)), nnx.Param)))
        return {path: leaves[path] for path in paths}

    return {path: np.asarray(value) for path, value in some().items()}


def resample(array: np.ndarray, shape: Shape, *, groups: int = 1) -> np.ndarray:
    """Linear interpolation along every axis that differs, ends aligned; in float32.

    Args:
        array: what to resample.
        shape: wanted shape, of the same rank.
        groups: parts of the last axis that are resampled each by itself.
    """
    out = array.astype(np.float32)
    if groups > 1:
        split = out.reshape(*out.shape[:-1], groups, -1)
        return resample(split, (*shape[:-1], groups, shape[-1] // groups)).reshape(shape)
    for axis, size in enumerate(shape):
        if out.shape[axis] != size:
            out = _resample_axis(out, axis, size)
    return out


def _resample_axis(array: np.ndarray, axis: int, size: int) -> np.ndarray:
    length = array.shape[axis]
    position = np.linspace(0, length - 1, size)
    low = np.minimum(position.astype(np.int64), max(length - 2, 0))
    weight = (position - low).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(array.ndim)])
    high = np.minimum(low + 1, length - 1)
    return array.take(low, axis) * (1 - weight) + array.take(high, axis) * weight


def start_value(path: str, source: np.ndarray, shape: Shape) -> np.ndarray:
    """A parameter of the action head from the transformer's, in the transformer's dtype.

    Args:
        path: of the parameter.
        source: the transformer's, without the layer axis.
        shape: wanted, without the layer axis.
    """
    if source.shape == shape:
        return source
    out = resample(source, shape, groups=_GROUPS if "time_projection" in path else 1)
    if path.endswith("/kernel"):
        out *= np.float32(np.sqrt(source.shape[0] / shape[0]))
    return out.astype(source.dtype)


def _write_started(
    checkpoint: ChunkedCheckpoint, path: str, params: StoredParams, progress: Callable[[int], None]
) -> None:
    leaf, source = checkpoint.leaves[path], source_of(path)
    assert source is not None
    stacked = "blocks/" in source
    for index in range(leaf.shape[0] // leaf.chunk[0]):
        progress(leaf.nbytes * leaf.chunk[0] // leaf.shape[0])
        if checkpoint.has(path, index):
            continue
        item = Assignment("", source, index if stacked else None, (), Permute())
        if stacked:
            value = start_value(path, params.read(item), leaf.shape[1:])
        elif leaf.chunk == leaf.shape:
            value = start_value(path, params.read(item), leaf.shape)
        else:
            value = params.read(item, slice(index * leaf.chunk[0], (index + 1) * leaf.chunk[0]))
        checkpoint.put(path, index, np.ascontiguousarray(value))


def _write_drawn(checkpoint: ChunkedCheckpoint, values: Mapping[str, np.ndarray]) -> None:
    for path, value in values.items():
        checkpoint.put(path, 0, np.ascontiguousarray(value))


def _leaf(path: str, shape: Shape, params: StoredParams) -> Leaf:
    source = source_of(path)
    if source is None:
        return Leaf(shape, np.dtype(np.float32), shape)
    dtype = np.dtype(params.open(source).dtype.numpy_dtype)
    return Leaf(shape, dtype, chunk_shape(shape, dtype, stacked="blocks/" in source))


def _how(path: str, shape: Shape, params: StoredParams) -> str:
    source = source_of(path)
    if source is None:
        return "drawn"
    same = tuple(params.open(source).shape) == shape
    return f"copied from {source}" if same else f"resampled from {source}"


def _fingerprint(config: AIMConfig, seed: int, meta: Mapping[str, Any]) -> str:
    return hashlib.sha256(dumps_json([to_plain(config), seed, meta["fingerprint"]]).encode()).hexdigest()


def _require_same(out: Path, fingerprint: str) -> None:
    meta = step_folder(out) / "meta" / "metadata"
    if read_json(meta).get("fingerprint") != fingerprint:
        raise AimError(
            f"{out} exists and was made from another checkpoint or with other options",
            remedy="choose another output folder, or delete this one",
        )
