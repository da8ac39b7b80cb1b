"""Which implementation of attention a pass runs: named by the configuration, never changed behind its back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from aim_jax.array_typing import Array
from aim_jax.core.attention import attend, attend_grouped
from aim_jax.core.blocks import Layout
from aim_jax.core.mask import dense_mask, visibility_groups
from aim_jax.core.splash import attend_splash
from aim_jax.core.splash_plan import SplashPlan, full_plan, window_plan
from aim_jax.core.tiles import Tile, attend_tiled, join_tiles
from aim_jax.core.visibility import VisibilityConfig
from aim_jax.errors import AimError
from aim_jax.models.placement import placement

Choice = Literal["reference", "grouped", "tiled", "splash"]
"""`reference`: one call under the dense mask. `grouped`: one call without mask for each group of queries with equal
keys. `tiled`: a few joined groups, head by head, for processors. `splash`: the block-sparse TPU kernel, for
self-attention and for the text."""

AttentionFunction = Callable[[Array, Array, Array], Array]
"""(q, k, v) -> attended, each [b, l, heads, head_dim]."""


def window_attention(
    choice: Choice, layout: Layout, visibility: VisibilityConfig, *, come_framed: bool = False
) -> AttentionFunction:
    """Self-attention over a layout under the visibility table.

    Args:
        choice: the implementation.
        layout: the sequence.
        visibility: the switches of the table.
        come_framed: frames come padded to `splash_plan.framed`; for splash alone.
    """
    if choice == "reference":
        mask = dense_mask(layout, visibility)[None]
        return lambda q, k, v: attend(q, k, v, mask)
    if choice == "grouped":
        groups = visibility_groups(layout, visibility)
        return lambda q, k, v: attend_grouped(q, k, v, groups)
    if choice == "tiled":
        tiles = join_tiles(dense_mask(layout, visibility))
        return lambda q, k, v: _tiled(q, k, v, tiles)
    plan = window_plan(layout, visibility, come_framed=come_framed)
    return lambda q, k, v: _splash(q, k, v, plan)


def full_attention(choice: Choice) -> AttentionFunction:
    """Attention in which every query sees every key: to the text, and of plain Wan2.2."""
    if choice == "splash":
        return lambda q, k, v: _splash(q, k, v, full_plan(q.shape[1], k.shape[1]))
    return attend


def _tiled(q: Array, k: Array, v: Array, tiles: tuple[Tile, ...]) -> Array:
    current = placement()
    for axis in ("tensor", "context") if current is not None else ():
        if current is not None and current.mesh.shape.get(axis, 1) > 1:
            raise AimError(
                "Tiled attention works off the heads of a window one after another, on one device",
                wanted=f"a mesh with {axis} 1",
                got=f"{axis} {current.mesh.shape[axis]}",
                remedy="set model.attention to grouped, or on a TPU to splash",
            )
    return attend_tiled(q, k, v, tiles)


def _splash(q: Array, k: Array, v: Array, plan: SplashPlan) -> Array:
    current = placement()
    if current is None:
        return attend_splash(q, k, v, plan)
    if current.mesh.shape.get("context", 1) > 1:
        raise AimError(
            "Splash attention does not share the tokens of a window among devices",
            wanted="a mesh with context 1",
            got=f"context {current.mesh.shape['context']}",
            remedy="set parallel.mesh.context to 1 and raise tensor or fsdp, or set model.attention to grouped",
        )
    return attend_splash(q, k, v, plan, mesh=current.mesh, spec=current.spec(q.shape, ("batch", None, "heads", None)))
