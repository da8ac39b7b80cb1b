"""Bottles of several makes, with cap and label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aim_jax.sim.objects.blueprint import Blueprint, cylinder, solid
from aim_jax.sim.objects.forms import paint
from aim_jax.sim.objects.meshes import lathe
from aim_jax.sim.pose import Pose, about

_RGB = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """Radius and height of the body, whole height (metres), colours of body, label and cap."""

    radius: float
    body: float
    height: float
    color: _RGB
    label: _RGB
    cap: _RGB


_STYLES = {
    "green bottle": _Style(0.029, 0.105, 0.180, (0.03, 0.28, 0.08), (0.82, 0.78, 0.62), (0.75, 0.62, 0.10)),
    "brown bottle": _Style(0.028, 0.100, 0.175, (0.22, 0.08, 0.02), (0.80, 0.66, 0.10), (0.60, 0.03, 0.03)),
    "cola bottle": _Style(0.030, 0.110, 0.180, (0.07, 0.02, 0.01), (0.65, 0.02, 0.03), (0.65, 0.02, 0.03)),
    "water bottle": _Style(0.031, 0.115, 0.170, (0.45, 0.65, 0.78), (0.05, 0.22, 0.60), (0.05, 0.22, 0.60)),
    "ketchup bottle": _Style(0.027, 0.110, 0.165, (0.60, 0.03, 0.02), (0.85, 0.84, 0.80), (0.85, 0.84, 0.80)),
    "mustard bottle": _Style(0.027, 0.105, 0.165, (0.82, 0.58, 0.03), (0.55, 0.05, 0.03), (0.10, 0.10, 0.10)),
    "milk bottle": _Style(0.032, 0.105, 0.170, (0.84, 0.84, 0.81), (0.10, 0.40, 0.60), (0.10, 0.40, 0.60)),
    "purple juice bottle": _Style(0.028, 0.112, 0.172, (0.26, 0.03, 0.30), (0.30, 0.55, 0.10), (0.82, 0.80, 0.74)),
}
NAMES = tuple(_STYLES)
_NECK, _CAP, _CAP_HEIGHT = 0.0125, 0.014, 0.014


def bottle(name: str, style: str) -> Blueprint:
    """A bottle standing at its frame's origin.

    Points: "neck" to hold it standing from above, "body" from the side, "side" to hold it lying (fingers close along
    y), "bottom" and "top".
    """
    s = _STYLES[style]
    neck = s.body + 0.6 * (s.height - s.body - _CAP_HEIGHT)
    shoulder = s.body + 0.35 * (s.height - s.body - _CAP_HEIGHT)
    outline = (
        (0.0, 0.0), (s.radius - 0.003, 0.0), (s.radius, 0.003), (s.radius, s.body), (0.65 * s.radius, shoulder),
        (_NECK, neck), (_NECK, s.height - _CAP_HEIGHT),
    )  # fmt: skip
    cap_middle = Pose((0.0, 0.0, s.height - _CAP_HEIGHT / 2))
    stem = (s.height - s.body) / 2
    parts = (
        solid(lathe(outline, 36), paint(s.color, roughness=0.25), collides=False),
        cylinder(s.radius + 0.0004, 0.27 * s.body, paint(s.label), Pose((0.0, 0.0, 0.5 * s.body)), collides=False),
        cylinder(_CAP, _CAP_HEIGHT / 2, paint(s.cap), cap_middle, collides=False),
        cylinder(s.radius, s.body / 2, None, Pose((0.0, 0.0, s.body / 2)), density=260.0),
        cylinder(_NECK, stem, None, Pose((0.0, 0.0, s.body + stem)), density=200.0),
    )
    hold = s.height - 0.024
    points = {
        "neck": Pose((0.0, 0.0, hold)),
        "body": Pose((0.0, 0.0, 0.062)),
        "side": Pose((0.0, 0.0, 0.62 * s.body), about("z", np.pi / 2)),
        "bottom": Pose(),
        "top": Pose((0.0, 0.0, s.height)),
    }
    return Blueprint(name, parts, points, friction=1.2)


def lying_height(style: str) -> float:
    """How high the axis of a lying bottle is, metres."""
    return _STYLES[style].radius
