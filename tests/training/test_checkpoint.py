"""Checkpoints: whole, restorable by another process's manager, refused for another model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from aim_jax.errors import AimError
from aim_jax.training.checkpoint import Checkpoints, pack, read_bundle, read_params, tree_hash
from aim_jax.training.config import TrainConfig
from aim_jax.training.step import initial_state
from tests.models.tiny_aim import config, model


@pytest.fixture
def saved(tmp_path):
    params = nnx.state(model(config()), nnx.Param)
    state = initial_state(params, TrainConfig(ema=0.9))._replace(step=jnp.asarray(7))
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(7, params=state.ema, state=state, iterator={"next": 3}, bundle={"a": [1, 2]})
    checkpoints.close()
    return tmp_path, state


def test_everything_comes_back(saved):
    folder, state = saved
    checkpoints = Checkpoints(folder)
    assert checkpoints.latest() == 7
    blank = jax.tree.map(jnp.zeros_like, state)
    restored, iterator = checkpoints.restore(7, state=blank)
    assert iterator == {"next": 3}
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    for a, b in zip(jax.tree.leaves(restored), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(a, b)
    assert read_bundle(folder) == {"a": [1, 2]}
    assert tree_hash(read_params(folder, state.params)) == tree_hash(state.ema)


def test_another_model_is_refused(saved):
    folder, _ = saved
    other = nnx.state(model(config(canvas_embedding=True)), nnx.Param)
    with pytest.raises(AimError, match=r"another configuration.*canvas_embedding"):
        read_params(folder, other)


def test_no_checkpoint(tmp_path):
    with pytest.raises(AimError, match="no checkpoint"):
        read_bundle(tmp_path)
    with pytest.raises(AimError, match="no checkpoint folder"):
        read_bundle(tmp_path / "missing")


def test_hash_sees_single_bits():
    tree = {"a": np.zeros(3, np.float32), "b": {"c": np.ones(2, np.float32)}}
    other = {"a": np.array([0, 0, -0.0], np.float32), "b": tree["b"]}
    assert tree_hash(tree) == tree_hash({"b": tree["b"], "a": tree["a"]})
    assert tree_hash(tree) != tree_hash(other)


def test_a_packed_checkpoint_holds_what_acting_needs_and_no_more(saved, tmp_path):
    folder, state = saved
    out = tmp_path / "packed"
    assert pack(folder, out) == 7
    assert tree_hash(read_params(out, state.params)) == tree_hash(state.ema)
    assert read_bundle(out) == {"a": [1, 2]}
    assert not (out / "7" / "state").exists()
    with pytest.raises(AimError, match="not empty"):
        pack(folder, out)
