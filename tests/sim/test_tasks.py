"""The first tasks: their experts reach the goal, it is not reached by itself, their maps sit on what is touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aim_jax.data.episode import read_episode
from aim_jax.sim.collection.expert_episode import collect_episode
from aim_jax.sim.env import Env
from aim_jax.sim.home import HOME

pytestmark = pytest.mark.sim
EVENTS = {
    "beat_block_hammer": ["pick", "press"],
    "click_bell": ["press"],
    "lift_pot": ["pick", "pick"],
    "stack_blocks_two": ["pick", "place", "pick", "place"],
}


@pytest.mark.parametrize("task", EVENTS)
def test_the_expert_reaches_the_goal(task: str) -> None:
    outcomes = [collect_episode(task, seed) for seed in range(1000, 1004)]
    assert [outcome.reason for outcome in outcomes if not outcome.success] == []


@pytest.mark.parametrize("task", EVENTS)
def test_idling_reaches_nothing(task: str) -> None:
    env = Env(task, cameras=None)
    env.reset(0)
    assert not env.step(np.tile(HOME, (30, 1))).success
    env.close()


@pytest.mark.parametrize("task", EVENTS)
def test_a_recorded_episode_is_whole(task: str, tmp_path: Path) -> None:
    outcome = collect_episode(task, 1, out_dir=tmp_path)
    assert outcome.path is not None
    episode = read_episode(outcome.path)
    assert [event.kind for event in episode.events] == EVENTS[task]
    np.testing.assert_array_equal(episode.states[1:], episode.actions)
    np.testing.assert_array_equal(episode.frame_index, np.arange(0, len(episode.actions) + 1, 4))
    head = episode.maps["head_camera"]
    last = max(event.time for event in episode.events)
    before = episode.frame_index * 15 < last
    assert (head[before].max(axis=(1, 2)) == 255).all()
    assert not any(maps[~before].any() for maps in episode.maps.values())
