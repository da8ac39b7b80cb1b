"""Grasping upright things from the side, and turning them in the hand's axis."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from aim_jax.sim import robot
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.skills.hands import Actions, Hands, Unreachable, heading
from aim_jax.sim.skills.poses import direction, pointing, sideways

_AWAY = 0.08  # metres of the hand before the grasp
_FAR = 2.3  # radians
_PITCHES, _TURNS = (0.5, 0.8, 0.2, 1.1), (0.0, 0.4, -0.4, 0.8, -0.8)  # radians


def side_grasps(arm: str, place: Pose, yaws: Sequence[float] | None = None) -> Iterator[tuple[Pose, Pose]]:
    """Hands before and at a grasp of something upright at `place`, pointing away from the arm and a little down.

    Args:
        arm: whose hand.
        place: where the tool centre goes.
        yaws: directions to point to, radians from +y; default: around the one away from the arm's base.
    """
    choices = [heading(arm, place.p) + turn for turn in _TURNS] if yaws is None else yaws
    for yaw, pitch in itertools.product(choices, _PITCHES):
        forward = direction(yaw, pitch)
        hand = pointing(place.p, forward, sideways(yaw))
        yield hand.moved(*(-_AWAY * forward)), hand


def square_yaws(arm: str, pose: Pose) -> list[float]:
    """Directions, radians from +y, square to the sides of a block at `pose`, the best for the arm first."""
    across = pose.rotation[:, 1]
    yaw, natural = float(np.arctan2(-across[0], across[1])), heading(arm, pose.p)
    nearest = yaw + np.pi / 2 * round((natural - yaw) / (np.pi / 2))
    return sorted((nearest + turn for turn in (0.0, np.pi / 2, -np.pi / 2)), key=lambda turn: abs(turn - natural))


def swung(pose: Pose, angle: float, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Pose:
    """A hand turned by `angle` radians about the way it points, and shifted in the world, metres."""
    return pose.moved(x, y, z) @ turned("z", angle)


def first_plan(hands: Hands, arm: str, plans: Iterable[Sequence[Pose]]) -> Sequence[Pose]:
    """The first sequence of poses that the arm can go through one after the other, no joint turning far in one move.

    A joint that turns far (an arm that changes its posture) would swing what the hand holds.

    Raises:
        Unreachable: there is none.
    """
    failure = Unreachable("no plan was given")
    for plan in plans:
        trial = copy.copy(hands)
        try:
            for pose in plan:
                start = trial.target
                trial.move({arm: pose})
                if np.abs(trial.target - start)[robot.JOINT_SLICE[arm]].max() > _FAR:
                    raise Unreachable(f"the {arm} hand cannot get to {np.round(pose.position, 3).tolist()} smoothly")
        except Unreachable as error:
            failure = error
            continue
        return plan
    raise failure


def grasp_from_side(hands: Hands, arm: str, before: Pose, grasp: Pose, opening: float = 1.0) -> Iterator[Actions]:
    """Goes before the grasp, straight to it, and closes."""
    yield hands.move({arm: before}, {arm: opening})
    yield hands.slide({arm: grasp})
    yield hands.grip({arm: 0.0}, steps=8)


def shake(hands: Hands, arm: str, poses: Sequence[Pose], speed: float = 1.6) -> Iterator[Actions]:
    """Goes through poses briskly."""
    for pose in poses:
        yield hands.move({arm: pose}, speed=speed)


def shaken(middle: Pose, tilt: float, swing: float, rise: float, times: int) -> list[Pose]:
    """Poses of a hand that shakes what it holds: tilted by `tilt` ± `swing` radians, up and down by `rise` metres."""
    once = [swung(middle, tilt + swing, z=rise), swung(middle, tilt - swing)]
    return [*(once * times), swung(middle, tilt)]
