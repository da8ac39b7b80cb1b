"""AIM's parameters, and the entrance and exit of each stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from aim_jax.array_typing import AnyArray, Array, Float, Float32, Num
from aim_jax.core.rope import rope_table
from aim_jax.models.aim.action import ActionHead
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.low_rank import LowRankAttention
from aim_jax.models.dit import SelfAttention, WanDiT, video_positions
from aim_jax.models.layers import normal, parameter, stack_layers


class ValueStream(nnx.Module):
    """What the value-map stream has of its own; everything else it shares with the RGB stream."""

    def __init__(self, config: AIMConfig, rngs: nnx.Rngs):
        d = config.dit
        layers: dict[str, Callable[[nnx.Rngs], Any]] = {
            "separate": lambda r: SelfAttention(d.dim, d.num_heads, d.head_dim, eps=d.eps, rngs=r),
            "lora": lambda r: LowRankAttention(d, config.value_rank, r),
        }
        layer = layers.get(config.value_qkv)
        self.self_attn: Any = stack_layers(layer, d.num_layers, rngs) if layer else None
        self.stream_embedding = parameter(rngs, (d.dim,), ("embed",), normal(config.embedding_std))
        self.noise_token = parameter(rngs, (d.dim,), ("embed",), normal(config.embedding_std))


class Stream(NamedTuple):
    """Tokens of one stream on their way through the blocks.

    Attributes:
        tokens: hidden states [b, frames, n, d].
        embedding: timestep embedding, float32 [b, frames, d].
        projected: its projection to the modulation, float32 [b, frames, 6, d].
        rope: cosines and sines, float32 [frames * n, head_dim / 2], with a leading batch if positions differ.
    """

    tokens: Array
    embedding: Array
    projected: Array
    rope: tuple[AnyArray, AnyArray]


class AIM(nnx.Module):
    """The whole model. Its parameters are `wan` (the video tower, as converted), `value` and `action`."""

    def __init__(self, config: AIMConfig, rngs: nnx.Rngs):
        self.wan = WanDiT(config.dit, rngs)
        self.value = ValueStream(config, rngs)
        self.action = ActionHead(config, rngs)
        self.canvas_embedding = (
            parameter(rngs, (config.frame_tokens, config.dit.dim), (None, "embed"), normal(config.embedding_std))
            if config.canvas_embedding
            else None
        )
        self.config = config

    def rgb_stream(
        self, latents: Float[Array, "b f h w c"], timestep: Num[Array, "b f"], frames: Num[AnyArray, "*f"]
    ) -> Stream:
        """RGB latents to a stream. `frames` are latent frame numbers, [f] or [b, f]."""
        return self._stream(self._patches(latents), self.wan.embed_time(timestep), self._positions(frames, False))

    def value_stream(
        self, latents: Float[Array, "b f h w c"], timestep: Num[Array, "b f"], frames: Num[AnyArray, "*f"]
    ) -> Stream:
        """Value-map latents to a stream: same positions as the RGB, a stream embedding, the noise token appended."""
        tokens = self._patches(latents) + self.value.stream_embedding[...].astype(self.config.dit.compute_dtype)
        if self.config.value_noise_token:
            token = self.value.noise_token[...].astype(tokens.dtype)
            appended = jnp.broadcast_to(token, (*tokens.shape[:2], 1, token.shape[0]))
            tokens = jnp.concatenate([tokens, appended], axis=2)
        positions = self._positions(frames, self.config.value_noise_token)
        return self._stream(tokens, self.wan.embed_time(timestep), positions)

    def action_stream(
        self,
        actions: Float[Array, "b f a dim"],
        timestep: Num[Array, "b f"],
        frames: Num[AnyArray, "*f"],
        places: Num[AnyArray, "*f"] | None = None,
    ) -> Stream:
        """Normalised actions to a stream. Token j of n in frame f stands at (f + j / (n + 1), -1, -1), j from 1.

        Args:
            actions: of latent frame f are those that lead to it.
            timestep: in 0..1000.
            frames: latent frame numbers, [f] or [b, f].
            places: `frames` counted so that chunks begin at 1 + a multiple of K; `frames` itself unless given.
        """
        n = self.config.action_tokens
        numeric = np if isinstance(frames, np.ndarray) else jnp
        time = frames[..., None] + np.arange(1, n + 1) / (n + 1)
        positions = numeric.stack([time, *[numeric.full_like(time, -1.0)] * 2], axis=-1)
        tokens = self.action.embed_actions(actions, frames if places is None else places)
        return self._stream(tokens, self.action.embed_time(timestep), positions)

    def video_velocity(
        self, tokens: Float[Array, "b f n d"], embedding: Float32[Array, "b f d"]
    ) -> Float32[Array, "b f h w c"]:
        """Velocity of RGB or value latents; a noise token's output is dropped."""
        patches = self.wan.head(tokens[:, :, : self.config.frame_tokens], embedding)
        return self.wan.unpatch(patches, *self.config.latent_hw)

    def _patches(self, latents: Float[Array, "b f h w c"]) -> Float[Array, "b f n d"]:
        tokens = self.wan.embed_patches(latents)
        if self.canvas_embedding is None:
            return tokens
        return tokens + self.canvas_embedding[...].astype(tokens.dtype)

    def _positions(self, frames: Num[AnyArray, "*f"], noise_token: bool) -> Float[AnyArray, "*f n 3"]:
        positions = video_positions(frames, *self.config.latent_hw, self.config.dit.patch)
        if not noise_token:
            return positions
        numeric = np if isinstance(frames, np.ndarray) else jnp
        time = frames[..., None].astype(positions.dtype)
        token = numeric.stack([time, *[numeric.full_like(time, -1.0)] * 2], axis=-1)
        return numeric.concatenate([positions, token], axis=-2)

    def _stream(self, tokens: Array, time: tuple[Array, Array], positions: AnyArray) -> Stream:
        flat = positions.reshape(*positions.shape[:-3], -1, 3)
        d = self.config.dit
        return Stream(tokens, *time, rope_table(flat, d.head_dim, d.rope_theta))


def abstract_parameters(config: AIMConfig) -> nnx.State:
    """Shapes, dtypes and logical axes of all parameters; nothing is allocated."""
    return nnx.state(nnx.eval_shape(lambda: AIM(config, nnx.Rngs(0))), nnx.Param)


def initialise(config: AIMConfig, seed: int) -> AIM:
    """A model with random parameters, computed on the device in one call."""
    graph, params = jax.jit(lambda: nnx.split(AIM(config, nnx.Rngs(seed))))()
    return nnx.merge(graph, params)
