"""How widely to explore: a small network beside the action head, for Stage II with learned noise."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from einops import rearrange
from flax import nnx

from aim_jax.array_typing import Array, Float, Float32
from aim_jax.models.dit import in_float32
from aim_jax.models.layers import Dense, zeros

_HIDDEN = (128, 64)


class NoiseHead(nnx.Module):
    """Standard deviation of each number of an action, read off the action head's features.

    Three linear maps with tanh between them; a last tanh leads between the bounds, evenly in the logarithm, from their
    middle at the beginning (RLinf explore_noise_net.py; ReinFlow, arXiv 2505.22094). Policies that act without
    exploring do not have it.

    Args:
        width: of the features.
        actions: that a token stands for.
        dim: numbers of an action.
        bounds: smallest and largest standard deviation, in normalised actions.
        rngs: source of the initial values.
    """

    def __init__(self, width: int, actions: int, dim: int, bounds: tuple[float, float], rngs: nnx.Rngs):
        self.first = Dense(width, _HIDDEN[0], axes=("embed", None), rngs=rngs)
        self.second = Dense(*_HIDDEN, axes=(None, None), rngs=rngs)
        self.out = Dense(_HIDDEN[1], actions * dim, axes=(None, None), rngs=rngs, init=zeros)
        self.bounds, self.actions = bounds, actions

    def __call__(self, features: Float[Array, "*b f n d"]) -> Float32[Array, "*b f a dim"]:
        """Standard deviations for `Prediction.features`."""
        low, high = np.log(self.bounds)
        with in_float32():
            x = jnp.tanh(self.second(jnp.tanh(self.first(features.astype(jnp.float32)))))
            std = jnp.exp(low + (high - low) * (jnp.tanh(self.out(x)) + 1) / 2)
        return rearrange(std, "... n (k a) -> ... (n k) a", k=self.actions)
