"""Teacher forcing over a whole window: one sequence with clean history, noisy futures and finished maps."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from aim_jax.array_typing import Array, Float, Float32
from aim_jax.core.blocks import Block, Kind, Layout
from aim_jax.core.flow import TRAIN_TIMESTEPS, add_noise
from aim_jax.models.aim.blocks import run
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.framing import padded_frames
from aim_jax.models.aim.model import AIM
from aim_jax.models.attention import full_attention, window_attention
from aim_jax.models.remat import Keep


class Window(NamedTuple):
    """Clean data of C chunks after a first frame; K latent frames a chunk.

    Attributes:
        rgb: normalised RGB latents [b, 1 + C K, h, w, c].
        value: normalised value-map latents [b, C K, h, w, c].
        null: latent of the black map, [h, w, c].
        actions: normalised actions [b, C K, actions per latent, dim]; those of frame f lead to it.
        text: text embeddings [b, t, e].
        finished: the maps that the action head reads, same shape as `value`; None for `value` itself.
        before: actions that led to the first frame [b, 1, actions per latent, dim], with `start_actions`.
    """

    rgb: Float[Array, "b f1 h w c"]
    value: Float[Array, "b f h w c"]
    null: Float[Array, "h w c"]
    actions: Float[Array, "b f a d"]
    text: Float[Array, "b t e"]
    finished: Float[Array, "b f h w c"] | None = None
    before: Float[Array, "b one a d"] | None = None


class Noise(NamedTuple):
    """All randomness of a training step; sigmas in [0, 1], noises standard normal in the shape of their data.

    Attributes:
        video_sigma: noise level of RGB and value map, one per chunk [b, C].
        rgb: noise of the future RGB [b, C K, h, w, c].
        value: noise of the future value maps, same shape.
        action_sigma: noise level of the actions [b, draws, C].
        action: noise of the actions [b, draws, C K, a, d].
        history_sigma: augmentation of the observations [b]; 0 is clean.
        history: its noise [b, 1 + C K, h, w, c].
        map_sigma: augmentation of the finished maps [b, C]; 0 is clean.
        map: its noise [b, C K, h, w, c].
        own_map: 1 where the action head reads the model's own estimate of the map, not the true one [b, C].
    """

    video_sigma: Float[Array, "b c"]
    rgb: Float[Array, "b f h w ch"]
    value: Float[Array, "b f h w ch"]
    action_sigma: Float[Array, "b draws c"]
    action: Float[Array, "b draws f a d"]
    history_sigma: Float[Array, " b"]
    history: Float[Array, "b f1 h w ch"]
    map_sigma: Float[Array, "b c"]
    map: Float[Array, "b f h w ch"]
    own_map: Float[Array, "b c"]


class Velocities(NamedTuple):
    """Predicted velocities, float32: RGB and value [b, C K, h, w, c], action [b, draws, C K, a, d]."""

    rgb: Float32[Array, "b f h w c"]
    value: Float32[Array, "b f h w c"]
    action: Float32[Array, "b draws f a d"]


def training_layout(config: AIMConfig, chunks: int, draws: int = 1) -> Layout:
    """Blocks of a training window; copies that no query would read are left out. No draws: the world alone."""
    k, rules = config.latents_per_chunk, config.visibility
    last = chunks * k
    future = range(1, last + 1)
    reads_clean = rules.action_reads == "clean" and draws > 0
    observed = last if reads_clean and rules.clean_value_reads == "future" else last - k
    blocks = [Block(Kind.OBS, f) for f in range(observed + 1)] + [Block(Kind.RGB, f) for f in future]
    if rules.value_null_frame:
        blocks += [Block(Kind.NULL, c * k) for c in range(chunks)]
    blocks += [Block(Kind.VALUE, f) for f in future]
    if reads_clean:
        blocks += [Block(Kind.CLEAN_VALUE, f) for f in future]
    blocks += [Block(Kind.ACTION, f, draw=d) for d in range(draws) for f in future]
    blocks += [Block(Kind.PAST_ACTION, f) for f in range(config.first_action_frame, last - k + 1)]
    return Layout.of(blocks, config.tokens, config.clock)


def own_maps(model: AIM, window: Window, noise: Noise, *, remat: bool = False, keep: Keep = "nothing") -> Window:
    """The window whose action head reads the model's own estimate of the map in the chunks that `noise.own_map` names.

    Acting, it will read maps that the model has imagined; one that has only seen true maps trusts them too far. The
    estimate is that of one step from the noise level of the training pass: x_0 = x_sigma - sigma v. It costs a forward
    pass of the world, and no gradient goes through it.

    Args:
        model: the parameters.
        window: clean data.
        noise: of the training pass.
        remat: recompute each layer; as in `predict`.
        keep: what of a layer is not recomputed.

    Returns:
        The window with `finished` [b, C K, h, w, c] filled in.
    """
    world = noise._replace(action_sigma=noise.action_sigma[:, :0], action=noise.action[:, :0])
    velocity = predict(model, window, world, remat=remat, keep=keep).value
    k = model.config.latents_per_chunk
    sigma, own = (_per_frame(x, k)[..., None, None, None] for x in (noise.video_sigma, noise.own_map))
    estimate = add_noise(window.value, noise.value, sigma) - sigma * velocity
    return window._replace(finished=jax.lax.stop_gradient(jnp.where(own > 0, estimate, window.value)))


def predict(model: AIM, window: Window, noise: Noise, *, remat: bool = False, keep: Keep = "nothing") -> Velocities:
    """Velocities of all noisy tokens of a window in one pass (inputs of AIM Eq 9).

    Args:
        model: the parameters.
        window: clean data.
        noise: all randomness.
        remat: recompute each layer in the backward pass.
        keep: what of a layer is not recomputed.
    """
    config = model.config
    batch, draws, chunks = noise.action_sigma.shape
    layout = training_layout(config, chunks, draws)
    rgb, rgb_sigma = _rgb_inputs(layout, config, window, noise)
    value, value_sigma = _value_inputs(layout, config, window, noise)
    action, action_sigma = _action_inputs(layout, config, window, noise)
    frames = {name: np.array([block.frame for block in layout.stream(name)]) for name in ("rgb", "value", "action")}
    streams = {
        "rgb": model.rgb_stream(rgb, rgb_sigma * TRAIN_TIMESTEPS, frames["rgb"]),
        "value": model.value_stream(value, value_sigma * TRAIN_TIMESTEPS, frames["value"]),
        "action": model.action_stream(action, action_sigma * TRAIN_TIMESTEPS, frames["action"]),
    }
    frame_wise = config.attention == "splash"
    if frame_wise:
        streams = {name: padded_frames(stream) for name, stream in streams.items()}
    attention = window_attention(config.attention, layout, config.visibility, come_framed=frame_wise)
    out = run(
        model,
        streams,
        attention=lambda q, k, v, _: attention(q, k, v),
        text_attention=full_attention(config.attention),
        text=window.text,
        remat=remat,
        keep=keep,
    ).tokens
    out = {name: hidden[:, :, : config.tokens[name]] for name, hidden in out.items()}
    x, m, a = (_positions(layout, name, kind) for name, kind in _NOISY)
    action_velocity = model.action.predict(out["action"][:, a], streams["action"].embedding[:, a]).velocity
    return Velocities(
        model.video_velocity(out["rgb"][:, x], streams["rgb"].embedding[:, x]),
        model.video_velocity(out["value"][:, m], streams["value"].embedding[:, m]),
        action_velocity.reshape(batch, draws, *window.actions.shape[1:]),
    )


_NOISY = (("rgb", Kind.RGB), ("value", Kind.VALUE), ("action", Kind.ACTION))


def noisy_frames(layout: Layout) -> dict[str, int]:
    """Latent frames per stream whose velocity is predicted."""
    return {name: len(layout.frames(kind)) for name, kind in _NOISY}


def _positions(layout: Layout, stream: str, kind: Kind) -> slice:
    index = [i for i, block in enumerate(layout.stream(stream)) if block.kind is kind]
    return slice(index[0], index[-1] + 1) if index else slice(0, 0)


def _per_frame(per_chunk: Float[Array, "*b c"], k: int) -> Float[Array, "*b f"]:
    return jnp.repeat(per_chunk, k, axis=-1)


def _noised(x: Array, noise: Array, sigma: Array) -> Array:
    return add_noise(x, noise, sigma.reshape(*sigma.shape, *[1] * (x.ndim - sigma.ndim)))


def _rgb_inputs(layout: Layout, config: AIMConfig, window: Window, noise: Noise) -> tuple[Array, Array]:
    count = len(layout.frames(Kind.OBS))
    history_sigma = jnp.broadcast_to(noise.history_sigma[:, None], (window.rgb.shape[0], count))
    history = _noised(window.rgb[:, :count], noise.history[:, :count], history_sigma)
    sigma = _per_frame(noise.video_sigma, config.latents_per_chunk)
    future = _noised(window.rgb[:, 1:], noise.rgb, sigma)
    return jnp.concatenate([history, future], axis=1), jnp.concatenate([history_sigma, sigma], axis=1)


def _value_inputs(layout: Layout, config: AIMConfig, window: Window, noise: Noise) -> tuple[Array, Array]:
    sigma = _per_frame(noise.video_sigma, config.latents_per_chunk)
    inputs, sigmas = [_noised(window.value, noise.value, sigma)], [sigma]
    if nulls := len(layout.frames(Kind.NULL)):
        batch = window.value.shape[0]
        inputs.insert(0, jnp.broadcast_to(window.null, (batch, nulls, *window.null.shape)))
        sigmas.insert(0, jnp.zeros((batch, nulls)))
    if layout.frames(Kind.CLEAN_VALUE):
        map_sigma = _per_frame(noise.map_sigma, config.latents_per_chunk)
        finished = window.value if window.finished is None else window.finished
        inputs.append(_noised(finished, noise.map, map_sigma))
        sigmas.append(map_sigma)
    return jnp.concatenate(inputs, axis=1), jnp.concatenate(sigmas, axis=1)


def _action_inputs(layout: Layout, config: AIMConfig, window: Window, noise: Noise) -> tuple[Array, Array]:
    batch, draws = noise.action_sigma.shape[:2]
    frames = draws * window.actions.shape[1]
    sigma = _per_frame(noise.action_sigma, config.latents_per_chunk)
    clean = jnp.broadcast_to(window.actions[:, None], noise.action.shape)
    noisy = _noised(clean, noise.action, sigma)
    past = len(layout.frames(Kind.PAST_ACTION))
    known = window.actions if window.before is None else jnp.concatenate([window.before, window.actions], axis=1)
    inputs = [noisy.reshape(batch, frames, *noisy.shape[3:]), known[:, :past]]
    return jnp.concatenate(inputs, axis=1), jnp.concatenate(
        [sigma.reshape(batch, frames), jnp.zeros((batch, past))], axis=1
    )
