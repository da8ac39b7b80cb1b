"""Everything random in a training step, drawn for the whole batch at once: no result depends on how it is divided."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from aim_jax.array_typing import Array, Bool, Key
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.sequence import Noise, Window
from aim_jax.training.config import TrainConfig
from aim_jax.training.inputs import Batch
from aim_jax.training.noise import draw_noise


class Draws(NamedTuple):
    """Everything random in a step, for some rows of the batch.

    Attributes:
        dropped: rows that see the empty text [b, 1, 1].
        noise: see `Noise`.
    """

    dropped: Bool[Array, "b 1 1"]
    noise: Noise


def make_draws(key: Key[Array, ""], batch: Batch, size: int, config: TrainConfig, model: AIMConfig) -> Draws:
    """All that is random in a step on a whole batch of `size` rows shaped like those of `batch`."""
    text_key, noise_key = jax.random.split(key)
    frames = batch.value.shape[1]
    video = batch.rgb.shape[2:]
    shapes = Window(
        rgb=_shape(size, 1 + frames, *video),
        value=_shape(size, frames, *video),
        null=_shape(*video),
        actions=_shape(size, frames, model.actions_per_latent, model.action_dim),
        text=_shape(size, *batch.text.shape[1:]),
    )
    dropped = jax.random.bernoulli(text_key, config.text_dropout, (size, 1, 1))
    return Draws(dropped, draw_noise(noise_key, shapes, config.noise, model.latents_per_chunk))


def _shape(*sizes: int) -> Any:
    return jax.ShapeDtypeStruct(sizes, jnp.float32)
