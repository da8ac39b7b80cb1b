"""Taking hold of something that moves on a joint and leading it along its way."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from aim_jax.sim.pose import Pose
from aim_jax.sim.skills.hands import Actions, Hands, Unreachable
from aim_jax.sim.world import Linkage


def led(linkage: Linkage, link: str, grasp: Pose, to: float, turning: float = 1.0, count: int = 12) -> list[Pose]:
    """The poses of a hand that moves with a link from where its joint is to the position `to`.

    Args:
        linkage: what the link belongs to.
        link: name of the link.
        grasp: the hand's pose at the joint's present position.
        to: radians or metres.
        turning: the share of the link's turn that the hand makes; less than 1 where fingers hold a round bar.
        count: poses.
    """
    first = linkage.pose_at(link, linkage.position(link))
    held = first.inverse() @ grasp
    poses = []
    for position in np.linspace(linkage.position(link), to, count + 1)[1:]:
        moved = linkage.pose_at(link, float(position))
        partly = linkage.pose_at(link, linkage.position(link) + turning * (float(position) - linkage.position(link)))
        poses.append(Pose((moved @ held).p, (partly @ held).q))
    return poses


def smooth_way(
    hands: Hands, arm: str, ways: Iterable[tuple[Pose, Pose, Sequence[Pose]]]
) -> tuple[Pose, Pose, list[Pose]]:
    """The first of several ways (before the grasp, grasp, curve) that the arm can go without changing its posture.

    Raises:
        Unreachable: there is none.
    """
    failure = Unreachable("no way was given")
    for before, grasp, curve in ways:
        trial = copy.copy(hands)
        try:
            trial.move({arm: before})
            trial.trace({arm: [grasp]})
            trial.trace({arm: curve})
        except Unreachable as error:
            failure = error
            continue
        return before, grasp, list(curve)
    raise failure


def grasp_and_lead(
    hands: Hands, arm: str, way: tuple[Pose, Pose, Sequence[Pose]], opening: float = 0.6, speed: float = 0.6
) -> Iterator[Actions]:
    """Goes before the grasp with the gripper opened so far, to the grasp, closes and follows the curve."""
    before, grasp, curve = way
    yield hands.move({arm: before}, {arm: opening})
    yield hands.slide({arm: grasp})
    yield hands.grip({arm: 0.0})
    yield hands.trace({arm: curve}, speed=speed)
