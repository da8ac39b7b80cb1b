"""Stochastic steps of the flow as normal distributions: where they lead, log-probabilities, divergences."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp

from aim_jax.array_typing import Array, Float
from aim_jax.core.flow import euler_step


class Transition(NamedTuple):
    """Normal distribution of the next sample: mean in the sample's shape, standard deviation broadcastable to it."""

    mean: Array
    std: Array


def sde_transition(
    x: Float[Array, "*s"],
    velocity: Float[Array, "*s"],
    sigma: Float[Array, "*#s"],
    sigma_next: Float[Array, "*#s"],
    noise: float,
) -> Transition:
    """Distribution of the next sample of the SDE, which has the marginals of the ODE (Flow-GRPO; RLinf Flow-SDE).

    mean = x - d (v + g² / (2 sigma) (x + (1 - sigma) v)), std = g sqrt(d), with d = sigma - sigma_next and
    g = noise * sqrt(sigma / (1 - sigma)); where sigma is 1 the denominator takes the next sigma
    (Flow-GRPO, sd3_sde_with_logprob.py).

    Args:
        x: sample at `sigma`.
        velocity: predicted there.
        sigma: noise level in (0, 1].
        sigma_next: the next, lower level.
        noise: a, the strength of exploration.
    """
    d = sigma - sigma_next
    g2 = noise**2 * sigma / (1 - jnp.where(sigma >= 1.0, sigma_next, sigma))
    mean = x - d * (velocity + g2 / (2 * sigma) * (x + (1 - sigma) * velocity))
    return Transition(mean, jnp.sqrt(g2 * d))


def noisy_euler_transition(
    x: Float[Array, "*s"],
    velocity: Float[Array, "*s"],
    sigma: Float[Array, "*#s"],
    sigma_next: Float[Array, "*#s"],
    std: Float[Array, "*#s"],
) -> Transition:
    """Distribution of an Euler step with noise of a given spread (ReinFlow, arXiv 2505.22094; pi_RL's Flow-Noise)."""
    return Transition(euler_step(x, velocity, sigma, sigma_next), std)


def log_prob(sample: Float[Array, "b *s"], transition: Transition) -> Float[Array, " b"]:
    """Mean over all but the first dimension of the Gaussian log-density of `sample`, in float32.

    The mean instead of the sum keeps ratios near 1 whatever the width of an action chunk (Flow-GRPO, RLinf).
    """
    mean, std = (part.astype(jnp.float32) for part in transition)
    z = (sample.astype(jnp.float32) - mean) / std
    density = -0.5 * jnp.square(z) - jnp.log(std) - 0.5 * jnp.log(2 * jnp.pi)
    return density.reshape(sample.shape[0], -1).mean(axis=1)


def divergence(transition: Transition, reference: Transition) -> Float[Array, " b"]:
    """KL divergence of `transition` from `reference`, in float32, averaged like `log_prob`."""
    (mean, std), (away, spread) = ([part.astype(jnp.float32) for part in one] for one in (transition, reference))
    kl = jnp.log(spread / std) + (jnp.square(std) + jnp.square(mean - away)) / (2 * jnp.square(spread)) - 0.5
    return kl.reshape(mean.shape[0], -1).mean(axis=1)
