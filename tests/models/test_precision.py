"""The timestep's layers and the heads compute in float32, and so do their gradients, whatever the rest computes in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from jax.extend.core import jaxprs_in_params

from aim_jax.models.aim.model import AIM
from tests.models.tiny_aim import BATCH, config

HIGHEST = (jax.lax.Precision.HIGHEST, jax.lax.Precision.HIGHEST)


def products(jaxpr: Any) -> Iterator[Any]:
    """Every matrix product of a traced program."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            yield equation
        for inner in jaxprs_in_params(equation.params):
            yield from products(inner)


@pytest.mark.parametrize("part", ["video time", "action time", "video head", "action head"])
def test_nothing_is_rounded(part):
    c = config()
    c = dataclasses.replace(c, dit=dataclasses.replace(c.dit, compute_dtype="bfloat16"))
    graph, params = nnx.split(nnx.eval_shape(lambda: AIM(c, nnx.Rngs(0))))

    def shape(*sizes: int, dtype: Any = jnp.float32) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(sizes, dtype)

    frames, hidden, narrow = 3, c.dit.dim, c.action_hidden
    runs: dict[str, tuple[Any, ...]] = {
        "video time": (lambda m, t: m.wan.embed_time(t), shape(BATCH, frames)),
        "action time": (lambda m, t: m.action.embed_time(t), shape(BATCH, frames)),
        "video head": (
            lambda m, x, e: m.video_velocity(x, e),
            shape(BATCH, frames, c.frame_tokens, hidden, dtype=jnp.bfloat16),
            shape(BATCH, frames, hidden),
        ),
        "action head": (
            lambda m, x, e: m.action.predict(x, e).velocity,
            shape(BATCH, frames, c.action_tokens, narrow, dtype=jnp.bfloat16),
            shape(BATCH, frames, narrow),
        ),
    }
    call, *operands = runs[part]

    def total(params: Any, *operands: Any) -> Any:
        return sum(jnp.sum(x) for x in jax.tree.leaves(call(nnx.merge(graph, params), *operands)))

    found = list(products(jax.make_jaxpr(jax.grad(total))(params, *operands).jaxpr))
    assert found
    for product in found:
        assert {v.aval.dtype for v in (*product.invars, *product.outvars)} == {jnp.dtype(jnp.float32)}
        assert product.params["precision"] == HIGHEST
