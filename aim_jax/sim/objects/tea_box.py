"""Boxes of tea: a printed band, a leaf, and a bar code on one side."""

from __future__ import annotations

from aim_jax.sim.objects.blueprint import Blueprint, Material, Part, box, cylinder, sphere
from aim_jax.sim.pose import Pose

_STYLES = {
    "green tea box": ((0.06, 0.34, 0.12), (0.86, 0.80, 0.52)),
    "red tea box": ((0.55, 0.03, 0.04), (0.90, 0.74, 0.35)),
    "yellow tea box": ((0.85, 0.58, 0.06), (0.30, 0.14, 0.05)),
    "blue tea box": ((0.05, 0.16, 0.45), (0.85, 0.85, 0.82)),
}
NAMES = tuple(_STYLES)
_INK = Material((0.01, 0.01, 0.01), roughness=0.8)
_PAPER = Material((0.92, 0.92, 0.90), roughness=0.8)
_LEAF = Material((0.20, 0.55, 0.10), roughness=0.7)
_BAR_CODE = ((-14, 1), (-10, 2), (-6, 1), (-3, 1), (1, 2), (6, 1), (9, 2), (13, 1))  # place, mm, and width
_HALF = (0.024, 0.034, 0.040)  # half its extents, metres


def tea_box(name: str, style: str) -> Blueprint:
    """A box standing upright at its frame's origin; point "grip" is its middle, fingers close along x."""
    paper, band = (Material(rgb, roughness=0.6) for rgb in _STYLES[style])
    x, y, z = _HALF
    middle = Pose((0.0, 0.0, z))
    parts: list[Part] = [
        box(_HALF, paper, middle),
        box((x + 0.0006, y + 0.0006, 0.010), band, middle.moved(z=0.016), collides=False),
        box((x - 0.003, y - 0.003, 0.0006), band, middle.moved(z=z), collides=False),
        cylinder(0.014, 0.0008, _PAPER, middle.moved(z=z + 0.0002), collides=False),
        *(sphere(0.0045, _LEAF, middle.moved(x=dx, z=z - 0.0022), collides=False) for dx in (-0.005, 0.005)),
    ]
    for side in (-1.0, 1.0):
        label = middle.moved(y=side * (y + 0.0006), z=-0.018)
        parts.append(box((0.018, 0.0006, 0.012), _PAPER, label, collides=False))
        for at, width in _BAR_CODE:
            stripe = label.moved(x=at / 1000, y=side * 0.0003)
            parts.append(box((width * 0.0006, 0.0006, 0.009), _INK, stripe, collides=False))
    return Blueprint(name, tuple(parts), {"grip": middle}, density=250.0, friction=1.0)
