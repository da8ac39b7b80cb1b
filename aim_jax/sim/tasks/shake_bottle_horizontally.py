"""Lay a bottle level in the air and shake it. Layout and goal as RoboTwin's envs/shake_bottle_horizontally.py."""

from __future__ import annotations

from aim_jax.sim.tasks.shake_bottle import ShakeBottle
from aim_jax.sim.wording import templates


class ShakeBottleHorizontally(ShakeBottle):
    """As `ShakeBottle`, but the bottle lies level while it is shaken."""

    tilts = (1.5, -1.5, 1.3, -1.3)
    swing = 0.5
    name = "shake_bottle_horizontally"
    seen, unseen = templates(
        (
            "shake the {bottle} horizontally",
            "pick up the {bottle}, turn it on its side and shake it",
            "lift the {bottle} and shake it lying in the air",
            "hold the {bottle} level and shake it",
            "grab the {bottle}, tip it sideways and shake",
            "take the {bottle} and shake it in a horizontal position",
            "raise the {bottle}, lay it flat in the air and shake it",
            "turn the {bottle} to the horizontal and shake it well",
            "grasp the {bottle}, tilt it by a right angle and shake it",
            "get the {bottle} and shake it sideways several times",
        ),
        ("mix the {bottle} while it points sideways", "bring the {bottle} to the level and rock it"),
    )
