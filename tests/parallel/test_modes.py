"""One step function in every mode and on every mesh of eight devices: equal losses and parameters after ten steps."""

from __future__ import annotations

import functools

import jax
import numpy as np
import pytest

from aim_jax.errors import AimError
from aim_jax.parallel.config import MeshConfig, ParallelConfig
from tests.training.small import experiment, mesh, mode_of, run

STEPS = 10
PMAP = ParallelConfig(mode="pmap")


@functools.cache
def alone():
    """Losses and parameters of one device."""
    losses, state, _ = run(experiment(), mode_of(experiment(), ParallelConfig(), 1), STEPS)
    return losses, [np.asarray(x) for x in jax.tree.leaves(state.params)]


def assert_equal_to_one_device(losses, state):
    wanted_losses, wanted = alone()
    np.testing.assert_allclose(losses, wanted_losses, rtol=1e-5)
    for got, want in zip(jax.tree.leaves(state.params), wanted, strict=True):
        np.testing.assert_allclose(np.asarray(got), want, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "sizes",
    [
        {"fsdp": 2, "tensor": 2, "context": 2},
    ],
    ids=lambda sizes: "-".join(f"{k}{v}" for k, v in sizes.items()),
)
def test_every_mesh_equals_one_device(sizes):
    losses, state, _ = run(experiment(), mode_of(experiment(), mesh(**sizes)), STEPS)
    assert_equal_to_one_device(losses, state)


def test_replicas_equal_one_device():
    losses, state, _ = run(experiment(), mode_of(experiment(), PMAP), STEPS)
    assert_equal_to_one_device(losses, state)


def test_replicas_that_do_not_fit_are_refused_with_numbers_and_the_alternative():
    config = experiment()
    mode = mode_of(config, ParallelConfig(mode="pmap", hbm_gib=1e-3))
    from aim_jax.training.program import stage1_program

    with pytest.raises(AimError, match=r"at most 0\.00 GiB.*GiB of parameters.*pjit and parallel\.mesh\.fsdp"):
        stage1_program(config, mode)


def test_replicas_know_no_other_axis():
    with pytest.raises(AimError, match=r"replicas only.*parallel\.mode pjit"):
        mode_of(experiment(), ParallelConfig(mode="pmap", mesh=MeshConfig(tensor=2)))
