"""Flow matching: the ODE carries noise to data when the velocity is right; schedules and weights."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aim_jax.core.flow import add_noise, euler_step, loss_weight, shift_sigma, sigma_schedule, velocity_target
from aim_jax.core.transition import Transition, divergence, log_prob, sde_transition


def test_euler_with_the_true_velocity_ends_at_the_data():
    x, noise = jax.random.normal(jax.random.key(0), (2, 5))
    sample = add_noise(x, noise, jnp.ones(()))
    sigmas = sigma_schedule(7, shift=5.0)
    for sigma, following in itertools.pairwise(sigmas):
        sample = euler_step(sample, velocity_target(x, noise), sigma, following)
    np.testing.assert_allclose(sample, x, atol=1e-6)


@pytest.mark.parametrize(("steps", "shift", "stop"), [(5, 5.0, 0.0), (10, 1.0, 0.4)])
def test_schedule_descends_from_one_to_stop(steps, shift, stop):
    sigmas = sigma_schedule(steps, shift, stop)
    assert len(sigmas) == steps + 1
    assert sigmas[0] == 1.0
    assert sigmas[-1] == stop
    assert (np.diff(sigmas) < 0).all()


def test_shift_keeps_the_ends_and_raises_the_middle():
    assert shift_sigma(0.0, 5.0) == 0.0
    assert shift_sigma(1.0, 5.0) == 1.0
    assert shift_sigma(0.5, 5.0) == pytest.approx(5 / 6)


@pytest.mark.parametrize("shift", [1.0, 5.0])
def test_loss_weight_has_mean_one_over_what_is_drawn_and_vanishes_at_the_ends(shift):
    sigma = shift_sigma(np.arange(1001) / 1000, shift)
    weight = np.asarray(loss_weight(sigma, shift))
    assert weight[1:].mean() == pytest.approx(1.0, abs=1e-5)
    assert weight[[0, -1]] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert sigma[weight.argmax()] == pytest.approx(0.5, abs=2e-3)


def test_loss_weight_is_that_of_the_reference():
    """LingBot-VA's scheduler.py in NumPy: its timesteps are shifted before they are weighed."""
    timesteps = 1000 * shift_sigma(np.linspace(1.0, 0.0, 1001)[:-1], 5.0)
    bell = np.exp(-2 * ((timesteps - 500) / 1000) ** 2)
    above = bell - bell.min()
    np.testing.assert_allclose(loss_weight(timesteps / 1000, 5.0), above * (1000 / above.sum()), atol=1e-5)


def test_sde_has_the_marginals_of_the_ode():
    """For Gaussian data the exact velocity is known; SDE samples must follow the noise level's distribution."""
    data_std, count = 0.5, 200_000
    sigmas = sigma_schedule(60, 1.0)
    key = jax.random.key(0)
    x = jax.random.normal(key, (count,))
    for i, (s, t) in enumerate(itertools.pairwise(sigmas[:-1])):
        variance = (1 - s) ** 2 * data_std**2 + s**2
        velocity = (s - (1 - s) * data_std**2) / variance * x  # E[noise - data | x]
        step = sde_transition(x, velocity, jnp.asarray(s), jnp.asarray(t), noise=0.5)
        x = step.mean + step.std * jax.random.normal(jax.random.fold_in(key, i), x.shape)
    t = sigmas[-2]
    assert float(x.std()) == pytest.approx(np.sqrt((1 - t) ** 2 * data_std**2 + t**2), rel=0.03)


def test_log_prob_is_the_mean_gaussian_density():
    from scipy.stats import norm

    sample = np.array([[0.3, -1.0], [2.0, 0.0]], np.float32)
    mean, std = np.array([[0.0, -0.5], [1.0, 0.5]], np.float32), np.array([[0.5], [2.0]], np.float32)
    got = log_prob(jnp.asarray(sample), Transition(jnp.asarray(mean), jnp.asarray(std)))
    np.testing.assert_allclose(got, norm.logpdf(sample, mean, std).mean(axis=1), rtol=1e-5)


def test_divergence_is_that_of_normal_distributions():
    """Against an integral of p log(p / q) over a fine grid."""
    here, there = (
        Transition(jnp.array([[0.3]]), jnp.array([[0.5]])),
        Transition(jnp.array([[-0.2]]), jnp.array([[0.8]])),
    )
    x = np.linspace(-8, 8, 20001)

    def density(mean, std):
        return np.exp(-0.5 * ((x - mean) / std) ** 2) / (std * np.sqrt(2 * np.pi))

    p, q = density(0.3, 0.5), density(-0.2, 0.8)
    wanted = np.sum(np.where(p > 1e-200, p * np.log(np.maximum(p, 1e-300) / q), 0.0)) * (x[1] - x[0])
    np.testing.assert_allclose(divergence(here, there), [wanted], rtol=1e-4)
    np.testing.assert_allclose(divergence(here, here), [0.0], atol=1e-6)
