"""Forward and inverse kinematics of the two arms, without the simulator."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from aim_jax.array_typing import Float
from aim_jax.errors import AimError
from aim_jax.sim import robot
from aim_jax.sim.pose import Pose

_ITERATIONS = 40  # all but a few of thousands of descents that found a solution took at most 17
_RESTARTS = 12
_DAMPING = 1e-4
_TOLERANCE = 2e-4  # metres and radians, summed over the six errors


def tcp_pose(arm: str, joints: Float[np.ndarray, "6"]) -> Pose:
    """The tool centre of one arm in the world, from its six joint angles (radians)."""
    placement = _placement(np.asarray(joints, float))
    return robot.BASE_POSE[arm] @ Pose.from_matrix(placement.translation, placement.rotation)


def tcp_position(state: Float[np.ndarray, "14"]) -> Float[np.ndarray, "2 3"]:
    """World positions (metres) of the left and the right tool centre for one 14-number joint state or action."""
    return np.stack([tcp_pose(arm, np.asarray(state, float)[robot.JOINT_SLICE[arm]]).position for arm in robot.ARMS])


def solve(
    arm: str, target: Pose, start: Float[np.ndarray, "6"], attempts: int = _RESTARTS
) -> Float[np.ndarray, "6"] | None:
    """Joint angles (radians) that put the arm's tool centre at `target` (world), or None if none were found.

    Damped least squares with clipping at the joint limits, from `start` first, then from fixed random postures, up to
    `attempts` in all; the same question has the same answer.
    """
    goal = robot.BASE_POSE[arm].inverse() @ target
    if _out_of_reach(goal):
        return None
    low, high = joint_limits()
    generator = np.random.default_rng(0)
    guess = np.clip(np.asarray(start, float), low, high)
    for _ in range(attempts):
        solution = _descend(goal, guess)
        if solution is not None:
            return solution
        guess = generator.uniform(low, high)
    return None


def reachable(arm: str, target: Pose) -> bool:
    """Whether the arm can put its tool centre at `target` (world)."""
    return solve(arm, target, np.zeros(robot.ARM_JOINTS)) is not None


def joint_limits() -> tuple[Float[np.ndarray, "6"], Float[np.ndarray, "6"]]:
    """Lower and upper joint limits of an arm, radians."""
    limits = np.array([joint.limits for joint in robot.ARM_CHAIN])
    return limits[:, 0], limits[:, 1]


def _out_of_reach(goal: Pose) -> bool:
    """Whether the wrist would lie further from the shoulder than upper arm and forearm are long: never solvable."""
    _, _, elbow, wrist, _, hand = (joint.origin for joint in robot.ARM_CHAIN)
    # The wrist turns about the hand's axis, which passes it by less than the millimetre of the margin.
    at = (goal @ robot.TCP_IN_HAND.inverse() @ hand.inverse()).position - robot.ARM_CHAIN[0].origin.position
    return bool(np.linalg.norm(at) > np.linalg.norm(elbow.position) + np.linalg.norm(wrist.position) + 1e-3)


def _descend(goal: Pose, guess: Float[np.ndarray, "6"]) -> Float[np.ndarray, "6"] | None:
    pinocchio, model, data = _model()
    low, high = joint_limits()
    wanted = pinocchio.SE3(goal.rotation, goal.position)
    q = guess.copy()
    for _ in range(_ITERATIONS):
        placement = _placement(q)
        error = pinocchio.log6(placement.actInv(wanted)).vector
        if np.abs(error).sum() < _TOLERANCE:
            return q
        jacobian = pinocchio.computeFrameJacobian(model, data, q, model.nframes - 1, pinocchio.LOCAL)
        step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + _DAMPING * np.eye(6), error)
        q = np.clip(q + np.clip(step, -0.5, 0.5), low, high)
    return None


def _placement(q: Float[np.ndarray, "6"]) -> Any:
    """The tool centre in the base's frame."""
    pinocchio, model, data = _model()
    pinocchio.framesForwardKinematics(model, data, q)
    return data.oMf[model.nframes - 1]


@functools.cache
def _model() -> tuple[Any, Any, Any]:
    """The library, and the chain of one arm with the tool centre as its last frame, and its workspace."""
    try:
        import pinocchio  # pyright: ignore[reportMissingImports] - pin installs it beside the site packages
    except ImportError as error:
        raise AimError(
            "Kinematics needs the package `pin`", got=str(error), remedy="install the extra: pip install 'aim-jax[sim]'"
        ) from error

    model = pinocchio.Model()
    parent = 0
    for index, joint in enumerate(robot.ARM_CHAIN):
        placement = pinocchio.SE3(joint.origin.rotation, joint.origin.position)
        parent = model.addJoint(parent, pinocchio.JointModelRZ(), placement, f"joint{index + 1}")
    tool = pinocchio.SE3(robot.TCP_IN_HAND.rotation, robot.TCP_IN_HAND.position)
    model.addFrame(pinocchio.Frame("tcp", parent, 0, tool, pinocchio.FrameType.OP_FRAME))
    return pinocchio, model, model.createData()
