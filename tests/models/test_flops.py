"""The FLOP definition against the matmuls of the traced program, counted one by one."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from aim_jax.models.aim.flops import visible_pairs, wan_flops, window_flops, window_tokens
from aim_jax.models.aim.sequence import predict, training_layout
from aim_jax.models.dit import WanDiT
from tests.models.tiny_aim import BATCH, config, model, noise, window

TEXT = 4  # tokens in tiny_aim.window


HEAD = config().dit.head_dim


def matmuls(jaxpr) -> int:
    """Operations of every dot_general, those of a scan's body times its length.

    The products with the rotary embedding's matrix of 0, 1 and -1 only move channels: no operation of the model.
    """
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (contract, _), (batch, _) = equation.params["dimension_numbers"]
            left, right = (v.aval.shape for v in equation.invars)
            if (HEAD, HEAD) in (left, right):
                continue
            inner = math.prod(left[i] for i in contract)
            shared = math.prod(left[i] for i in batch)
            total += 2 * math.prod(left) * math.prod(right) // (inner * shared)
        repeats = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        for inner_jaxpr in jax.core.jaxprs_in_params(equation.params):
            total += repeats * matmuls(inner_jaxpr)
    return total


@pytest.mark.parametrize("draws", [1, 2])
@pytest.mark.parametrize(
    "changes", [{}, {"value_text": True}, {"value_noise_token": False}, {"value_qkv": "lora", "value_rank": 3}]
)
def test_forward_is_every_matmul_of_the_grouped_program(draws, changes):
    c = config(**changes, attention="grouped")
    data = window(c)
    aim = model(c)
    counted = matmuls(jax.make_jaxpr(lambda d, n: predict(aim, d, n))(data, noise(data, c, draws=draws)).jaxpr)
    assert counted == BATCH * window_flops(c, 3, draws, TEXT).forward


def test_training_is_three_times_forward_but_for_gradients_that_nobody_needs():
    c = config(attention="grouped")
    data = window(c)
    graph, params = nnx.split(model(c))

    def loss(params):
        out = predict(nnx.merge(graph, params), data, noise(data, c))
        return sum(jnp.square(x).mean() for x in out)

    counted = matmuls(jax.make_jaxpr(jax.grad(loss))(params).jaxpr)
    flops = window_flops(c, 3, 1, TEXT)
    # Inputs of the model have no gradient: what their first layers save is part of `ends` and of the text embedding.
    assert BATCH * (flops.training - flops.ends - flops.text) <= counted <= BATCH * flops.training


def test_plain_wan():
    c = dataclasses.replace(config().dit, num_layers=3)
    aim = WanDiT(c, nnx.Rngs(0))
    args = (jnp.ones((1, 5, 4, 6, 3)), jnp.ones((1, 5)), jnp.ones((1, TEXT, 5)))
    assert matmuls(jax.make_jaxpr(aim)(*args).jaxpr) == wan_flops(c, 5, (4, 6), TEXT).forward


def test_pairs_are_those_of_the_mask():
    from aim_jax.core.mask import dense_mask

    c = config()
    layout = training_layout(c, 3, 2)
    assert visible_pairs(layout, c) == dense_mask(layout, c.visibility).sum()
    assert window_tokens(c, 3, 2) == layout.length
