"""The action head: a narrow transformer of the tower's depth that joins its attention."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from einops import rearrange
from flax import nnx

from aim_jax.array_typing import AnyArray, Array, Float, Float32, Num
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.dit import (
    Modulation,
    ModulationTable,
    SelfAttention,
    gated,
    in_float32,
    modulate,
    timestep_embedding,
)
from aim_jax.models.layers import MLP, Dense, gelu, normal, parameter, stack_layers, zeros


class ActionBlock(nnx.Module):
    """One block of the action head; it has no text cross-attention (AIM Eq 8)."""

    def __init__(self, config: AIMConfig, rngs: nnx.Rngs):
        c = config
        self.self_attn = SelfAttention(c.action_hidden, c.dit.num_heads, c.dit.head_dim, eps=c.dit.eps, rngs=rngs)
        self.ffn = MLP(c.action_hidden, c.action_ffn, c.action_hidden, gelu, rngs=rngs)
        self.modulation = ModulationTable(6, c.action_hidden, rngs)
        self.eps = c.dit.eps

    def attention_input(self, x: Float[Array, "b g n d"], modulation: Modulation) -> Float[Array, "b g n d"]:
        """What the self-attention projections read."""
        return modulate(x, modulation[0], modulation[1], self.eps)

    def add_attention(
        self, x: Float[Array, "b g n d"], attended: Float[Array, "b g n d"], modulation: Modulation
    ) -> Float[Array, "b g n d"]:
        """Adds the gated result of the self-attention."""
        return gated(x, attended, modulation[2])

    def add_ffn(self, x: Float[Array, "b g n d"], modulation: Modulation) -> Float[Array, "b g n d"]:
        """Adds the gated feed-forward layer."""
        return gated(x, self.ffn(modulate(x, modulation[3], modulation[4], self.eps)), modulation[5])


class Prediction(NamedTuple):
    """What the head says of noisy actions.

    Attributes:
        velocity: of the flow [b, f, a, d].
        features: of each token, from which the velocity is read by one linear map [b, f, n, width].
    """

    velocity: Float32[Array, "b f a dim"]
    features: Float32[Array, "b f n d"]


class ActionHead(nnx.Module):
    """E_a, the blocks, and D_a (AIM Eq 3, 6), with a timestep embedding of its own."""

    def __init__(self, config: AIMConfig, rngs: nnx.Rngs):
        c, d = config, config.action_hidden
        token_width = c.actions_per_token * c.action_dim
        self.embed = MLP(token_width, d, d, jax.nn.silu, rngs=rngs, axes=(None, "mlp", "embed"))
        self.position = parameter(
            rngs, (c.latents_per_chunk, c.action_tokens, d), (None, None, "embed"), normal(c.embedding_std)
        )
        self.time_embedding = MLP(
            c.dit.freq_dim, d, d, jax.nn.silu, rngs=rngs, axes=(None, "mlp", "embed"), init=normal(0.02)
        )
        self.time_projection = Dense(d, 6 * d, axes=("embed", "mlp"), rngs=rngs)
        self.blocks: Any = stack_layers(lambda r: ActionBlock(config, r), c.dit.num_layers, rngs)
        self.out_modulation = ModulationTable(2, d, rngs)
        self.out = Dense(d, token_width, axes=("embed", None), rngs=rngs, init=zeros)
        self.config = config

    def embed_actions(self, actions: Float[Array, "b f a dim"], frames: Num[AnyArray, "*f"]) -> Float[Array, "b f n d"]:
        """Action tokens in the compute dtype. The actions of latent frame f are those that lead to it."""
        c = self.config
        grouped = rearrange(actions, "b f (n k) a -> b f n (k a)", k=c.actions_per_token).astype(c.dit.compute_dtype)
        slot = (frames - 1) % c.latents_per_chunk
        return self.embed(grouped) + self.position[...][slot].astype(c.dit.compute_dtype)

    def embed_time(self, timestep: Num[Array, "b f"]) -> tuple[Float32[Array, "b f d"], Float32[Array, "b f six d"]]:
        """Timestep embedding and its projection to the modulation, float32."""
        with in_float32():
            embedding = self.time_embedding(timestep_embedding(timestep, self.config.dit.freq_dim))
            projected = self.time_projection(jax.nn.silu(embedding))
        return embedding, rearrange(projected, "b f (s d) -> b f s d", s=6)

    def predict(self, x: Float[Array, "b f n d"], embedding: Float32[Array, "b f d"]) -> Prediction:
        """Velocity of the actions, and what it is read from, in float32 whatever the compute dtype is."""
        shift, scale = self.out_modulation(embedding[:, :, None].repeat(2, axis=2))
        with in_float32():
            features = modulate(x.astype(jnp.float32), shift, scale, self.config.dit.eps)
            y = self.out(features)
        return Prediction(rearrange(y, "b f n (k a) -> b f (n k) a", k=self.config.actions_per_token), features)
