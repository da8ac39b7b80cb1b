"""Rollouts of a group that start from the same noise differ by the exploration alone."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from aim_jax.config import ExperimentConfig
from aim_jax.errors import AimError
from aim_jax.policy.exploration import FlowSDE
from aim_jax.training.config import GRPOConfig
from aim_jax.training.stage2 import _checked
from tests.policy.tiny_agent import frames, tiny_agent


def test_members_of_a_group_share_their_noise_and_groups_do_not():
    agent = tiny_agent()
    situation = agent.begin(np.repeat(frames(1, 1), 4, axis=0), ["press"] * 4)
    key = jax.random.key(0)
    silent = agent.explore(situation, key, FlowSDE(1e-6), group=2)
    np.testing.assert_allclose(silent.actions[0], silent.actions[1], atol=1e-3)
    np.testing.assert_allclose(silent.world.value[2], silent.world.value[3], atol=1e-5)
    assert np.abs(silent.actions[0] - silent.actions[2]).max() > 0.1
    loud = agent.explore(situation, key, FlowSDE(0.5), group=2)
    assert np.abs(loud.actions[0] - loud.actions[1]).max() > 0.01


def test_without_groups_every_rollout_has_noise_of_its_own():
    agent = tiny_agent()
    situation = agent.begin(np.repeat(frames(1, 1), 2, axis=0), ["press"] * 2)
    plan = agent.explore(situation, jax.random.key(0), FlowSDE(1e-6))
    assert np.abs(plan.actions[0] - plan.actions[1]).max() > 0.1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"exploration": "fpo", "share_noise": True}, "fpo explores by its starting noise"),
        ({"correlation": 1.0}, r"grpo.correlation in \[0, 1\)"),
        ({"val_every": 0}, "grpo.val_every of at least 1"),
        ({"val_episodes": -1}, "grpo.val_episodes of at least 0"),
    ],
)
def test_settings_that_contradict_themselves_are_told(settings: dict[str, Any], told: str):
    with pytest.raises(AimError, match=told):
        _checked(ExperimentConfig("one", grpo=GRPOConfig(**settings)))
