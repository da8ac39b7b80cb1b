"""Action passes over whole recorded episodes against the frozen world (Stage II).

The towers' keys and values are computed once per round; each update then costs one pass of the narrow action head.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from aim_jax.array_typing import Array, Bool, Float, NDArray
from aim_jax.core.attention import attend_grouped
from aim_jax.core.blocks import Block, Kind, Layout
from aim_jax.core.flow import TRAIN_TIMESTEPS
from aim_jax.core.mask import dense_mask, mask_groups
from aim_jax.models.aim.action import Prediction
from aim_jax.models.aim.blocks import KeyValue, run
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.model import AIM
from aim_jax.models.attention import full_attention, window_attention


class Recording(NamedTuple):
    """Episodes of C chunks as the policy lived them, normalised.

    Attributes:
        rgb: observed RGB latents [b, 1 + (C - 1) K, h, w, c].
        future: imagined RGB latents [b, C K, h, w, c].
        value: imagined value-map latents, as the actions read them [b, C K, h, w, c].
        actions: executed actions [b, C K, a, d]; with `start_actions` one frame more, those that led to the first.
        text: text embeddings [b, t, e].
    """

    rgb: Array
    future: Array
    value: Array
    actions: Array
    text: Array


def frozen_context(model: AIM, recording: Recording, null: Float[Array, "h w c"], stop_sigma: float) -> KeyValue:
    """Keys and values of observations and maps, [layers, b, l, heads, head_dim]: what actions condition on.

    Args:
        model: parameters as they were during the rollout.
        recording: the episodes.
        null: latent of the black map.
        stop_sigma: noise level at which the maps were read.
    """
    config = model.config
    batch, frames = recording.value.shape[:2]
    layout = world_layout(config, frames // config.latents_per_chunk)
    inputs = {
        Kind.OBS: (recording.rgb, 0.0),
        Kind.RGB: (recording.future, stop_sigma),
        Kind.NULL: (jnp.broadcast_to(null, (batch, len(layout.frames(Kind.NULL)), *null.shape)), 0.0),
        Kind.VALUE: (recording.value, stop_sigma),
        Kind.CLEAN_VALUE: (recording.value, stop_sigma),
        Kind.PAST_ACTION: (recording.actions[:, : len(layout.frames(Kind.PAST_ACTION))], 0.0),
    }
    entrances = {"rgb": model.rgb_stream, "value": model.value_stream, "action": model.action_stream}
    streams = {}
    for name, entrance in entrances.items():
        kinds = list(dict.fromkeys(block.kind for block in layout.stream(name)))
        if not kinds:
            continue
        values = jnp.concatenate([inputs[kind][0] for kind in kinds], axis=1)
        sigma = np.concatenate([np.full(len(layout.frames(kind)), inputs[kind][1]) for kind in kinds])
        timestep = jnp.broadcast_to(jnp.asarray(sigma * TRAIN_TIMESTEPS), (batch, len(sigma)))
        streams[name] = entrance(values, timestep, np.array([block.frame for block in layout.stream(name)]))
    attention = window_attention(config.attention, layout, config.visibility)
    out = run(
        model,
        streams,
        attention=lambda q, k, v, _: attention(q, k, v),
        text_attention=full_attention(config.attention),
        text=recording.text,
        collect=True,
    )
    assert out.kv is not None
    keep = layout.where([Kind.OBS, _map_kind(config)])
    return out.kv[0][:, :, keep], out.kv[1][:, :, keep]


def action_predictions(
    model: AIM,
    context: KeyValue,
    executed: Float[Array, "b f_done a d"],
    noisy: Float[Array, "b f a d"],
    sigma: Float[Array, "b c"],
) -> Prediction:
    """Velocities and features of one noisy sample per chunk, for all chunks of an episode at once.

    Args:
        model: parameters; only the action head's are used, and gradients reach only them.
        context: see `frozen_context`.
        executed: the executed actions, as in `Recording`.
        noisy: the samples.
        sigma: noise level of each chunk's sample.
    """
    config = model.config
    k = config.latents_per_chunk
    frames = noisy.shape[1]
    past = np.arange(config.first_action_frame, frames - k + 1)
    # An action sees a few hundred of the episode's thousands of tokens: without groups their scores would fill a chip.
    groups = mask_groups(action_mask(config, frames // k))
    timestep = jnp.concatenate([jnp.repeat(sigma, k, axis=1), jnp.zeros((sigma.shape[0], len(past)))], axis=1)
    numbers = np.concatenate([np.arange(1, frames + 1), past])
    actions = jnp.concatenate([noisy, executed[:, : len(past)]], axis=1)
    stream = model.action_stream(actions, timestep * TRAIN_TIMESTEPS, numbers)

    def attention(q: Array, keys: Array, values: Array, memory: KeyValue) -> Array:
        k, v = (jnp.concatenate(pair, axis=1) for pair in zip(memory, (keys, values), strict=True))
        return attend_grouped(q, k, v, groups)

    out = run(model, {"action": stream}, attention=attention, memory=context, remat=True).tokens["action"]
    return model.action.predict(out[:, :frames], stream.embedding[:, :frames])


def _map_kind(config: AIMConfig) -> Kind:
    """As which kind a finished map stands in the sequence: with its RGB beside it, or alone."""
    return Kind.VALUE if config.visibility.clean_value_reads == "future" else Kind.CLEAN_VALUE


def world_layout(config: AIMConfig, chunks: int) -> Layout:
    """Blocks of the pass that computes what actions condition on."""
    k = config.latents_per_chunk
    future = range(1, chunks * k + 1)
    seen = range((chunks - 1) * k + 1)
    kind = _map_kind(config)
    blocks = [Block(Kind.OBS, f) for f in seen]
    if kind is Kind.VALUE:
        blocks += [Block(Kind.RGB, f) for f in future]
    if config.visibility.value_null_frame:
        blocks += [Block(Kind.NULL, c * k) for c in range(chunks)]
    blocks += [Block(kind, f) for f in future]
    blocks += [Block(Kind.PAST_ACTION, f) for f in seen[config.first_action_frame :]]
    return Layout.of(blocks, config.tokens, config.clock)


def action_mask(config: AIMConfig, chunks: int) -> Bool[NDArray, "q k"]:
    """Which of the frozen context and the actions themselves each action token sees."""
    k = config.latents_per_chunk
    future = range(1, chunks * k + 1)
    seen = range((chunks - 1) * k + 1)
    kind = _map_kind(config)
    blocks = [Block(Kind.OBS, f) for f in seen] + [Block(kind, f) for f in future]
    blocks += [Block(Kind.ACTION, f) for f in future]
    blocks += [Block(Kind.PAST_ACTION, f) for f in seen[config.first_action_frame :]]
    layout = Layout.of(blocks, config.tokens, config.clock)
    reads = "noisy" if kind is Kind.VALUE else "clean"
    mask = dense_mask(layout, dataclasses.replace(config.visibility, action_reads=reads))
    return mask[layout.where([Kind.ACTION, Kind.PAST_ACTION])]
