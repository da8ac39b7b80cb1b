"""How a sequence is padded and cut into tiles for the block-sparse TPU kernel, decided before anything is compiled."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from aim_jax.array_typing import Bool, Int, NDArray
from aim_jax.core.blocks import STREAMS, Layout
from aim_jax.core.mask import block_mask
from aim_jax.core.visibility import VisibilityConfig
from aim_jax.errors import AimError

LANES = 128
"""Tokens of the smallest tile of the kernel."""

TILES = (128, 256, 384, 512, 768, 1024)
"""Tile sides that are tried."""

STEP_PAIRS = 134_000
"""Query-key pairs that cost as much as one step of the kernel's grid: about 0.35 µs a step (the figure of the Pallas
TPU documentation) at the 197 TFLOP/s of a v5e and 512 FLOPs a pair. It only steers the choice of the tiles."""

FULL_ENOUGH = 0.75
"""Frames that fill at least this share of their lanes are padded one by one, so that frames begin at tile borders."""


@dataclass(frozen=True)
class Run:
    """`count` pieces of `tokens` tokens, each padded to `padded`; `framed` if they come padded already."""

    count: int
    tokens: int
    padded: int
    framed: bool = False

    @property
    def arrives(self) -> int:
        """Tokens of a piece as the caller has it."""
        return self.padded if self.framed else self.tokens


@dataclass(frozen=True)
class SplashPlan:
    """Everything static about one call of the kernel.

    Attributes:
        queries: how the query sequence is padded, run by run.
        keys: how the key sequence is padded.
        layout: the blocks on both sides, or None where every query sees every key.
        visibility: the switches, with a layout.
        tile: queries and keys of a tile of the kernel.
    """

    queries: tuple[Run, ...]
    keys: tuple[Run, ...]
    layout: Layout | None
    visibility: VisibilityConfig | None
    tile: tuple[int, int]

    @property
    def padded(self) -> tuple[int, int]:
        """Padded lengths of queries and keys: multiples of the tile."""
        return _up(_length(self.queries), self.tile[0]), _up(_length(self.keys), self.tile[1])

    @property
    def tokens(self) -> tuple[int, int]:
        """Lengths of queries and keys as the caller has them."""
        return tuple(sum(run.count * run.arrives for run in side) for side in (self.queries, self.keys))  # pyright: ignore[reportReturnType]

    @functools.cached_property
    def rows(self) -> Int[NDArray, " lq"]:
        """Block of each padded query; padding follows the tokens before it, so that no query is blind."""
        return _blocks(self.queries, self.layout, self.padded[0], padding=None)

    @functools.cached_property
    def columns(self) -> Int[NDArray, " lk"]:
        """Block of each padded key, or -1 for padding, which nobody sees."""
        return _blocks(self.keys, self.layout, self.padded[1], padding=-1)

    @functools.cached_property
    def visible(self) -> Bool[NDArray, "q k"]:
        """Which block sees which, with a last column of False for padding."""
        if self.layout is None or self.visibility is None:
            return np.array([[True, False]])
        mask = block_mask(self.layout, self.visibility)
        return np.concatenate([mask, np.zeros((len(mask), 1), bool)], axis=1)

    def mask(self, rows: slice | int, columns: slice | int) -> Bool[NDArray, "*s"]:
        """A piece of the padded mask, made when it is asked for: the whole of it is never in memory."""
        return self.visible[self.rows[rows]][..., self.columns[columns]]

    def active_tiles(self) -> int:
        """Tiles that the kernel computes, per head and sample: those in which some query sees some key."""
        return int(_tile_grid(self, self.tile).sum())

    def pairs(self) -> int:
        """Query-key pairs in those tiles: the kernel's work."""
        return self.active_tiles() * self.tile[0] * self.tile[1]


def framed(tokens: int) -> int:
    """Tokens to which a latent frame is padded by itself; those it has where padding would waste too much."""
    return _up(tokens, LANES) if tokens >= FULL_ENOUGH * _up(tokens, LANES) else tokens


def window_plan(
    layout: Layout, visibility: VisibilityConfig, tile: tuple[int, int] | None = None, *, come_framed: bool = False
) -> SplashPlan:
    """The plan of self-attention over a layout.

    Args:
        layout: the sequence.
        visibility: the switches of the table.
        tile: queries and keys of a tile; the cheapest of `TILES` unless given.
        come_framed: the caller's frames are padded to `framed` already.
    """
    tokens = dict(layout.tokens)
    runs: list[Run] = []
    for name in STREAMS:
        if count := len(layout.stream(name)):
            size = tokens[name]
            padded = framed(size)
            whole = Run(1, count * size, _up(count * size, LANES))
            runs.append(Run(count, size, padded, come_framed) if padded % LANES == 0 else whole)
    plan = SplashPlan(tuple(runs), tuple(runs), layout, visibility, (LANES, LANES))
    return _tiled(plan, tile)


def full_plan(queries: int, keys: int, tile: tuple[int, int] | None = None) -> SplashPlan:
    """The plan of attention in which every query sees every key; only padding is masked."""
    runs = (Run(1, queries, queries),), (Run(1, keys, keys),)
    return _tiled(SplashPlan(*runs, None, None, (LANES, LANES)), tile)


def _tiled(plan: SplashPlan, tile: tuple[int, int] | None) -> SplashPlan:
    if tile is not None:
        if any(side % LANES for side in tile):
            raise AimError("The tiles do not fit the TPU", wanted=f"multiples of {LANES}", got=tile)
        return _with_tile(plan, tile)
    return _cheapest(plan)


@functools.lru_cache(maxsize=64)
def _cheapest(plan: SplashPlan) -> SplashPlan:
    plans = [_with_tile(plan, tile) for tile in itertools.product(TILES, TILES)]
    return min(plans, key=lambda p: (p.pairs() + p.active_tiles() * STEP_PAIRS, p.tile))


def _with_tile(plan: SplashPlan, tile: tuple[int, int]) -> SplashPlan:
    return SplashPlan(plan.queries, plan.keys, plan.layout, plan.visibility, tile)


def _tile_grid(plan: SplashPlan, tile: tuple[int, int]) -> Bool[NDArray, "q k"]:
    """Which tiles hold a visible pair, from the blocks that each tile touches."""
    lq, lk = plan.padded
    rows = _touched(plan.rows, lq // tile[0], plan.visible.shape[0])
    columns = _touched(plan.columns, lk // tile[1], plan.visible.shape[1])
    return (rows @ plan.visible.astype(np.int32) @ columns.T) > 0


def _touched(blocks: Int[NDArray, " l"], tiles: int, count: int) -> Int[NDArray, "tiles blocks"]:
    grid = np.zeros((tiles, count), np.int32)
    np.add.at(grid, (np.repeat(np.arange(tiles), len(blocks) // tiles), blocks % count), 1)
    return grid


def _blocks(runs: tuple[Run, ...], layout: Layout | None, length: int, padding: int | None) -> Int[NDArray, " l"]:
    numbers = np.zeros(_tokens(runs), np.int64) if layout is None else _block_numbers(layout)
    pieces, offset = [], 0
    for run in runs:
        size = run.count * run.tokens
        part = numbers[offset : offset + size].reshape(run.count, run.tokens)
        pieces.append(_extended(part, run.padded - run.tokens, padding).reshape(-1))
        offset += size
    joined = np.concatenate(pieces)
    return _extended(joined, length - len(joined), padding)


def _extended(x: Int[NDArray, "*b n"], more: int, padding: int | None) -> Int[NDArray, "*b m"]:
    width = [(0, 0)] * (x.ndim - 1) + [(0, more)]
    return np.pad(x, width, mode="edge") if padding is None else np.pad(x, width, constant_values=padding)


def _block_numbers(layout: Layout) -> Int[NDArray, " l"]:
    return np.repeat(np.arange(len(layout.blocks)), layout.block_tokens)


def _tokens(runs: tuple[Run, ...]) -> int:
    return sum(run.count * run.tokens for run in runs)


def _length(runs: tuple[Run, ...]) -> int:
    return sum(run.count * run.padded for run in runs)


def _up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
