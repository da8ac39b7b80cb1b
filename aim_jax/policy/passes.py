"""The compiled passes of a chunk-wise rollout: remember, imagine, act.

Two-phase denoising (AIM Eq 1): the world first, then the actions against the finished map. Future RGB keys never
reach the action head; it is handed the map's keys and values alone.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from aim_jax.array_typing import Array, Float
from aim_jax.core.blocks import Kind
from aim_jax.core.flow import TRAIN_TIMESTEPS, euler_step
from aim_jax.models.aim.action import Prediction
from aim_jax.models.aim.blocks import KeyValue, Streams, run
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.model import AIM
from aim_jax.policy.memory import (
    Memory,
    Tokens,
    attention_over,
    chunk_shift,
    current,
    flat,
    frame_range,
    write,
    write_frames,
)


class World(NamedTuple):
    """An imagined chunk.

    Attributes:
        rgb: RGB latents [b, K, h, w, c].
        value: value-map latents [b, K, h, w, c].
        map_kv: keys and values of the finished map, [layers, b, K * n, heads, head_dim]: all that actions see of it.
    """

    rgb: Array
    value: Array
    map_kv: KeyValue


class Guide(NamedTuple):
    """Classifier-free guidance of the world: what the model knows under the empty instruction.

    Attributes:
        memory: the same history, computed with the empty text.
        text_kv: keys and values of the empty text.
        scale: g of v_empty + g (v_text - v_empty).
    """

    memory: Memory
    text_kv: KeyValue
    scale: float


class WorldBranch(NamedTuple):
    """What the passes over a chunk's future share.

    Attributes:
        frames: latent frames of the chunk [b, K].
        counted: the same, counted so that the current frame ends a chunk.
        known: the remembered tokens.
        kv: their keys and values.
        text_kv: keys and values of the text.
    """

    frames: Array
    counted: Array
    known: list[Tokens]
    kv: list[KeyValue]
    text_kv: KeyValue


def remember(
    model: AIM,
    memory: Memory,
    text_kv: KeyValue,
    rgb: Float[Array, "b f h w c"],
    actions: Float[Array, "b f a d"] | None,
) -> Memory:
    """Appends real observations and the executed actions that led to them.

    Args:
        model: parameters.
        memory: what is known so far.
        text_kv: see `models.aim.blocks.text_keys`.
        rgb: normalised latents: one frame at the start of an episode, K frames afterwards.
        actions: normalised executed actions; None for the first frame, unless the model has `start_actions`.
    """
    config = model.config
    frames = frame_range(memory.newest + 1, rgb.shape[1])
    counted = frames + chunk_shift(config, memory)[:, None]
    zero = jnp.zeros(frames.shape)
    streams: Streams = {"rgb": model.rgb_stream(rgb, zero, frames)}
    present = [Tokens(Kind.OBS, counted, config.tokens["rgb"])]
    if actions is not None:
        streams["action"] = model.action_stream(actions, zero, frames, counted)
        present.append(Tokens(Kind.PAST_ACTION, counted, config.tokens["action"]))
    attention = attention_over(config, _history(config, memory), present)
    kv = run(
        model,
        streams,
        attention=attention,
        text_kv=text_kv,
        memory=[flat(memory.obs), flat(memory.action)],
        collect=True,
    ).kv
    assert kv is not None
    split = frames.shape[1] * config.tokens["rgb"]
    obs = write(memory.obs, _slice(kv, 0, split), frames)
    action, action_frame = memory.action, memory.action_frame
    if actions is not None:
        action = write(action, _slice(kv, split, None), frames)
        action_frame = write_frames(action_frame, frames)
    return Memory(obs, action, write_frames(memory.obs_frame, frames), action_frame, frames[:, -1])


def imagine(
    model: AIM,
    memory: Memory,
    text_kv: KeyValue,
    null: Float[Array, "h w c"],
    noise: tuple[Float[Array, "b k h w c"], Float[Array, "b k h w c"]],
    sigmas: Float[Array, " n"],
    guide: Guide | None = None,
) -> World:
    """Denoises future RGB and value map together, and keeps the keys and values of the map.

    Args:
        model: parameters.
        memory: history up to the current frame.
        text_kv: see `models.aim.blocks.text_keys`.
        null: latent of the black map.
        noise: starting points of RGB and value map.
        sigmas: descending noise levels from 1; the last may lie above 0 and is the level at which the map is read.
        guide: classifier-free guidance; None for none.
    """
    branch = world_branch(model, memory, text_kv, null_keys(model, memory, text_kv, null))
    guided: tuple[WorldBranch, float] | None = None
    if guide is not None:
        null_kv = null_keys(model, guide.memory, guide.text_kv, null)
        guided = world_branch(model, guide.memory, guide.text_kv, null_kv), guide.scale

    def denoise(carry: tuple[Array, Array], levels: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        sigma, sigma_next = levels
        velocity = world_velocity(model, branch, carry, sigma)
        if guided is not None:
            empty, scale = guided
            base = world_velocity(model, empty, carry, sigma)
            velocity = jax.tree.map(lambda v, b: b + scale * (v - b), velocity, base)
        moved = [euler_step(x, v, sigma, sigma_next) for x, v in zip(carry, velocity, strict=True)]
        return (moved[0], moved[1]), None

    (x, m), _ = jax.lax.scan(denoise, noise, (sigmas[:-1], sigmas[1:]))
    return World(x, m, map_keys(model, branch, (x, m), sigmas[-1]))


def world_branch(model: AIM, memory: Memory, text_kv: KeyValue, null_kv: KeyValue | None) -> WorldBranch:
    """Gathers what every pass over the future of a chunk attends to; `null_kv` is what `null_keys` returned."""
    config = model.config
    frames = frame_range(memory.newest + 1, config.latents_per_chunk)
    known = _history(config, memory) + _null_tokens(config, memory)
    kv = [flat(memory.obs), flat(memory.action), *([null_kv] if null_kv is not None else [])]
    return WorldBranch(frames, frames + chunk_shift(config, memory)[:, None], known, kv, text_kv)


def world_velocity(
    model: AIM, branch: WorldBranch, noisy: tuple[Float[Array, "b k h w c"], Float[Array, "b k h w c"]], sigma: Array
) -> tuple[Float[Array, "b k h w c"], Float[Array, "b k h w c"]]:
    """Velocities of noisy RGB and value latents at one noise level: one world step."""
    config, (x, m) = model.config, noisy
    t = jnp.full(branch.frames.shape, sigma * TRAIN_TIMESTEPS)
    streams = {"rgb": model.rgb_stream(x, t, branch.frames), "value": model.value_stream(m, t, branch.frames)}
    joint = attention_over(config, branch.known, _future(config, branch))
    out = run(model, streams, attention=joint, text_kv=branch.text_kv, memory=branch.kv).tokens
    v_x = model.video_velocity(out["rgb"], streams["rgb"].embedding)
    return v_x, model.video_velocity(out["value"], streams["value"].embedding)


def map_keys(
    model: AIM, branch: WorldBranch, world: tuple[Float[Array, "b k h w c"], Float[Array, "b k h w c"]], sigma: Array
) -> KeyValue:
    """Keys and values of the finished map, read at noise level `sigma`: the value write."""
    config, (x, m) = model.config, world
    t = jnp.full(branch.frames.shape, sigma * TRAIN_TIMESTEPS)
    streams: Streams = {"value": model.value_stream(m, t, branch.frames)}
    if config.visibility.clean_value_reads == "future":
        streams = {"rgb": model.rgb_stream(x, t, branch.frames), **streams}
        attention = attention_over(config, branch.known, _future(config, branch))
    else:
        tokens = Tokens(Kind.CLEAN_VALUE, branch.counted, config.tokens["value"])
        attention = attention_over(config, branch.known, [tokens])
    kv = run(model, streams, attention=attention, text_kv=branch.text_kv, memory=branch.kv, collect=True).kv
    assert kv is not None
    return _slice(kv, -config.latents_per_chunk * config.tokens["value"], None)


def null_keys(model: AIM, memory: Memory, text_kv: KeyValue, null: Float[Array, "h w c"]) -> KeyValue | None:
    """Keys and values of the black map of the current frame, once per chunk; None where it is switched off."""
    config = model.config
    if not config.visibility.value_null_frame:
        return None
    now, frame = current(memory)
    batch = frame.shape[0]
    stream = model.value_stream(jnp.broadcast_to(null, (batch, 1, *null.shape)), jnp.zeros((batch, 1)), frame)
    counted = frame + chunk_shift(config, memory)[:, None]
    attention = attention_over(
        config,
        [Tokens(Kind.OBS, counted, config.tokens["rgb"])],
        [Tokens(Kind.NULL, counted, config.tokens["value"])],
    )
    return run(model, {"value": stream}, attention=attention, text_kv=text_kv, memory=[flat(now)], collect=True).kv


def predict_action(
    model: AIM,
    memory: Memory,
    map_kv: KeyValue,
    actions: Float[Array, "b k a d"],
    sigma: Float[Array, ""],
) -> Prediction:
    """What the head says of noisy actions given the current observation, past actions and the finished map."""
    config = model.config
    frames = frame_range(memory.newest + 1, config.latents_per_chunk)
    shift = chunk_shift(config, memory)[:, None]
    if config.visibility.action_past_obs:
        obs, obs_frames = memory.obs, memory.obs_frame
    else:
        obs, obs_frames = current(memory)
    # Both phases being done, the map is finished whichever of its kinds the rules let actions read.
    kind = Kind.CLEAN_VALUE if config.visibility.action_reads == "clean" else Kind.VALUE
    known = [
        Tokens(Kind.OBS, obs_frames + shift, config.tokens["rgb"]),
        Tokens(Kind.PAST_ACTION, memory.action_frame + shift, config.tokens["action"]),
        Tokens(kind, frames + shift, config.tokens["value"]),
    ]
    attention = attention_over(config, known, [Tokens(Kind.ACTION, frames + shift, config.tokens["action"])])
    t = jnp.full(frames.shape, sigma * TRAIN_TIMESTEPS)
    stream = model.action_stream(actions, t, frames, frames + shift)
    kv_memory = [flat(obs), flat(memory.action), map_kv]
    out = run(model, {"action": stream}, attention=attention, memory=kv_memory).tokens
    return model.action.predict(out["action"], stream.embedding)


def act(
    model: AIM, memory: Memory, map_kv: KeyValue, noise: Float[Array, "b k a d"], sigmas: Float[Array, " n"]
) -> Float[Array, "b k a d"]:
    """Denoises a chunk of actions by Euler steps of the probability-flow ODE; normalised units."""

    def step(a: Array, levels: tuple[Array, Array]) -> tuple[Array, None]:
        sigma, sigma_next = levels
        velocity = predict_action(model, memory, map_kv, a, sigma).velocity
        return euler_step(a, velocity, sigma, sigma_next), None

    return jax.lax.scan(step, noise, (sigmas[:-1], sigmas[1:]))[0]


def _history(config: AIMConfig, memory: Memory) -> list[Tokens]:
    shift = chunk_shift(config, memory)[:, None]
    return [
        Tokens(Kind.OBS, memory.obs_frame + shift, config.tokens["rgb"]),
        Tokens(Kind.PAST_ACTION, memory.action_frame + shift, config.tokens["action"]),
    ]


def _null_tokens(config: AIMConfig, memory: Memory) -> list[Tokens]:
    if not config.visibility.value_null_frame:
        return []
    counted = memory.newest + chunk_shift(config, memory)
    return [Tokens(Kind.NULL, counted[:, None], config.tokens["value"])]


def _future(config: AIMConfig, branch: WorldBranch) -> list[Tokens]:
    return [
        Tokens(Kind.RGB, branch.counted, config.tokens["rgb"]),
        Tokens(Kind.VALUE, branch.counted, config.tokens["value"]),
    ]


def _slice(kv: KeyValue, start: int, stop: int | None) -> KeyValue:
    return kv[0][:, :, start:stop], kv[1][:, :, start:stop]
