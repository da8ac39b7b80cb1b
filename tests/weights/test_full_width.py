"""Published widths against `diffusers`: one block of the transformer, the encoder of the VAE on a full canvas."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from aim_jax.models.dit import WanDiTConfig
from aim_jax.models.vae.config import VAEConfig
from aim_jax.models.vae.vae import WanVAE
from aim_jax.weights.layouts import abstract_network, find_layout
from aim_jax.weights.library import build_library
from aim_jax.weights.params import from_state_dict
from tests.closeness import assert_close

pytestmark = [pytest.mark.oracle, pytest.mark.slow]


def weights_of(oracle) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in oracle.state_dict().items() if not tensor.is_meta}


def test_one_full_size_block_equals_diffusers():
    """Width 3072, 24 heads, 512 text tokens, two latent frames of the full canvas, each at a timestep of its own."""
    torch = pytest.importorskip("torch")
    config = dataclasses.replace(WanDiTConfig(), num_layers=1)
    torch.manual_seed(0)
    oracle = build_library("dit", config)
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((1, 2, 24, 20, 48)).astype(np.float32)
    text = rng.standard_normal((1, 512, 4096)).astype(np.float32)
    text[:, 300:] = 0
    steps = np.array([[0, 731]], np.int32)
    with torch.no_grad():
        theirs = oracle(
            hidden_states=torch.from_numpy(latents).permute(0, 4, 1, 2, 3),
            timestep=torch.from_numpy(np.repeat(steps, 120, axis=1)).long(),
            encoder_hidden_states=torch.from_numpy(text),
        ).sample.permute(0, 2, 3, 4, 1)
    rules = find_layout("dit", "diffusers").rules(config)
    ours = from_state_dict(abstract_network("dit", config), rules, weights_of(oracle))
    out = nnx.jit(ours)(jnp.asarray(latents), jnp.asarray(steps), jnp.asarray(text))
    assert_close("velocity", out, theirs.numpy(), 1e-4)


def test_full_width_encoding_of_a_canvas_equals_diffusers():
    """Five frames of 384×320; the decoders are left out, which halves the memory."""
    torch = pytest.importorskip("torch")
    config = VAEConfig.wan22()
    with torch.device("meta"):
        oracle = build_library("vae", config)
    torch.manual_seed(0)
    for part in (oracle.encoder, oracle.quant_conv):
        part.to_empty(device="cpu")
        for name, value in part.named_parameters():
            torch.nn.init.ones_(value) if name.endswith("gamma") else torch.nn.init.normal_(value, std=0.02)
    video = np.random.default_rng(0).uniform(-1, 1, (1, 5, 384, 320, 3)).astype(np.float32)
    with torch.no_grad():
        mean = oracle.encode(torch.from_numpy(video).permute(0, 4, 1, 2, 3)).latent_dist.mode()
    theirs = (mean.permute(0, 2, 3, 4, 1).numpy() - config.latents_mean) / config.latents_std
    vae = abstract_network("vae", config)
    assert isinstance(vae, WanVAE)
    vae.decoder = vae.post_quant = None
    ours = from_state_dict(vae, find_layout("vae", "diffusers").rules(config), weights_of(oracle))
    assert theirs.shape == (1, 2, 24, 20, 48)
    assert_close("latents", nnx.jit(WanVAE.encode)(ours, jnp.asarray(video)), theirs, 1e-4)
