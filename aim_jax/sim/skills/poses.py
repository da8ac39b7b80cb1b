"""Tool-centre poses for hands that do not point down, and the choice of one that can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from aim_jax.array_typing import Float
from aim_jax.sim import kinematics
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.skills.hands import Unreachable, carried, heading

_PITCHES = tuple(np.pi / 2 - np.arange(0.0, 1.0, 0.1))  # radians below the horizon
_TURNS = tuple(np.pi / 6 * np.array([0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6]))  # radians, nearest first


def pointing(
    position: Sequence[float] | np.ndarray, forward: Sequence[float] | np.ndarray, closing: Sequence[float] | np.ndarray
) -> Pose:
    """A tool-centre pose at `position` pointing along `forward`, the fingers closing along `closing`, in the world.

    Only the part of `closing` across `forward` counts. Its sign says where the wrist camera is: opposite to
    `closing` × `forward`.
    """
    z = np.asarray(forward, float)
    z = z / np.linalg.norm(z)
    y = np.asarray(closing, float)
    y = y - z * (y @ z)
    y = y / np.linalg.norm(y)
    return Pose.from_matrix(position, np.stack([np.cross(y, z), y, z], axis=1))


def direction(yaw: float, pitch: float = 0.0) -> Float[np.ndarray, "3"]:
    """The unit vector turned left by `yaw` from +y (away from the robot) and down by `pitch`, radians."""
    return np.array([-np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), -np.sin(pitch)])


def sideways(yaw: float) -> Float[np.ndarray, "3"]:
    """The level unit vector to the left of `direction(yaw)`: fingers that close along it keep the camera on top."""
    return np.array([-np.cos(yaw), -np.sin(yaw), 0.0])


def first_reachable(arm: str, choices: Iterable[Sequence[Pose]]) -> Sequence[Pose]:
    """The first choice of which every pose is in the arm's reach.

    Raises:
        Unreachable: there is none.
    """
    where: list[float] = []
    for choice in choices:
        if all(kinematics.reachable(arm, pose) for pose in choice):
            return choice
        where = np.round(choice[-1].position, 3).tolist()
    raise Unreachable(f"the {arm} hand cannot reach {where} from any side")


def down_poses(arm: str, place: Pose, yaw: float | None = None) -> Iterator[Pose]:
    """Hands pointing down at a place, upright first, then leaning further and further away from the arm's base.

    Args:
        arm: whose hand.
        place: where the tool centre goes.
        yaw: turn about the vertical, radians, of what the fingers close across; default: away from the arm's base.
    """
    turn = heading(arm, place.p)
    for pitch in _PITCHES:
        yield pointing(place.p, direction(turn, pitch), sideways(turn if yaw is None else yaw))


def down_to(arm: str, place: Pose, above: float, yaw: float | None = None) -> Sequence[Pose]:
    """The most upright of `down_poses` that can be reached, before it the same `above` metres higher."""
    return first_reachable(arm, ((pose.moved(z=above), pose) for pose in down_poses(arm, place, yaw)))


def put_at(actor: Pose, hand: Pose, spot: Pose, turns: Sequence[float] = _TURNS) -> list[Pose]:
    """Where a hand may go for the actor it holds to be at `spot`, turned there about the vertical by one of `turns`."""
    goals = [Pose.of(spot.p) @ turned("z", turn) @ Pose.of((0.0, 0.0, 0.0), spot.q) for turn in turns]
    return [carried(actor, hand, goal) for goal in goals]
