"""Planned moves: they start where the last one ended, arrive at rest, and go straight where they should."""

from __future__ import annotations

import numpy as np
import pytest

from aim_jax.sim import kinematics, robot
from aim_jax.sim.home import HOME
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.skills.hands import Hands, Unreachable, carried, grasp_yaw, hand_down, heading, set_down

pytest.importorskip("pinocchio")
OVER = hand_down("left", (-0.2, -0.1, 0.9))


@pytest.fixture
def hands() -> Hands:
    return Hands(HOME, HOME)


def test_a_move_arrives_and_leaves_the_other_arm_alone(hands: Hands) -> None:
    actions = hands.move({"left": OVER}, {"left": 0.0})
    np.testing.assert_allclose(kinematics.tcp_position(actions[-1])[0], OVER.p, atol=1e-3)
    assert actions[-1, robot.GRIPPER_INDEX["left"]] == 0.0
    np.testing.assert_array_equal(actions[:, 7:], np.tile(HOME[7:], (len(actions), 1)))


def test_moves_are_smooth_and_joined(hands: Hands) -> None:
    actions = np.concatenate([HOME[None], hands.move({"left": OVER}), hands.shift(["left"], z=-0.05), hands.hold(3)])
    speed = np.abs(np.diff(actions, axis=0)).max(axis=1)
    assert speed.max() < 0.1  # radians in one control step
    assert np.abs(np.diff(speed)).max() < 0.04
    assert speed[-1] == 0.0


def test_a_slide_is_straight(hands: Hands) -> None:
    hands.move({"left": OVER})
    path = np.array([kinematics.tcp_position(row)[0] for row in hands.shift(["left"], z=-0.09)])
    assert np.abs(path[:, :2] - OVER.p[:2]).max() < 2e-3
    assert (np.diff(path[:, 2]) <= 1e-6).all()


def test_going_home_restores_the_posture(hands: Hands) -> None:
    hands.move({"left": OVER})
    actions = hands.move({"right": hand_down("right", (0.2, -0.1, 0.9))}, home=("left",))
    np.testing.assert_allclose(actions[-1, :6], HOME[:6], atol=1e-6)


def test_what_is_out_of_reach_says_so(hands: Hands) -> None:
    with pytest.raises(Unreachable, match="left hand cannot reach"):
        hands.move({"left": OVER.moved(y=1.0)})


def test_a_grasp_takes_the_nearest_of_equal_turns() -> None:
    for turn in np.linspace(-3, 3, 13):
        block = turned("z", float(turn), (-0.2, 0.0, 0.76))
        yaw = grasp_yaw("left", block)
        assert abs(yaw - heading("left", block.p)) <= np.pi / 4 + 1e-9
        assert np.isclose(np.sin(2 * (yaw - turn)) ** 2, 0.0, atol=1e-9)


def test_a_carried_thing_lands_on_its_spot() -> None:
    hand, actor = turned("x", np.pi, (0.0, 0.0, 0.8)), turned("z", 0.3, (0.01, 0.0, 0.79))
    spot = turned("z", 1.0, (0.1, -0.1, 0.76))
    held = hand.inverse() @ actor
    np.testing.assert_allclose((carried(actor, hand, spot) @ held).position, spot.position, atol=1e-9)
    landed = set_down("left", actor, hand, spot) @ held
    np.testing.assert_allclose(landed.position, Pose(spot.p).position, atol=1e-9)
