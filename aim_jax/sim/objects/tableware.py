"""Bowls and plates."""

from __future__ import annotations

from aim_jax.sim.objects.blueprint import Blueprint, box, cylinder, solid
from aim_jax.sim.objects.forms import grip_at, paint, ring, slabs
from aim_jax.sim.objects.meshes import lathe
from aim_jax.sim.pose import Pose

_BOWLS = {
    "white bowl": ((0.80, 0.80, 0.78), (0.86, 0.86, 0.84)),
    "red bowl": ((0.60, 0.05, 0.04), (0.85, 0.80, 0.70)),
    "blue bowl": ((0.06, 0.18, 0.52), (0.70, 0.78, 0.85)),
    "green bowl": ((0.08, 0.36, 0.14), (0.75, 0.82, 0.70)),
}
BOWLS = tuple(_BOWLS)
# Foot, body and lip as (radius, height), metres. The foot is narrower than the hollow's floor, so that a bowl stands
# on the floor of another, level on level and clear of its walls by 4 mm: wedged between them it would not come to rest.
_FOOT = ((0.013, 0.0), (0.013, 0.008))
_BODY = ((0.016, 0.008), (0.026, 0.030), (0.034, 0.036), (0.034, 0.046))
_WALL = 0.004
_STAND = 0.0115  # half the edge of the box inside foot and floor: cylinders do not rest on cylinders
NEST = 0.02
"""How much higher a bowl stands in a bowl than on the table, metres."""
_WHITE, _BLUE = paint((0.84, 0.84, 0.82), roughness=0.3), paint((0.10, 0.25, 0.55))


def bowl(name: str, style: str) -> Blueprint:
    """A small bowl standing at its frame's origin; point "grip" is across its lip."""
    outside, inside = (paint(color, roughness=0.3) for color in _BOWLS[style])
    inner = tuple((radius - _WALL, height) for radius, height in _BODY)
    hollow = ((0.0, NEST), (0.0175, NEST), *inner[1:])
    height = _BODY[-1][1]
    parts = (
        solid(lathe(((0.0, 0.0), *_FOOT, *_BODY, inner[-1]), 40), outside, collides=False),
        solid(lathe(hollow[::-1], 40), inside, collides=False),
        box((_STAND, _STAND, NEST / 2), None, Pose((0.0, 0.0, NEST / 2))),
        *slabs(_BODY, _WALL),
    )
    return Blueprint(name, parts, grip_at(height - 0.002), mass=0.06, friction=0.4)


def plate(name: str) -> Blueprint:
    """A plate lying at its frame's origin; point "top" is the middle of its hollow."""
    radius, height, floor = 0.095, 0.014, 0.005
    outside = ((0.0, 0.0), (0.055, 0.0), (0.060, 0.004), (radius, height - 0.002), (radius, height))
    inside = ((radius, height), (0.062, floor + 0.001), (0.058, floor), (0.0, floor))
    stripe = ((0.090, height - 0.0008), (0.086, height - 0.0022))
    parts = (
        solid(lathe(outside, 48), _WHITE, collides=False),
        solid(lathe(inside, 48), _WHITE, collides=False),
        solid(lathe(stripe, 48), _BLUE, collides=False),
        cylinder(0.060, floor / 2, None, Pose((0.0, 0.0, floor / 2))),
        *ring(((0.060, 0.002), (radius, height)), ((0.058, 0.005), (radius - 0.004, height + 0.0005)), 20),
    )
    return Blueprint(name, parts, {"top": Pose((0.0, 0.0, floor))})
