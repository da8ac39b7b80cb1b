"""The few layers every network here is made of, with logical axis names on every parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from aim_jax.array_typing import Array, Float

Initializer = Callable[..., Any]
xavier = nnx.initializers.xavier_uniform()
zeros = nnx.initializers.zeros_init()
ones = nnx.initializers.ones_init()


def normal(std: float) -> Initializer:
    """Normal initialiser with standard deviation `std`."""
    return nnx.initializers.normal(std)


def parameter(rngs: nnx.Rngs, shape: tuple[int, ...], axes: tuple[str | None, ...], init: Initializer) -> nnx.Param:
    """A float32 parameter that knows its logical axes; the sharding rules translate them to mesh axes.

    Args:
        rngs: source of the initial values.
        shape: shape of the parameter.
        axes: one logical name per dimension, None where a dimension is never sharded.
        init: initialiser `(key, shape, dtype) -> array`.
    """
    return nnx.Param(init(rngs.params(), shape, jnp.float32), axes=axes)


class Dense(nnx.Module):
    """x @ kernel + bias, computed in the dtype of `x`; kernel [d_in, d_out]."""

    def __init__(
        self,
        d_in: int,
        d_out: int,
        *,
        axes: tuple[str | None, str | None],
        rngs: nnx.Rngs,
        init: Initializer = xavier,
        bias: bool = True,
    ):
        self.kernel = parameter(rngs, (d_in, d_out), axes, init)
        self.bias = parameter(rngs, (d_out,), (axes[1],), zeros) if bias else None

    def __call__(self, x: Float[Array, "*b d_in"]) -> Float[Array, "*b d_out"]:
        """Maps the last dimension."""
        y = x @ self.kernel[...].astype(x.dtype)
        return y if self.bias is None else y + self.bias[...].astype(x.dtype)


class RMSNorm(nnx.Module):
    """x / rms(x) * scale over the last dimension, in float32 (Wan2.2 WanRMSNorm)."""

    def __init__(self, dim: int, *, axes: tuple[str | None], eps: float, rngs: nnx.Rngs):
        self.scale = parameter(rngs, (dim,), axes, ones)
        self.eps = eps

    def __call__(self, x: Float[Array, "*b d"]) -> Float[Array, "*b d"]:
        """Normalises and returns the dtype of `x`."""
        return rms_norm(x, self.scale[...], self.eps)


class AffineLayerNorm(nnx.Module):
    """Layer norm with scale and bias, in float32."""

    def __init__(self, dim: int, *, eps: float, rngs: nnx.Rngs):
        self.scale = parameter(rngs, (dim,), ("embed",), ones)
        self.bias = parameter(rngs, (dim,), ("embed",), zeros)
        self.eps = eps

    def __call__(self, x: Float[Array, "*b d"]) -> Float[Array, "*b d"]:
        """Normalises and returns the dtype of `x`."""
        return (layer_norm(x, self.eps) * self.scale[...] + self.bias[...]).astype(x.dtype)


def rms_norm(x: Float[Array, "*b"], scale: Float[Array, "*s"], eps: float) -> Float[Array, "*b"]:
    """x / rms(x) * scale in float32 over as many last dimensions as `scale` has; the result has the dtype of `x`."""
    x32 = x.astype(jnp.float32)
    square = jnp.mean(x32 * x32, axis=tuple(range(-scale.ndim, 0)), keepdims=True)
    return (x32 * jax.lax.rsqrt(square + eps) * scale).astype(x.dtype)


def layer_norm(x: Float[Array, "*b d"], eps: float) -> Float[Array, "*b d"]:
    """Layer norm without affine parameters; the result is float32."""
    x32 = x.astype(jnp.float32)
    mean = jnp.mean(x32, axis=-1, keepdims=True)
    variance = jnp.mean(jnp.square(x32 - mean), axis=-1, keepdims=True)
    return (x32 - mean) * jax.lax.rsqrt(variance + eps)


class MLP(nnx.Module):
    """Dense, activation, Dense."""

    def __init__(
        self,
        d_in: int,
        hidden: int,
        d_out: int,
        activation: Callable[[Array], Array],
        *,
        rngs: nnx.Rngs,
        axes: tuple[str | None, str | None, str | None] = ("embed", "mlp", "embed"),
        init: Initializer = xavier,
    ):
        self.up = Dense(d_in, hidden, axes=(axes[0], axes[1]), rngs=rngs, init=init)
        self.down = Dense(hidden, d_out, axes=(axes[1], axes[2]), rngs=rngs, init=init)
        self.activation = activation

    def __call__(self, x: Float[Array, "*b d_in"]) -> Float[Array, "*b d_out"]:
        """Maps the last dimension."""
        return self.down(self.activation(self.up(x)))


def gelu(x: Array) -> Array:
    """GELU in its tanh form, as Wan2.2 and UMT5 use it."""
    return jax.nn.gelu(x, approximate=True)


def stack_layers(make: Callable[[nnx.Rngs], nnx.Module], count: int, rngs: nnx.Rngs) -> Any:
    """`count` copies of a module as one module whose parameters have a leading `layers` dimension."""

    @nnx.vmap(in_axes=0, out_axes=0)
    def stacked(key: jax.Array) -> nnx.Module:
        return make(nnx.Rngs(params=key))

    module = stacked(jax.random.split(rngs.params(), count))
    for _, value in nnx.iter_graph(module):
        if isinstance(value, nnx.Param) and (metadata := value.get_metadata()).get("axes") is not None:
            value.set_metadata("axes", ("layers", *metadata["axes"]))
    return module
