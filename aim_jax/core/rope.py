"""Rotary position embedding over time, height and width, as Wan2.2 defines it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from aim_jax.array_typing import AnyArray, Array, Float, Float32


def axis_channels(head_dim: int) -> tuple[int, int, int]:
    """Channels of a head that rotate with time, height and width: 44, 42, 42 of 128 (Wan2.2 model.py)."""
    side = 2 * (head_dim // 6)
    return head_dim - 2 * side, side, side


def rope_frequencies(head_dim: int, theta: float = 1e4) -> tuple[Float[np.ndarray, " n"], ...]:
    """Angular frequencies per unit of position for the three axes, float64; each axis has a table of its own."""
    return tuple(theta ** (-np.arange(0, n, 2, dtype=np.float64) / n) for n in axis_channels(head_dim))


def rope_table(
    positions: Float[AnyArray, "*b 3"], head_dim: int, theta: float = 1e4
) -> tuple[Float32[AnyArray, "*b half"], Float32[AnyArray, "*b half"]]:
    """Cosines and sines for positions (time, row, column); fractions and negatives are allowed.

    NumPy positions are rotated in float64 and rounded once (static layouts); JAX positions are computed in float32
    (positions that are known only at run time, as in a rollout).
    """
    numeric = np if isinstance(positions, np.ndarray) else jnp
    angles = numeric.concatenate(
        [
            positions[..., axis : axis + 1] * numeric.asarray(frequency)
            for axis, frequency in enumerate(rope_frequencies(head_dim, theta))
        ],
        axis=-1,
    )
    return numeric.cos(angles).astype(np.float32), numeric.sin(angles).astype(np.float32)


def rotate(
    x: Float[Array, "*b length heads dim"],
    cos: Float32[AnyArray, "*#b length half"],
    sin: Float32[AnyArray, "*#b length half"],
) -> Float[Array, "*b length heads dim"]:
    """Rotates pairs of adjacent channels by the tabled angles, in float32; keeps the dtype of `x`.

    The partner of each channel, with its sign, comes from a product with a constant matrix of 0, 1 and -1, which is
    exact. Slicing channels two by two would cost the TPU several copies of `x` in layouts that it cannot tile.
    """
    partner = jnp.matmul(x, jnp.asarray(_partner(x.shape[-1]), x.dtype), precision=jax.lax.Precision.HIGHEST)
    c, s = (_doubled(table)[..., :, None, :] for table in (cos, sin))
    return (x.astype(jnp.float32) * c + partner.astype(jnp.float32) * s).astype(x.dtype)


def _doubled(table: Float32[AnyArray, "*b half"]) -> Float32[AnyArray, "*b dim"]:
    """Each entry twice, once for each channel of its pair."""
    return (np if isinstance(table, np.ndarray) else jnp).repeat(table, 2, axis=-1)


def _partner(dim: int) -> Float32[np.ndarray, "dim dim"]:
    """The matrix that takes (even, odd) to (-odd, even) in each pair."""
    matrix = np.zeros((dim, dim), np.float32)
    even = np.arange(0, dim, 2)
    matrix[even + 1, even], matrix[even, even + 1] = -1.0, 1.0
    return matrix
