"""Small boxes and bars: coffee, soap, a wooden block."""

from __future__ import annotations

from aim_jax.sim.objects.blueprint import Blueprint, Material, Part, box, capsule, cylinder
from aim_jax.sim.objects.forms import brick, paint
from aim_jax.sim.pose import Pose, turned

_WHITE = paint((0.85, 0.84, 0.80))
_BEAN = paint((0.13, 0.05, 0.02))
_COFFEE, _SOAP, _WOOD = (0.026, 0.036, 0.042), (0.025, 0.038, 0.014), (0.022, 0.045, 0.022)
COFFEE = {"brown coffee box": (0.25, 0.11, 0.04), "red coffee box": (0.50, 0.03, 0.03)}
SOAP = {"pink soap": (0.80, 0.36, 0.42), "green soap": (0.40, 0.66, 0.42), "white soap": (0.80, 0.79, 0.72)}
WOOD = {"wooden block": (0.55, 0.32, 0.13), "dark wooden block": (0.28, 0.12, 0.05)}


def coffee_box(name: str, style: str) -> Blueprint:
    """A box with a bean on its lid, standing at its frame's origin, held across x at "grip"."""
    top = 2 * _COFFEE[2]
    bean = cylinder(0.012, 0.0008, _BEAN, Pose((0.0, 0.0, top)), collides=False)
    decor = (_lid(0.019, 0.026, _WHITE, Pose((0.0, 0.0, top - 0.0004))), _belt(_COFFEE, _WHITE, 0.016), bean)
    return brick(name, _COFFEE, paint(COFFEE[style]), decor)


def soap(name: str, style: str) -> Blueprint:
    """A bar with rounded sides lying at its frame's origin, held across x at "grip"."""
    color, (x, y, z) = paint(SOAP[style], roughness=0.3), _SOAP
    edges = tuple(
        capsule(z - 0.0005, y - z, color, Pose((side * (x - z + 0.003), 0.0, z)) @ turned("x", 1.5708), collides=False)
        for side in (-1.0, 1.0)
    )
    stamp = _lid(0.012, 0.022, paint((0.9, 0.9, 0.88)), Pose((0.0, 0.0, 2 * z)))
    return brick(name, _SOAP, color, (*edges, stamp))


def wooden_block(name: str, style: str) -> Blueprint:
    """A long block with a grain, lying at its frame's origin, held across x at "grip"."""
    red, green, blue = WOOD[style]
    dark = paint((0.6 * red, 0.6 * green, 0.6 * blue))
    grain = tuple(_lid(0.0009, 0.0448, dark, Pose((x, 0.0, 2 * _WOOD[2]))) for x in (-0.014, -0.006, 0.004, 0.013))
    return brick(name, _WOOD, paint(WOOD[style], roughness=0.8), grain)


def _lid(x: float, y: float, material: Material, pose: Pose) -> Part:
    return box((x, y, 0.0005), material, pose, collides=False)


def _belt(half: tuple[float, float, float], material: Material, width: float) -> Part:
    return box((half[0] + 0.0004, half[1] + 0.0004, width / 2), material, Pose((0.0, 0.0, half[2])), collides=False)
