"""The action head reading the model's own maps in training: which chunks, which estimate, and no gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from aim_jax.core.flow import add_noise
from aim_jax.models.aim.sequence import own_maps, predict
from tests.models import tiny_aim


@pytest.fixture(scope="module")
def case():
    config = tiny_aim.config()
    model, window = tiny_aim.model(config), tiny_aim.window(config)
    return model, window, tiny_aim.noise(window, config, sigma=0.7)


def test_the_true_map_is_read_where_the_own_one_is_not_asked_for(case):
    model, window, noise = case
    np.testing.assert_array_equal(own_maps(model, window, noise).finished, window.value)


def test_the_estimate_is_one_step_of_the_training_pass(case):
    model, window, noise = case
    own = jnp.zeros_like(noise.own_map).at[:, 1].set(1)
    finished = own_maps(model, window, noise._replace(own_map=own)).finished
    velocity = predict(model, window, noise).value
    estimate = add_noise(window.value, noise.value, jnp.full((1, 1, 1, 1, 1), 0.7)) - 0.7 * velocity
    k = model.config.latents_per_chunk
    np.testing.assert_array_equal(finished[:, :k], window.value[:, :k])
    np.testing.assert_allclose(finished[:, k : 2 * k], estimate[:, k : 2 * k], atol=1e-5)
    np.testing.assert_array_equal(finished[:, 2 * k :], window.value[:, 2 * k :])


def test_only_the_actions_depend_on_it_and_no_gradient_goes_through_the_estimate(case):
    model, window, noise = case
    asked = noise._replace(own_map=jnp.ones_like(noise.own_map))
    true, own = predict(model, window, noise), predict(model, own_maps(model, window, asked), noise)
    np.testing.assert_array_equal(true.rgb, own.rgb)
    np.testing.assert_array_equal(true.value, own.value)
    assert np.abs(true.action - own.action).max() > 1e-3

    def total(value_noise):
        given = asked._replace(value=value_noise)
        return own_maps(model, window, given).finished.sum()

    assert np.abs(jax.grad(total)(noise.value)).max() == 0
    graph, params = nnx.split(model)
    grads = jax.grad(lambda p: own_maps(nnx.merge(graph, p), window, asked).finished.sum())(params)
    assert max(float(np.abs(leaf).max()) for leaf in jax.tree.leaves(grads)) == 0
