"""A small bin for the desk with waste in it, and large ones for the floor."""

from __future__ import annotations

import dataclasses

import numpy as np

from aim_jax.sim.objects.blueprint import Blueprint, Material, Part, box, solid, sphere
from aim_jax.sim.objects.forms import open_box
from aim_jax.sim.objects.meshes import lathe
from aim_jax.sim.pose import Pose, turned

_LOOKS = {
    "blue": (0.06, 0.22, 0.50),
    "green": (0.08, 0.38, 0.16),
    "gray": (0.40, 0.41, 0.43),
    "pink": (0.80, 0.40, 0.48),
}
NAMES = tuple(f"{look} bin" for look in _LOOKS)
VARIANTS = len(NAMES)
_INSIDE = Material((0.10, 0.10, 0.11), roughness=0.9)
_BIG = Material((0.10, 0.11, 0.12), roughness=0.7)
_RIM = Material((0.05, 0.30, 0.10), roughness=0.6)
_TALL = Material((0.10, 0.14, 0.13), roughness=0.7)
_TALL_RIM = Material((0.25, 0.32, 0.30))
_BOTTOM, _TOP, _WALL = 0.030, 0.036, 0.003  # radii of the small bin, its wall, metres
_SIDES = 12
BALL = 0.008
"""Radius of a piece of waste, metres."""
RIM = 0.10
"""Height of the small bin, metres."""
FLOOR = 0.13
"""Height of the large bin's floor, metres."""
DUSTBIN_HALF = (0.10, 0.12)
"""Half the tall bin's outer length and width, metres."""
_LIP = 0.006  # metres


def deskbin(name: str, variant: int) -> Blueprint:
    """An open bin standing at its frame's origin; point "grip" is its middle where a hand closes around it."""
    shell = Material(tuple(_LOOKS.values())[variant], roughness=0.5)
    lip = ((_TOP + 0.003, RIM - 0.006), (_TOP + 0.003, RIM), (_TOP - _WALL, RIM))
    outside = lathe(((0.0, 0.0), (_BOTTOM, 0.0), (_TOP, RIM - 0.006), *lip))
    inside = lathe(((_TOP - _WALL, RIM), (_BOTTOM - _WALL, 0.004), (0.0, 0.004)))
    parts: list[Part] = [
        solid(outside, shell, collides=False),
        solid(inside, _INSIDE, collides=False),
        box((_BOTTOM * 0.92, _BOTTOM * 0.92, 0.002), None, Pose((0.0, 0.0, 0.002))),
    ]
    lean = float(np.arctan2(_TOP - _BOTTOM, RIM))
    radius = (_TOP + _BOTTOM) / 2 - _WALL / 2
    half = (_WALL / 2, _TOP * np.tan(np.pi / _SIDES) + 0.001, RIM / 2)
    for index in range(_SIDES):
        around = turned("z", 2 * np.pi * index / _SIDES)
        parts.append(box(half, None, around @ turned("y", lean, (radius, 0.0, RIM / 2))))
    return Blueprint(name, tuple(parts), {"grip": Pose((0.0, 0.0, 0.05))}, mass=0.08, friction=1.0)


def waste(name: str) -> Blueprint:
    """A red ball."""
    return Blueprint(name, (sphere(BALL, Material((0.75, 0.04, 0.03), roughness=0.6)),), mass=0.001, friction=0.3)


def bigbin(name: str) -> Blueprint:
    """A wide floor bin standing at its frame's origin, its bottom raised to `FLOOR`."""
    return _floor_bin(name, (0.13, 0.13), 0.62, FLOOR, 0.02, (_BIG, _RIM))


def dustbin(name: str) -> Blueprint:
    """A tall floor bin standing at its frame's origin, its outer half extents `DUSTBIN_HALF`, its bottom raised."""
    return _floor_bin(name, DUSTBIN_HALF, 0.6, 0.3, 0.006, (_TALL, _TALL_RIM))


def _floor_bin(
    name: str, half: tuple[float, float], height: float, floor: float, wall: float, looks: tuple[Material, Material]
) -> Blueprint:
    """An open box with a false floor and a thicker rim; metres, `looks` of the shell and of the rim."""
    outer = (half[0] + _LIP, half[1] + _LIP)
    walls = open_box(half, height, wall, looks[0])[1:]
    rim = open_box(outer, 0.03, wall + _LIP, looks[1])[1:]
    lifted = (dataclasses.replace(part, pose=part.pose.moved(z=height - 0.03)) for part in rim)
    bottom = box((*half, floor / 2), looks[0], Pose((0.0, 0.0, floor / 2)))
    return Blueprint(name, (*walls, bottom, *lifted), friction=0.6)
