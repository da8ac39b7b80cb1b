"""The rollout without a cache: every pass recomputes the whole prefix. Slow; the yardstick of the cached passes.

Shares no code with `policy.memory`: the sequence is laid out block by block and masked by the visibility table.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from aim_jax.array_typing import Array, Float
from aim_jax.core.attention import attend
from aim_jax.core.blocks import Block, Kind, Layout
from aim_jax.core.flow import TRAIN_TIMESTEPS, euler_step
from aim_jax.core.mask import dense_mask
from aim_jax.models.aim.blocks import KeyValue, Output, run
from aim_jax.models.aim.model import AIM


class Prefix(NamedTuple):
    """What has happened, uncompressed.

    Attributes:
        rgb: normalised latents of the first frame and of c executed chunks [b, 1 + c K, h, w, ch].
        actions: the executed actions, normalised [b, c K, a, d]; with `start_actions` one frame more at the start.
        text_kv: keys and values of the instruction.
    """

    rgb: Array
    actions: Array
    text_kv: KeyValue


def imagine_full(
    model: AIM,
    prefix: Prefix,
    null: Float[Array, "h w c"],
    noise: tuple[Float[Array, "b k h w c"], Float[Array, "b k h w c"]],
    sigmas: Float[Array, " n"],
) -> tuple[Float[Array, "b k h w c"], Float[Array, "b k h w c"]]:
    """RGB and value latents of the next chunk; see `policy.passes.imagine`."""

    def denoise(carry: tuple[Array, Array], levels: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        sigma, sigma_next = levels
        v_x, v_m = world_velocity_full(model, prefix, null, carry, sigma)
        return (euler_step(carry[0], v_x, sigma, sigma_next), euler_step(carry[1], v_m, sigma, sigma_next)), None

    return jax.lax.scan(denoise, noise, (sigmas[:-1], sigmas[1:]))[0]


def world_velocity_full(
    model: AIM, prefix: Prefix, null: Float[Array, "h w c"], noisy: tuple[Array, Array], sigma: Array
) -> tuple[Float[Array, "b k h w c"], Float[Array, "b k h w c"]]:
    """One world step over the whole sequence: history, noisy RGB and noisy map."""
    k = model.config.latents_per_chunk
    out, embeddings = _pass(model, prefix, null, (noisy[0], noisy[1], sigma), None)
    v_x = model.video_velocity(out.tokens["rgb"][:, -k:], embeddings["rgb"][:, -k:])
    return v_x, model.video_velocity(out.tokens["value"][:, -k:], embeddings["value"][:, -k:])


def act_full(
    model: AIM,
    prefix: Prefix,
    null: Float[Array, "h w c"],
    world: tuple[Float[Array, "b k h w c"], Float[Array, "b k h w c"]],
    world_sigma: Array,
    noise: Float[Array, "b k a d"],
    sigmas: Float[Array, " n"],
) -> Float[Array, "b k a d"]:
    """Normalised actions of the next chunk; every step runs history and world again; see `policy.passes.act`."""
    k = model.config.latents_per_chunk

    def step(a: Array, levels: tuple[Array, Array]) -> tuple[Array, None]:
        sigma, sigma_next = levels
        out, embeddings = _pass(model, prefix, null, (*world, world_sigma), (a, sigma))
        velocity = model.action.predict(out.tokens["action"][:, :k], embeddings["action"][:, :k]).velocity
        return euler_step(a, velocity, sigma, sigma_next), None

    return jax.lax.scan(step, noise, (sigmas[:-1], sigmas[1:]))[0]


def _pass(
    model: AIM,
    prefix: Prefix,
    null: Array,
    world: tuple[Array, Array, Array],
    noisy_action: tuple[Array, Array] | None,
) -> tuple[Output, dict[str, Array]]:
    """All tokens of a rollout's moment at once; actions take part where they are given."""
    config = model.config
    rgb, value, world_sigma = world
    batch, seen = prefix.rgb.shape[:2]
    future, past = range(seen, seen + config.latents_per_chunk), range(config.first_action_frame, seen)
    map_kind = Kind.VALUE
    if noisy_action is not None and config.visibility.clean_value_reads == "history":
        map_kind = Kind.CLEAN_VALUE
    blocks = [Block(Kind.OBS, f) for f in range(seen)] + [Block(Kind.RGB, f) for f in future]
    if config.visibility.value_null_frame:
        blocks += [Block(Kind.NULL, seen - 1)]
    blocks += [Block(map_kind, f) for f in future]
    if noisy_action is not None:
        blocks += [Block(Kind.ACTION, f) for f in future]
    blocks += [Block(Kind.PAST_ACTION, f) for f in past]
    layout = Layout.of(blocks, config.tokens, config.clock)
    nulls = len(layout.frames(Kind.NULL))
    inputs = {
        "rgb": (jnp.concatenate([prefix.rgb, rgb], 1), _times(batch, [(0.0, seen), (world_sigma, len(future))])),
        "value": (
            jnp.concatenate([jnp.broadcast_to(null, (batch, nulls, *null.shape)), value], 1),
            _times(batch, [(0.0, nulls), (world_sigma, len(future))]),
        ),
    }
    actions: list[Array] = [prefix.actions]
    levels: list[tuple[Array | float, int]] = [(0.0, len(past))]
    if noisy_action is not None:
        actions, levels = [noisy_action[0], *actions], [(noisy_action[1], len(future)), *levels]
    if sum(count for _, count in levels):
        inputs["action"] = (jnp.concatenate(actions, 1), _times(batch, levels))
    entrances = {"rgb": model.rgb_stream, "value": model.value_stream, "action": model.action_stream}
    streams = {
        name: entrances[name](values, times, np.array([block.frame for block in layout.stream(name)]))
        for name, (values, times) in inputs.items()
    }
    rules = config.visibility
    mask = dense_mask(layout, rules)
    if noisy_action is not None:
        mask = _reading_the_map(layout, mask, map_kind)
    out = run(
        model,
        streams,
        attention=lambda q, keys, values, _: attend(q, keys, values, mask[None]),
        text_kv=prefix.text_kv,
    )
    return out, {name: stream.embedding for name, stream in streams.items()}


def _reading_the_map(layout: Layout, mask: np.ndarray, kind: Kind) -> np.ndarray:
    """The mask in which actions see the finished map, of whichever kind it stands here."""
    mask = mask.copy()
    mask[np.ix_(layout.where([Kind.ACTION]), layout.where([kind]))] = True
    return mask


def _times(batch: int, parts: list[tuple[Array | float, int]]) -> Array:
    levels = [jnp.full((batch, count), level * TRAIN_TIMESTEPS, jnp.float32) for level, count in parts if count]
    return jnp.concatenate(levels, axis=1)
