"""Kinematics without a simulator: poses, reach, and what the answer must satisfy."""

from __future__ import annotations

import numpy as np
import pytest

from aim_jax.sim import kinematics, robot
from aim_jax.sim.home import HOME
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.skills.hands import hand_down

pytest.importorskip("pinocchio")


def test_home_holds_the_hands_mirrored_over_the_table() -> None:
    left, right = kinematics.tcp_position(HOME)
    np.testing.assert_allclose(left * (-1, 1, 1), right, atol=1e-4)
    assert left[2] > 0.85


@pytest.mark.parametrize("arm", robot.ARMS)
@pytest.mark.parametrize("place", [(0.05, -0.2, 0.79), (0.2, 0.0, 0.80), (0.25, -0.1, 0.9)])
def test_a_solution_puts_the_hand_there_within_the_limits(arm: str, place: tuple[float, float, float]) -> None:
    side = 1.0 if arm == "right" else -1.0
    target = hand_down(arm, (side * place[0], *place[1:]))
    joints = kinematics.solve(arm, target, HOME[robot.JOINT_SLICE[arm]])
    assert joints is not None
    reached = kinematics.tcp_pose(arm, joints)
    np.testing.assert_allclose(reached.position, target.position, atol=2e-4)
    np.testing.assert_allclose(reached.rotation, target.rotation, atol=5e-4)
    low, high = kinematics.joint_limits()
    assert (joints >= low).all()
    assert (joints <= high).all()


def test_the_same_question_has_the_same_answer() -> None:
    target = hand_down("left", (-0.1, 0.0, 0.8))
    answers = [kinematics.solve("left", target, np.zeros(6)) for _ in range(2)]
    np.testing.assert_array_equal(answers[0], answers[1])


def test_out_of_reach_has_no_solution() -> None:
    assert kinematics.solve("left", Pose((2.0, 0.0, 1.0)), np.zeros(6)) is None


def test_poses_compose_and_invert() -> None:
    a, b = turned("z", 0.7, (1.0, 2.0, 3.0)), turned("x", -1.1, (0.1, 0.0, -0.2))
    point = np.array([[0.3, -0.4, 0.5]])
    np.testing.assert_allclose((a @ b).apply(point), a.apply(b.apply(point)), atol=1e-12)
    np.testing.assert_allclose((a @ a.inverse()).apply(point), point, atol=1e-12)
    np.testing.assert_allclose(Pose.from_matrix(a.p, a.rotation).rotation, a.rotation, atol=1e-12)
