"""The environment: determinism to the bit, frames where asked, limits, errors."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from aim_jax.errors import AimError
from aim_jax.sim import kinematics, robot
from aim_jax.sim.camera_config import CameraConfig
from aim_jax.sim.env import Env, checked_actions
from aim_jax.sim.expert import expert_actions
from aim_jax.sim.home import HOME
from aim_jax.sim.scene_facts import CONTROL_PERIOD

pytestmark = pytest.mark.sim
SMALL = CameraConfig(height=48, width=64)


def trace(task: str, seed: int, steps: int = 60) -> str:
    """A digest of all states of an episode's first steps under the expert."""
    env = Env(task, cameras=None, stop_at_success=False)
    env.reset(seed)
    digest = hashlib.sha256()
    for _, action in zip(range(steps), expert_actions(env), strict=False):
        result = env.step(action[None])
        digest.update(result.tcp.tobytes())
        for actor in env.world.actors.values():
            digest.update(np.array([*actor.pose.p, *actor.pose.q]).tobytes())
    env.close()
    return digest.hexdigest()


@pytest.mark.parametrize("task", ["stack_blocks_two", "beat_block_hammer"])
def test_equal_seeds_and_actions_give_equal_states_also_elsewhere(task: str) -> None:
    here = trace(task, 3)
    assert trace(task, 4) != here
    assert trace(task, 3) == here
    code = f"from tests.sim.test_env import trace; print(trace({task!r}, 3))"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=900)
    assert fresh.stdout.strip() == here


def test_rendering_does_not_change_the_physics() -> None:
    states = []
    for cameras, frames in ((SMALL, (1, 2, 3)), (None, ())):
        env = Env("stack_blocks_two", cameras=cameras)
        env.reset(0)
        actions = np.linspace(HOME, HOME + np.float32(0.1), 5)
        env.step(actions, frames)
        states.append(np.array([*env.world.actors["red"].pose.p, *env.world.tcp("left").p]))
        env.close()
    np.testing.assert_array_equal(states[0], states[1])


def test_frames_come_where_they_are_asked_for() -> None:
    env = Env("click_bell", cameras=SMALL)
    start = env.reset(1)
    assert {image.shape for image in start.images.values()} == {(48, 64, 3)}
    assert max(image.std() for image in start.images.values()) > 5
    result = env.step(np.tile(HOME, (8, 1)), (4, 8))
    assert [observation.step for observation in result.observations] == [4, 8]
    assert (result.executed, env.steps, result.done) == (8, 8, False)
    np.testing.assert_array_equal(result.observations[-1].state, HOME)
    env.close()


def test_forward_kinematics_agree_with_the_physics() -> None:
    env = Env("click_bell", cameras=None)
    env.reset(0)
    target = HOME.copy()
    target[robot.JOINT_SLICE["left"]] -= np.float32(0.15)
    result = env.step(np.tile(target, (40, 1)))
    np.testing.assert_allclose(result.tcp[-1], kinematics.tcp_position(target), atol=1e-3)
    env.close()


def test_an_episode_ends_at_success() -> None:
    env = Env("click_bell", cameras=None)
    env.reset(2)
    executed = [env.step(action[None]) for action in expert_actions(env)]
    assert executed[-1].success
    assert executed[-1].done
    assert env.step(HOME[None]).executed == 0
    env.close()


def test_an_episode_ends_at_the_step_limit() -> None:
    env = Env("click_bell", cameras=None)
    env.reset(2)
    result = env.step(np.tile(HOME, (env.step_limit + 5, 1)))
    assert (result.executed, result.done, result.success) == (env.step_limit, True, False)
    env.close()


def test_instructions_of_the_splits_differ() -> None:
    texts = {}
    for split in ("seen", "unseen"):
        env = Env("click_bell", cameras=None, instruction_split=split)
        env.reset(5)
        texts[split] = env.instruction
        assert env.instruction in env.task.instructions(split)
        env.close()
    assert texts["seen"] != texts["unseen"]


def test_wrong_actions_are_refused_and_wide_ones_clipped() -> None:
    with pytest.raises(AimError, match=r"Wanted: \[n, 14\].*Got: \[2, 16\]"):
        checked_actions(np.zeros((2, 16)))
    with pytest.raises(AimError, match="finite"):
        checked_actions(np.full((1, 14), np.nan))
    assert checked_actions(np.full((1, 14), 9.0))[0, robot.GRIPPER_INDEX["left"]] == 1.0


def test_no_joint_moves_faster_than_the_robot_can() -> None:
    env = Env("click_bell", cameras=None)
    env.reset(5)
    start = env.world.target.copy()
    far = start + np.float32(2.0)
    env.step(checked_actions(far[None]))
    moved = env.world.target - start
    most = robot.MAX_JOINT_SPEED * CONTROL_PERIOD
    np.testing.assert_allclose(np.abs(moved[robot.JOINT_SLICE["left"]]).max(), most, rtol=1e-5)
    np.testing.assert_array_equal(env.world.target[robot.GRIPPER_INDEX["left"]], 1.0)
    env.close()


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(AimError, match="easy"):
        Env("click_bell", setting="nightmare")
