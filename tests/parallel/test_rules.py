"""Rules from logical to mesh axes: every parameter of the full model, and every refusal."""

from __future__ import annotations

import math

import jax
import pytest
from jax.sharding import PartitionSpec as P

from aim_jax.config_io import load_config
from aim_jax.errors import AimError
from aim_jax.models.aim.model import abstract_parameters
from aim_jax.parallel.config import MeshConfig
from aim_jax.parallel.mesh import AXES, check_fit, make_mesh, mesh_sizes
from aim_jax.parallel.rules import ShardingRules, decide
from aim_jax.parallel.shardings import report, shardings
from aim_jax.training.config import TrainConfig
from aim_jax.training.step import initial_state

SIZES = {"data": 1, "fsdp": 4, "tensor": 2, "context": 1}
RULES = ShardingRules()


@pytest.fixture(scope="module")
def full():
    return abstract_parameters(load_config("configs/wan22_5b.py").model)


def test_kernels_are_cut_twice_and_layers_never():
    kernel = decide((30, 3072, 3072), ("layers", "embed", "heads"), SIZES, RULES, parameter=True)
    assert kernel.spec == P(None, "fsdp", "tensor")
    assert not kernel.notes
    assert kernel.parts(SIZES) == 8


def test_what_does_not_divide_is_left_out_and_said():
    decision = decide((2, 121), ("batch", "tokens"), SIZES | {"context": 2}, RULES)
    assert decision.spec == P(None, None)
    assert any("do not divide 121" in note for note in decision.notes)
    assert any("do not divide 2" in note for note in decision.notes)


def test_an_axis_is_used_once():
    decision = decide((512, 512), ("embed", "embed"), SIZES, RULES, parameter=True)
    assert decision.spec == P("fsdp", None)
    assert "taken by another dimension" in decision.notes[0]


def test_small_parameters_stay_whole_and_large_ones_spill():
    assert decide((30, 6, 3072), ("layers", None, "embed"), SIZES, RULES, parameter=True).spec == P()
    spilled = decide((4096, 3072), (None, "mlp"), SIZES, RULES, parameter=True)
    assert spilled.spec == P("fsdp", "tensor")
    assert "no rule places it" in spilled.notes[0]


@pytest.mark.parametrize(
    "mesh", [{"fsdp": 64}, {"fsdp": 256}, {"data": 4, "fsdp": 64}, {"fsdp": 16, "tensor": 4}, {"fsdp": 8, "context": 2}]
)
def test_the_full_model_is_shared_almost_evenly(full, mesh):
    sizes = {axis: mesh.get(axis, 1) for axis in AXES}
    rows = report(full, sizes, RULES)
    parts = math.prod(size for axis, size in sizes.items() if axis != "data")
    total = sum(row.bytes_total for row in rows)
    assert total == 4 * sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(full))
    assert sum(row.bytes_device for row in rows) < 1.05 * total / parts + 64 * 2**20


def test_optimiser_and_average_follow_their_parameters(full):
    mesh = make_mesh(MeshConfig(data=1, fsdp=4, tensor=2))
    state = jax.eval_shape(lambda params: initial_state(params, TrainConfig(ema=0.9)), full)
    placed = shardings(state, mesh, RULES)
    wanted = [leaf.spec for leaf in jax.tree.leaves(shardings(full, mesh, RULES))]
    assert any(spec != P() for spec in wanted)
    assert [leaf.spec for leaf in jax.tree.leaves(placed.ema)] == wanted
    moments = [leaf.spec for leaf in jax.tree.leaves(placed.opt_state) if leaf.spec != P()]
    assert moments == 2 * [spec for spec in wanted if spec != P()]


def test_free_axis_takes_what_is_left():
    assert mesh_sizes(MeshConfig(tensor=2), 8) == {"data": 4, "fsdp": 1, "tensor": 2, "context": 1}
    assert mesh_sizes(MeshConfig(data=1, fsdp=0), 8)["fsdp"] == 8


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (MeshConfig(tensor=3), r"divides the 8 devices.*tensor 3.*= 3.*1, 2, 4, 8"),
        (MeshConfig(data=1, fsdp=4), r"equals the 8 devices.*= 4"),
        (MeshConfig(data=0, fsdp=0), "not well formed"),
        (MeshConfig(data=-1), "not well formed"),
    ],
)
def test_a_mesh_that_does_not_fit_is_refused_with_numbers(config, message):
    with pytest.raises(AimError, match=message):
        mesh_sizes(config, 8)


def test_heads_and_batch_must_divide():
    sizes = {"data": 2, "fsdp": 2, "tensor": 5, "context": 1}
    with pytest.raises(AimError, match=r"heads: 1, 2, 3, 4, 6, 8, 12, 24\. Got: tensor 5"):
        check_fit(sizes, heads=24, batch=8)
    with pytest.raises(AimError, match=r"data 2 × fsdp 2 × microbatches 3.*Got: batch 20\..*train\.batch to 24"):
        check_fit(sizes | {"tensor": 4}, heads=24, batch=20, microbatches=3)


def test_unknown_logical_axes_are_a_defect():
    with pytest.raises(ValueError, match="no sharding rule"):
        decide((4,), ("embedd",), SIZES, RULES)
