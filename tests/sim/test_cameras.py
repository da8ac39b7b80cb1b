"""Camera matrices against what the renderer draws: a block's corners must bound its own segmentation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from aim_jax.data.value_map import project
from aim_jax.sim.env import Env
from aim_jax.sim.home import HOME
from aim_jax.sim.skills.hands import Hands, hand_down

pytestmark = pytest.mark.sim
CORNERS = 0.025 * np.array(list(itertools.product((-1, 1), repeat=3)))


def _box(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(mask)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def test_corners_project_onto_the_edges_of_the_segmentation() -> None:
    env = Env("stack_blocks_two")
    env.reset(0)
    red = env.world.actors["red"]
    arm = "left" if red.pose.p[0] < 0 else "right"
    hands = Hands(env.world.target, HOME)
    over = hand_down(arm, red.pose.moved(z=0.15).p)
    env.step(np.concatenate([hands.move({arm: over}), hands.hold(15)]))
    cameras = env.cameras
    assert cameras is not None
    segmentation = cameras.segmentation()
    seen = 0
    for name in ("head_camera", f"{arm}_camera"):
        mask = segmentation[name] == red.entity.per_scene_id
        uv, depth = project(red.pose.apply(CORNERS), cameras.intrinsics()[name], cameras.extrinsics()[name])
        if mask.any() and (uv > 1).all() and (uv < (319, 239)).all():
            np.testing.assert_allclose(_box(mask), [*uv.min(axis=0), *uv.max(axis=0)], atol=1.0)
            assert (depth > 0.05).all()
            seen += name != "head_camera"
    assert seen == 1
    env.close()


def test_the_head_camera_stands_where_robotwins_does() -> None:
    env = Env("click_bell")
    observation = env.reset(0)
    extrinsics = observation.extrinsics["head_camera"]
    centre = -extrinsics[:, :3].T @ extrinsics[:, 3]
    np.testing.assert_allclose(centre, [-0.032, -0.45, 1.35], atol=1e-6)
    np.testing.assert_allclose(extrinsics[2, :3], [0.0, 0.6, -0.8], atol=1e-6)
    focal = 120 / np.tan(np.deg2rad(18.5))
    np.testing.assert_allclose(np.diag(observation.intrinsics["head_camera"]), [focal, focal, 1.0], rtol=1e-5)
    env.close()
