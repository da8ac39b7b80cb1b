"""The check of value maps: maps of the simulator pass, maps drawn with a wrong camera do not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aim_jax.data.cameras import HEAD
from aim_jax.data.episode import CONTROL_SUBSTEPS, Episode, read_episode
from aim_jax.sim.collection.expert_episode import collect_episode
from aim_jax.sim.recording.map_check import _peak, check_maps

pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Episode:
    outcome = collect_episode("stack_blocks_two", 0, out_dir=tmp_path_factory.mktemp("episodes"))
    assert outcome.path is not None
    return read_episode(outcome.path)


def test_maps_lie_on_what_is_touched(episode: Episode) -> None:
    found = check_maps(episode)
    assert episode.occlusion
    assert found.frames >= 4
    assert found.frames / 2 <= found.on_target <= found.on_outline <= found.near_target == found.frames
    assert found.contacts == found.contacts_marked == 2
    assert found.points == found.points_marked >= 4
    assert found.points_hidden > 0  # a block hides the fingertip behind it
    assert (found.maps, found.maps_differing) == (3 * len(episode.frame_index), 0)


def test_it_is_the_stored_map_that_is_judged(episode: Episode) -> None:
    # The file's maps lie beside the blocks; events, poses and cameras are right.
    maps = {camera: np.roll(stored, 40, axis=2) for camera, stored in episode.maps.items()}
    found = check_maps(dataclasses.replace(episode, maps=maps))
    assert found.frames >= 4
    assert found.on_target == found.on_outline == found.near_target == 0
    assert found.points_marked == found.contacts_marked == 0
    assert found.maps_differing > found.maps / 3


def test_maps_of_another_event_are_found_out(episode: Episode) -> None:
    # Black from the first pick on, as where a carried thing was taken for a pressed one.
    first = min(event.time for event in episode.events)
    before = (episode.frame_index * CONTROL_SUBSTEPS < first)[:, None, None]
    maps = {camera: stored * before for camera, stored in episode.maps.items()}
    found = check_maps(dataclasses.replace(episode, maps=maps))
    assert 0 < found.on_target < found.frames
    assert 0 < found.points_marked < found.points
    assert found.maps_differing > 0


def test_maps_without_the_occlusion_test_are_told_from_those_with_it(episode: Episode) -> None:
    found = check_maps(dataclasses.replace(episode, occlusion=False))
    assert found.points_hidden == found.blind == 0
    assert found.points > check_maps(episode).points
    assert found.maps_differing > 0


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


def test_of_two_arms_bumps_each_has_its_peak_however_pixels_sample_them() -> None:
    value = np.zeros((20, 40), np.uint8)
    value[5, 8:11] = (200, 253, 200)
    value[12, 30] = 255
    left, right = np.array([[9.4, 5.2]]), np.array([[30.5, 12.5]])
    assert _peak(value, left, [right]) == (5, 9)
    assert _peak(value, right, [left]) == (12, 30)
    value[5] = 0
    value[12, 18] = 40  # the slope of the right one reaches into the left one's half
    assert _peak(value, left, [right]) is None


def test_of_many_maxima_the_one_in_the_middle_stands_for_them() -> None:
    value = np.zeros((20, 40), np.uint8)
    for row, column in ((2, 10), (9, 4), (9, 11), (15, 16)):
        value[row, column] = 255
    assert _peak(value, np.array([[10.0, 9.0]]), []) == (9, 11)
