"""A twisted puzzle cube of three by three coloured stickers on each side."""

from __future__ import annotations

import itertools

import numpy as np

from aim_jax.sim.objects.blueprint import Blueprint, Part, box
from aim_jax.sim.objects.forms import brick, paint
from aim_jax.sim.pose import Pose, turned

_BODY = paint((0.015, 0.015, 0.015))
_COLORS = (
    (0.8, 0.8, 0.78),
    (0.75, 0.02, 0.02),
    (0.02, 0.15, 0.65),
    (0.85, 0.25, 0.01),
    (0.02, 0.45, 0.08),
    (0.9, 0.7, 0.02),
)
_SIDES = (
    Pose(),
    turned("x", np.pi / 2),
    turned("x", -np.pi / 2),
    turned("y", np.pi / 2),
    turned("y", -np.pi / 2),
    turned("x", np.pi),
)
NAMES = ("solved puzzle cube", "scrambled puzzle cube")
_HALF, _CELL = 0.026, 0.0168


def rubiks_cube(name: str, style: str) -> Blueprint:
    """A cube standing at its frame's origin, held across x at "grip"."""
    mixed = np.random.default_rng(7).integers(len(_COLORS), size=(len(_SIDES), 9))
    stickers: list[Part] = []
    for side, turn in enumerate(_SIDES):
        for index, (row, column) in enumerate(itertools.product((-1, 0, 1), repeat=2)):
            color = paint(_COLORS[side if style == NAMES[0] else int(mixed[side, index])], roughness=0.4)
            at = Pose((0.0, 0.0, _HALF)) @ turn @ Pose((_CELL * row, _CELL * column, _HALF))
            stickers.append(box((0.0074, 0.0074, 0.0006), color, at, collides=False))
    return brick(name, (_HALF, _HALF, _HALF), _BODY, tuple(stickers))
