"""The value stream's projections as the RGB stream's plus products of two thin matrices (LoRA, arXiv 2106.09685)."""

from __future__ import annotations

from typing import NamedTuple

from einops import rearrange
from flax import nnx

from aim_jax.array_typing import AnyArray, Array, Float
from aim_jax.core.rope import rotate
from aim_jax.models.dit import SelfAttention, WanDiTConfig
from aim_jax.models.layers import Dense, zeros


class LowRank(nnx.Module):
    """x @ down @ up; zero at first."""

    def __init__(self, d_in: int, d_out: int, rank: int, axes: tuple[str, str], rngs: nnx.Rngs):
        self.down = Dense(d_in, rank, axes=(axes[0], None), rngs=rngs, bias=False)
        self.up = Dense(rank, d_out, axes=(None, axes[1]), rngs=rngs, init=zeros, bias=False)

    def __call__(self, x: Float[Array, "*b d_in"]) -> Float[Array, "*b d_out"]:
        """Maps the last dimension."""
        return self.up(self.down(x))


class LowRankAttention(nnx.Module):
    """What one layer's value projections add to those of the RGB stream; norms and biases are shared."""

    def __init__(self, config: WanDiTConfig, rank: int, rngs: nnx.Rngs):
        width = config.num_heads * config.head_dim
        self.q, self.k, self.v = (LowRank(config.dim, width, rank, ("embed", "heads"), rngs) for _ in range(3))
        self.o = LowRank(width, config.dim, rank, ("heads", "embed"), rngs)


class Adapted(NamedTuple):
    """Projections with something added; stands for a `SelfAttention` in the shared attention."""

    base: SelfAttention
    added: LowRankAttention

    def qkv(self, x: Float[Array, "b l d"], rope: tuple[AnyArray, AnyArray]) -> tuple[Array, Array, Array]:
        """Rotated queries and keys, and values, each [b, l, heads, head_dim]."""
        base, added = self

        def project(dense: Dense, adapter: LowRank) -> Array:
            return base.project(dense, x) + rearrange(adapter(x), "b l (h k) -> b l h k", h=base.num_heads)

        q, k = base.norm_q(project(base.q, added.q)), base.norm_k(project(base.k, added.k))
        return rotate(q, *rope), rotate(k, *rope), project(base.v, added.v)

    def output(self, x: Float[Array, "b l heads head_dim"]) -> Float[Array, "b l dim"]:
        """Projects attended heads back to the width of the stream."""
        return self.base.output(x) + self.added.o(rearrange(x, "b l h k -> b l (h k)"))
