"""A mug with a handle, and a rack with a peg to hang it on."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.objects.blueprint import Blueprint, Part, capsule, cylinder, solid, sphere
from aim_jax.sim.objects.forms import paint, slabs
from aim_jax.sim.objects.meshes import lathe
from aim_jax.sim.pose import Pose, about, turned

_STYLES = {
    "white mug": ((0.80, 0.80, 0.78), (0.70, 0.10, 0.08)),
    "red mug": ((0.60, 0.04, 0.04), (0.85, 0.82, 0.75)),
    "blue mug": ((0.05, 0.18, 0.50), (0.80, 0.80, 0.78)),
    "yellow mug": ((0.82, 0.58, 0.06), (0.20, 0.20, 0.20)),
    "green mug": ((0.06, 0.34, 0.16), (0.80, 0.75, 0.60)),
}
NAMES = tuple(_STYLES)
_RADIUS, _HEIGHT, _WALL, _FLOOR = 0.036, 0.082, 0.004, 0.005
_REACH, _LOW, _HIGH, _BAR = 0.032, 0.018, 0.068, 0.0042
_SEGMENTS = 10
RIM = tuple(f"rim{index}" for index in range(1, _SEGMENTS))
"""The points of the rim at which a mug can be held: all but the one over the handle."""
_WOOD = paint((0.42, 0.23, 0.09), roughness=0.7)
_POST, _PEG, _PEG_LENGTH = 0.008, 0.006, 0.10  # radii of post and pegs, a peg's length, metres
_PEG_HEIGHT, _PEG_RISE = 0.15, 0.25  # metres over the table, radians
_GRIPPY = 3.0  # friction, as if the pegs were coated: a mug let go swings out within a second
_HANG = 0.06  # metres from the post to where a mug hangs: it turns on the peg and must pass the post


def mug(name: str, style: str) -> Blueprint:
    """A mug standing at its frame's origin, its handle along +x.

    Points: `RIM` across its wall, x outwards; "loop" in the middle of the handle's opening; "hook" where a peg bears.
    """
    glaze, band = (paint(color, roughness=0.3) for color in _STYLES[style])
    inside = paint((0.82, 0.81, 0.78), roughness=0.3)
    outer, inner = ((_RADIUS, 0.0), (_RADIUS, _HEIGHT)), ((_RADIUS - _WALL, 0.0), (_RADIUS - _WALL, _HEIGHT))
    far = _RADIUS + _REACH
    half, middle = (_HIGH - _LOW) / 2, (_HIGH + _LOW) / 2
    lying = about("y", np.pi / 2)
    parts = (
        solid(lathe(((0.0, 0.0), *outer, inner[1]), 40), glaze, collides=False),
        solid(lathe((inner[1], (_RADIUS - _WALL, _FLOOR), (0.0, _FLOOR)), 40), inside, collides=False),
        cylinder(_RADIUS + 0.0004, 0.006, band, Pose((0.0, 0.0, 0.062)), collides=False),
        cylinder(_RADIUS - _WALL, _FLOOR / 2, None, Pose((0.0, 0.0, _FLOOR / 2))),
        *slabs(outer, _WALL, _SEGMENTS),
        capsule(_BAR, half, glaze, Pose((far, 0.0, middle))),
        *(capsule(_BAR, _REACH / 2, glaze, Pose((_RADIUS + _REACH / 2, 0.0, z), lying)) for z in (_LOW, _HIGH)),
    )
    across = Pose((_RADIUS - _WALL / 2, 0.0, _HEIGHT - 0.002))
    points = {name: turned("z", 2 * np.pi * index / _SEGMENTS) @ across for index, name in enumerate(RIM, start=1)}
    points |= {
        "loop": Pose((_RADIUS + _REACH / 2, 0.0, middle)),
        "hook": Pose((_RADIUS + _REACH / 2, 0.0, _HIGH - _BAR - _PEG)),
    }
    return Blueprint(name, parts, points, mass=0.08, friction=0.8, damping=5.0)


def rack(name: str) -> Blueprint:
    """A post at its frame's origin with pegs that rise a little, one of them towards −y.

    Point "peg": where a mug hangs on that one, −y along it; the other pegs are lower and for the eye only.
    """
    root = Pose((0.0, 0.0, _PEG_HEIGHT)) @ turned("x", -_PEG_RISE)
    parts = (
        cylinder(0.055, 0.008, _WOOD, Pose((0.0, 0.0, 0.008))),
        cylinder(_POST, 0.09, _WOOD, Pose((0.0, 0.0, 0.106))),
        sphere(0.014, _WOOD, Pose((0.0, 0.0, 0.2)), collides=False),
        *_peg(root),
        *(part for turn in (2.3, -2.3) for part in _peg(turned("z", turn) @ root.moved(z=-0.05), collides=False)),
    )
    return Blueprint(name, parts, {"peg": root @ Pose((0.0, -_HANG, 0.0))}, friction=_GRIPPY)


def _peg(root: Pose, collides: bool = True) -> tuple[Part, ...]:
    """A rod along the −y of its root, with a knob at its end."""
    rod = root @ Pose((0.0, -_PEG_LENGTH / 2, 0.0)) @ turned("x", np.pi / 2)
    knob = root @ Pose((0.0, -_PEG_LENGTH, 0.0))
    return capsule(_PEG, _PEG_LENGTH / 2, _WOOD, rod, collides=collides), sphere(0.0085, _WOOD, knob, collides=False)
