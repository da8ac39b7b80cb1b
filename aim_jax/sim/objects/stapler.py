"""A stapler, a little open: foot, magazine and the arm to press."""

from __future__ import annotations

import numpy as np

from aim_jax.sim.objects.blueprint import Blueprint, Material, box, cylinder
from aim_jax.sim.objects.forms import grip_at
from aim_jax.sim.pose import Pose, turned

_STYLES = {
    "red stapler": (0.65, 0.03, 0.03),
    "blue stapler": (0.03, 0.12, 0.55),
    "black stapler": (0.03, 0.03, 0.035),
    "green stapler": (0.05, 0.40, 0.15),
}
NAMES = tuple(_STYLES)
_STEEL = Material((0.55, 0.57, 0.60), roughness=0.3, metallic=0.4)
_RUBBER = Material((0.05, 0.05, 0.055), roughness=0.9)
_LENGTH, _WIDTH, _OPEN = 0.066, 0.016, 0.16  # half lengths in metres; radians


def stapler(name: str, style: str) -> Blueprint:
    """A stapler standing at its frame's origin, its mouth towards +y.

    Points: "grip", where fingers close across its arm, and "top", where one presses.
    """
    shell = Material(_STYLES[style], roughness=0.35)
    hinge = turned("x", _OPEN, (0.0, -_LENGTH + 0.012, 0.026))
    arm = hinge @ Pose((0.0, _LENGTH - 0.012, 0.012))
    tip = arm @ Pose((0.0, _LENGTH - 0.022, 0.009))
    parts = (
        box((_WIDTH, _LENGTH, 0.004), _RUBBER, Pose((0.0, 0.0, 0.004))),
        box((_WIDTH - 0.002, _LENGTH - 0.004, 0.004), shell, Pose((0.0, 0.0, 0.011))),
        box((0.008, 0.010, 0.001), _STEEL, Pose((0.0, _LENGTH - 0.014, 0.0155)), collides=False),
        box((_WIDTH - 0.001, 0.014, 0.014), shell, Pose((0.0, -_LENGTH + 0.014, 0.022))),
        cylinder(0.006, _WIDTH + 0.002, _STEEL, hinge @ turned("y", np.pi / 2), collides=False),
        box((_WIDTH - 0.006, _LENGTH - 0.006, 0.006), _STEEL, hinge @ Pose((0.0, _LENGTH - 0.014, -0.002))),
        box((_WIDTH - 0.002, _LENGTH - 0.003, 0.008), shell, arm),
        cylinder(_WIDTH - 0.002, 0.008, shell, arm @ Pose((0.0, _LENGTH - 0.003, 0.0))),
        box((_WIDTH - 0.005, 0.024, 0.001), _RUBBER, tip.moved(z=-0.0005), collides=False),
    )
    points = {**grip_at(0.042, y=-0.005), "top": tip}
    return Blueprint(name, parts, points, mass=0.08, friction=1.0)
