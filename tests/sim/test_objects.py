"""Objects as plain data, and bowls in bowls."""

from __future__ import annotations

import numpy as np
import pytest

from aim_jax.sim.home import HOME
from aim_jax.sim.objects import tableware
from aim_jax.sim.objects.blueprint import Part
from aim_jax.sim.objects.forms import slabs
from aim_jax.sim.objects.things import KINDS, draw_thing
from aim_jax.sim.pose import Pose
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.world import World


def _corners(part: Part) -> np.ndarray:
    """The corners of a box, or the vertices of a mesh, in the body's frame [n, 3]."""
    if part.mesh is not None:
        return part.pose.apply(part.mesh.vertices)
    signs = np.array(np.meshgrid(*[(-1.0, 1.0)] * 3)).reshape(3, -1).T
    return part.pose.apply(signs * part.size)


def test_slabs_lie_behind_their_profile() -> None:
    walls = slabs(((0.02, 0.0), (0.03, 0.02), (0.03, 0.03)), 0.004, 16)
    assert len(walls) == 32
    for part in walls[16:]:  # the upright band
        corners = _corners(part)
        radii = np.hypot(corners[:, 0], corners[:, 1])
        assert radii.max() == pytest.approx(0.03 / np.cos(np.pi / 16))
        assert radii.min() >= 0.026
        np.testing.assert_allclose([corners[:, 2].min(), corners[:, 2].max()], [0.02, 0.03])
    face = walls[0].pose @ Pose((0.002, 0.0, 0.0))
    np.testing.assert_allclose(face.position, (0.025, 0.0, 0.01), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_every_small_thing_stands_at_its_origin_and_says_where_to_hold_it(kind: str) -> None:
    blueprint, name = draw_thing(np.random.default_rng(0), [kind])
    assert blueprint.name == kind
    assert name
    lowest = [_corners(part)[:, 2].min() for part in blueprint.parts if part.collides and part.kind in ("box", "mesh")]
    assert 0.0 <= min(lowest) + 1e-6 < 0.003
    assert 0.01 < blueprint.points["grip"].p[2] < 0.06


@pytest.mark.sim
def test_a_bowl_let_go_askew_comes_to_rest_level_in_another() -> None:
    world = World(HOME, rendered=False)
    low, high = (
        world.add(tableware.bowl(name, style), Pose((x, -0.1, TABLE_TOP + z)))
        for name, style, x, z in zip("ab", tableware.BOWLS, (0.0, 0.004), (0.0, tableware.NEST + 0.008), strict=False)
    )
    for _ in range(150):
        world.scene.step()
    assert max(low.speed, high.speed) < 1e-3
    assert high.pose.p[2] - low.pose.p[2] == pytest.approx(tableware.NEST, abs=5e-4)
    assert high.pose.rotation[2, 2] > 0.9999
