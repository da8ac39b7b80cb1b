"""Pressing from above with closed fingers, and how to tell that it happened."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aim_jax.sim import robot
from aim_jax.sim.pose import Pose
from aim_jax.sim.skills.hands import Actions, Hands
from aim_jax.sim.skills.poses import down_to
from aim_jax.sim.world import Actor, World

_HOVER = 0.06  # metres of the fingertips above the point
_DEPTH = 0.014  # metres the fingertips are commanded below it
_SPEED = 0.45
_HOLD = 4  # control steps


def press_down(hands: Hands, arm: str, point: Pose, depth: float = _DEPTH) -> Iterator[Actions]:
    """Closes the hand over a point, presses it and stays; `depth` is how far below it the fingertips are commanded."""
    tip = point.moved(z=robot.FINGERTIP)
    hover, deep = down_to(arm, tip.moved(z=-depth), _HOVER + depth)
    yield hands.move({arm: hover}, {arm: 0.0}, speed=_SPEED)
    yield hands.slide({arm: deep}, speed=_SPEED)
    yield hands.hold(_HOLD)


def pressed_near(world: World, arm: str, actor: Actor, point: str, within: tuple[float, float, float]) -> bool:
    """Whether a finger presses on an actor less than `within` (metres along x, y, z) from one of its named points."""
    offsets = np.abs(world.finger_contacts(arm, actor.name) - actor.point(point).position)
    return bool(np.any(np.all(offsets < within, axis=1)))
