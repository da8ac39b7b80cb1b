"""Frames padded to whole tiles change nothing: the whole window under splash equals the dense mask, gradients too."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from aim_jax.core import splash_plan
from aim_jax.core.splash import attend_splash
from aim_jax.models import attention
from aim_jax.models.aim.framing import padded_frames
from aim_jax.models.aim.sequence import predict
from tests.models import tiny_aim


@pytest.fixture
def interpreted(monkeypatch):
    """Splash on the host, and frames of 3 of 4 tokens padded although that is less than a tile."""
    monkeypatch.setattr(attention, "attend_splash", functools.partial(attend_splash, interpret=True))
    monkeypatch.setattr(splash_plan, "FULL_ENOUGH", 0.0)


def test_a_window_under_splash_equals_the_dense_mask(interpreted):
    config = tiny_aim.config()
    model, window = tiny_aim.model(config), tiny_aim.window(config, chunks=2)
    noise = tiny_aim.noise(window, config, draws=2)
    graph, params = nnx.split(model)

    def loss(params, choice):
        aim = nnx.merge(graph, params)
        aim.config = dataclasses.replace(config, attention=choice)
        velocities = predict(aim, window, noise)
        return sum((leaf**2).sum() for leaf in velocities), velocities

    results = {c: jax.value_and_grad(loss, has_aux=True)(params, c) for c in ("reference", "splash")}
    (_, dense), dense_grads = results["reference"]
    (_, framed), framed_grads = results["splash"]
    for a, b in zip(dense, framed, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    for a, b in zip(jax.tree.leaves(dense_grads), jax.tree.leaves(framed_grads), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4 * max(1.0, float(np.abs(a).max())))


def test_frames_are_padded_once_with_their_rotations(interpreted):
    config = tiny_aim.config()
    model, window = tiny_aim.model(config), tiny_aim.window(config, chunks=2)
    stream = model.value_stream(window.value, jnp.zeros(window.value.shape[:2]), np.arange(1, 5))
    padded = padded_frames(stream)
    tokens = config.tokens["value"]
    assert padded.tokens.shape[1:3] == (4, 128)
    np.testing.assert_array_equal(padded.tokens[:, :, :tokens], stream.tokens)
    for wide, table in zip(padded.rope, stream.rope, strict=True):
        np.testing.assert_array_equal(np.reshape(wide, (4, 128, -1))[:, :tokens].reshape(table.shape), table)


def test_frames_that_would_be_mostly_padding_stay_as_they_are():
    assert splash_plan.framed(120) == splash_plan.framed(121) == 128
    assert splash_plan.framed(16) == 16
