"""From one hand to the other: where both can hold a thing in the air."""

from __future__ import annotations

from collections.abc import Iterator

from aim_jax.sim.pose import Pose
from aim_jax.sim.robot import ARMS
from aim_jax.sim.skills.hands import Actions, Hands
from aim_jax.sim.skills.poses import first_reachable

_RETREATS = (0.08, 0.06, 0.04)  # metres, as far as can be reached
_SETTLE = 4  # control steps for the drives to catch up before fingers close


def other_arm(arm: str) -> str:
    """The arm that is not `arm`."""
    return ARMS[1 - ARMS.index(arm)]


def take_over(hands: Hands, giver: str, taker: str, before: Pose, grasp: Pose) -> Iterator[Actions]:
    """The taker goes before its grasp and to it and closes; then the giver opens and draws back.

    It draws back against the way it points, or where it cannot, towards the robot.
    """
    yield hands.move({taker: before}, {taker: 1.0})
    yield hands.slide({taker: grasp}, speed=0.7)
    yield hands.hold(_SETTLE)
    yield hands.grip({taker: 0.0}, steps=8)
    yield hands.grip({giver: 1.0}, steps=8)
    pose = hands.pose(giver)
    backs = [pose @ Pose((0.0, 0.0, -far)) for far in _RETREATS] + [pose.moved(y=-far) for far in _RETREATS]
    (back,) = first_reachable(giver, ([back] for back in backs))
    yield hands.slide({giver: back})
