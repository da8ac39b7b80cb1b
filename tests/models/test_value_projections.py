"""The value stream's projections: its own, the RGB stream's, or those with something of low rank added."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from aim_jax.models.aim.model import AIM
from aim_jax.models.aim.sequence import predict
from tests.models.tiny_aim import config, model, noise, window


def _params(aim: AIM) -> nnx.State:
    return nnx.split(aim)[1]


def _outputs(aim: AIM, params: nnx.State) -> list[np.ndarray]:
    c = aim.config
    data = window(c)
    run = jax.jit(lambda p: predict(nnx.merge(nnx.graphdef(aim), p), data, noise(data, c)))
    return [np.asarray(x) for x in run(params)]


def test_low_rank_is_the_rgb_streams_until_it_learns_something() -> None:
    low, shared = model(config(value_qkv="lora", value_rank=3)), model(config(value_qkv="shared"))
    params, plain = _params(low), _params(shared)
    for name in ("wan", "action"):
        params[name] = plain[name]
    for name in ("stream_embedding", "noise_token"):
        params["value"][name] = plain["value"][name]
    added = params["value"]["self_attn"]
    thick = _outputs(low, params)
    params["value"]["self_attn"] = jax.tree.map(jnp.zeros_like, added)
    alone, reference = _outputs(low, params), _outputs(shared, plain)
    for ours, theirs in zip(alone, reference, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert np.abs(thick[1] - alone[1]).max() > 1e-3


def test_low_rank_equals_projections_with_the_products_added() -> None:
    low, own = model(config(value_qkv="lora", value_rank=3)), model(config(value_qkv="separate"))
    params, full = _params(low), _params(own)
    full["wan"], full["action"] = params["wan"], params["action"]
    for name in ("stream_embedding", "noise_token"):
        full["value"][name] = params["value"][name]
    added, merged = params["value"]["self_attn"], jax.tree.map(lambda x: x, params["wan"]["blocks"]["self_attn"])
    for name in ("q", "k", "v", "o"):
        product = added[name]["down"]["kernel"][...] @ added[name]["up"]["kernel"][...]  # layer by layer
        merged[name]["kernel"] = merged[name]["kernel"].replace(merged[name]["kernel"][...] + product)
    full["value"]["self_attn"] = merged
    for ours, theirs in zip(_outputs(low, params), _outputs(own, full), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize(("choice", "has"), [("separate", True), ("lora", True), ("shared", False)])
def test_gradients_reach_what_the_value_stream_has_of_its_own(choice: str, has: bool) -> None:
    c = config(value_qkv=choice, value_rank=3)
    aim = model(c)
    graph, params = nnx.split(aim)
    data = window(c)
    grads = jax.jit(jax.grad(lambda p: jnp.square(predict(nnx.merge(graph, p), data, noise(data, c))[1]).mean()))(
        params
    )
    own = jax.tree.leaves(grads["value"].get("self_attn", {}))
    assert bool(own) == has
    assert all(float(jnp.abs(x).max()) > 0 for x in own)
