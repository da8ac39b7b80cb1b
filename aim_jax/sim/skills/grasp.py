"""How a hand can hold a thing: closing level across it, tilted forward no more than its reach demands."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from aim_jax.array_typing import Float
from aim_jax.sim import kinematics, robot
from aim_jax.sim.home import HOME
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.skills.hands import Unreachable, hand_down, heading

ROUND = np.pi / 6
"""Turn, radians, after which a round thing is tried again."""
_LEANS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4)  # radians
_MAX_TURN = 2.4  # radians from the natural heading that a wrist can follow
_LEAN_COST = 1.5  # of a radian of leaning, in radians of turning
_MAX_JUMP = 2.5  # radians that a joint may turn from one pose of a plan to the next
_FINGER_HALF, _CLEARANCE = 0.009, 0.0015  # metres
_DOWN = hand_down("left", (0.0, 0.0, 0.0), 0.0, level=True)


def hand_closing(position: Sequence[float] | np.ndarray, yaw: float, lean: float = 0.0) -> Pose:
    """A hand at `position` whose fingers close level along the direction `yaw`, leaning forward by `lean`."""
    return Pose.of(position) @ turned("z", yaw) @ turned("x", lean) @ _DOWN


def holds(
    arm: str, grip: Pose, table_top: float, symmetry: float = np.pi, leans: Sequence[float] = _LEANS
) -> list[Pose]:
    """Hands that hold a thing at its point `grip` (world), most natural first.

    Args:
        arm: whose hand.
        grip: where the tool centre goes; the fingers close along its x, or along it turned by multiples of `symmetry`.
        table_top: its height, metres: no fingertip goes below it.
        symmetry: radians.
        leans: tilts to consider, radians.
    """
    forward = grip.rotation[:, 0]
    yaw = float(np.arctan2(forward[1], forward[0]))
    yaws = yaw + np.arange(0.0, 2 * np.pi - 1e-6, symmetry)
    poses = []
    for yaw in yaws:
        turn = (yaw - heading(arm, grip.p) + np.pi) % (2 * np.pi) - np.pi
        if abs(turn) > _MAX_TURN:
            continue
        away = np.cos(turn)
        poses += [_off_table(hand_closing(grip.p, yaw, lean if away >= 0 else -lean), table_top) for lean in leans]
    return sorted(poses, key=lambda pose: strain(arm, pose))


def strain(arm: str, hand: Pose) -> float:
    """How far, in radians, a hand is from looking straight away from its base and from pointing down."""
    natural, right, approach = heading(arm, hand.p), -hand.rotation[:, 1], hand.rotation[:, 2]
    turn = np.arctan2(right[1], right[0]) - natural
    lean = np.arccos(np.clip(-approach[2], -1.0, 1.0))
    inwards = -np.sin(natural) * approach[0] + np.cos(natural) * approach[1] < -0.1
    return float(abs((turn + np.pi) % (2 * np.pi) - np.pi) + _LEAN_COST * lean + float(inwards))


def first_reachable(
    arm: str, plans: Sequence[Sequence[Pose]], what: str, starts: Sequence[Float[np.ndarray, "6"] | None] = (None,)
) -> Sequence[Pose]:
    """The first of several lists of hand poses that the arm can go through.

    Args:
        arm: whose hand.
        plans: the lists.
        what: for the error: what they were for.
        starts: joints to begin with, None = home; all plans are tried from the first before any from the second.

    Raises:
        Unreachable: there is none.
    """
    for start, plan in itertools.product(starts, plans):
        if follow(arm, plan, start) is not None:
            return plan
    raise Unreachable(f"the {arm} hand cannot {what}")


def back(hand: Pose, distance: float) -> Pose:
    """The hand drawn back along its approach, metres."""
    return hand @ Pose((0.0, 0.0, -distance))


def _off_table(hand: Pose, table_top: float) -> Pose:
    """The hand raised until no corner of its fingertips is closer to the table than the clearance."""
    corners = hand.apply(np.array([(x, 0.0, robot.FINGERTIP) for x in (-_FINGER_HALF, _FINGER_HALF)]))
    return hand.moved(z=max(0.0, table_top + _CLEARANCE - float(corners[:, 2].min())))


def follow(
    arm: str, plan: Iterable[Pose], start: Float[np.ndarray, "6"] | None = None
) -> Float[np.ndarray, "6"] | None:
    """The joints in which the arm ends when it goes from `start` (default: home) through the poses, or None.

    It must not turn its wrist over on the way.
    """
    joints = np.array(HOME[robot.JOINT_SLICE[arm]], np.float64) if start is None else start
    for pose in plan:
        solution = kinematics.solve(arm, pose, joints, attempts=1)
        if solution is None or np.abs(solution - joints).max() > _MAX_JUMP:
            return None
        joints = solution
    return joints
