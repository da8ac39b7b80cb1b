"""Influence through the whole network over random layouts: exactly none where forbidden, some where allowed."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aim_jax.core.blocks import STREAMS, Layout
from aim_jax.core.mask import block_mask
from aim_jax.core.visibility import VisibilityConfig
from aim_jax.models.aim.blocks import run
from aim_jax.models.aim.sequence import training_layout
from aim_jax.models.attention import window_attention
from tests.models.tiny_aim import config, model

SWITCHES = st.builds(
    VisibilityConfig,
    window=st.integers(1, 6),
    value_null_frame=st.booleans(),
    action_past_obs=st.booleans(),
    action_reads=st.sampled_from(["clean", "noisy"]),
    clean_value_reads=st.sampled_from(["future", "history"]),
)


def influence(layout: Layout, visibility: VisibilityConfig, choice) -> np.ndarray:
    """Largest gradient of each block's final state (rows) with respect to each block's input (columns)."""
    aim_config = dataclasses.replace(config(visibility), latents_per_chunk=layout.clock.latents_per_chunk)
    aim = model(aim_config)
    attention = window_attention(choice, layout, visibility)
    streams = {}
    for index, name in enumerate(STREAMS):
        frames = np.array([block.frame for block in layout.stream(name)])
        if not len(frames):
            continue
        time = jnp.full((1, len(frames)), 300.0)
        if name == "action":
            shape = (1, len(frames), aim_config.actions_per_latent, aim_config.action_dim)
        else:
            shape = (1, len(frames), *aim_config.latent_hw, aim_config.dit.in_channels)
        streams[name] = getattr(aim, f"{name}_stream")(jax.random.normal(jax.random.key(index), shape), time, frames)
    text = jax.random.normal(jax.random.key(9), (1, 4, aim_config.dit.text_dim))

    def per_block(tokens):
        placed = {name: stream._replace(tokens=tokens[name]) for name, stream in streams.items()}
        out = run(aim, placed, attention=lambda q, k, v, _: attention(q, k, v), text=text).tokens
        weights = {name: jnp.cos(jnp.arange(x.size).reshape(x.shape)) for name, x in out.items()}
        return jnp.concatenate([(out[name] * weights[name]).sum((0, 2, 3)) for name in out])

    jacobian = jax.jit(jax.jacrev(per_block))({name: stream.tokens for name, stream in streams.items()})
    return np.concatenate([np.abs(np.asarray(jacobian[name])).max((1, 3, 4)) for name in streams], axis=1)


@pytest.mark.parametrize("choice", ["grouped", "reference"])
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(visibility=SWITCHES, chunks=st.integers(1, 3), k=st.integers(1, 2), draws=st.integers(1, 2))
def test_influence_follows_the_mask_layer_by_layer(choice, visibility, chunks, k, draws):
    layout = training_layout(dataclasses.replace(config(visibility), latents_per_chunk=k), chunks, draws)
    mask = block_mask(layout, visibility) | np.eye(len(layout.blocks), dtype=bool)
    reachable = np.linalg.matrix_power(mask.astype(int), config().dit.num_layers) > 0
    found = influence(layout, visibility, choice)
    assert found.shape == reachable.shape
    assert (found[~reachable] == 0.0).all()
    assert (found[reachable] > 0.0).all()
