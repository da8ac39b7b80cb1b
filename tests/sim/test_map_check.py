"""The check of value maps: maps of the simulator pass, maps drawn with a wrong camera do not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aim_jax.data.cameras import HEAD
from aim_jax.data.episode import Episode, read_episode
from aim_jax.sim.collection.expert_episode import collect_episode
from aim_jax.sim.recording.map_check import check_maps

pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Episode:
    outcome = collect_episode("stack_blocks_two", 0, out_dir=tmp_path_factory.mktemp("episodes"))
    assert outcome.path is not None
    return read_episode(outcome.path)


def test_maps_lie_on_what_is_touched(episode: Episode) -> None:
    found = check_maps(episode)
    assert found.contacts == 2
    assert found.frames >= 4
    assert (found.on_target, found.marked) == (found.frames, found.contacts)


def test_a_camera_that_is_wrong_is_found_out(episode: Episode) -> None:
    shifted = episode.intrinsics[HEAD] + np.array([[0, 0, 40], [0, 0, 0], [0, 0, 0]])
    found = check_maps(dataclasses.replace(episode, intrinsics={**episode.intrinsics, HEAD: shifted}))
    assert found.on_target == 0
    assert found.marked == 0


def test_an_outline_is_whole_though_something_stands_before_it() -> None:
    from aim_jax.sim.env import Env

    env = Env("stack_blocks_two")
    env.reset(0)
    cameras = env.cameras
    assert cameras is not None
    block = env.world.actors["red"].entity
    before = cameras.segmentation()
    outline = cameras.silhouette(block)[HEAD]
    assert outline.sum() >= (before[HEAD] == block.per_scene_id).sum() > 0
    np.testing.assert_array_equal(cameras.segmentation()[HEAD], before[HEAD])
