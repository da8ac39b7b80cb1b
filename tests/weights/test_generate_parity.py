"""Sampling from end to end against the pipelines of `diffusers`: same weights, prompt embeddings, image and noise."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from aim_jax.models.dit import WanDiT, WanDiTConfig
from aim_jax.models.generate import SamplingConfig, sample_video
from aim_jax.models.vae.config import VAEConfig
from aim_jax.models.vae.vae import WanVAE
from aim_jax.weights.layouts import find_layout
from aim_jax.weights.params import abstract, from_state_dict
from aim_jax.weights.vae_config import vae_json
from tests.closeness import assert_close

VAE = VAEConfig(
    z_dim=4,
    base_dim=8,
    decoder_base_dim=8,
    num_res_blocks=1,
    latents_mean=(0.1, -0.2, 0.0, 0.3),
    latents_std=(0.9, 1.2, 0.7, 1.0),
)
DIT = WanDiTConfig(
    dim=36, ffn_dim=48, num_layers=2, num_heads=3, in_channels=4, out_channels=4, text_dim=12, freq_dim=16
)
FRAMES, HEIGHT, WIDTH, STEPS, GUIDANCE, SHIFT = 9, 64, 96, 6, 4.0, 5.0


@pytest.fixture(scope="module")
def models():
    """(diffusers VAE, diffusers transformer, our VAE, our transformer) with the same random weights."""
    torch = pytest.importorskip("torch")
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    from aim_jax.weights.dit_config import dit_json

    torch.manual_seed(0)
    json = {name: value for name, value in vae_json(VAE).items() if not name.startswith("_")}
    vae = AutoencoderKLWan(**json).eval()
    layout = find_layout("dit", "diffusers")
    json = {name: value for name, value in dit_json(layout, DIT).items() if not name.startswith("_")}
    dit = WanTransformer3DModel(**json).eval()
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    states = [{n: t.numpy() for n, t in model.state_dict().items()} for model in (vae, dit)]
    our_vae = from_state_dict(
        abstract(lambda rngs: WanVAE(VAE, rngs=rngs)), find_layout("vae", "diffusers").rules(VAE), states[0]
    )
    our_dit = from_state_dict(abstract(lambda rngs: WanDiT(DIT, rngs)), layout.rules(DIT), states[1])
    return vae, dit, our_vae, our_dit


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(2)
    latent = (1, 1 + (FRAMES - 1) // 4, HEIGHT // 16, WIDTH // 16, VAE.z_dim)
    text = rng.standard_normal((2, 1, 11, DIT.text_dim)).astype(np.float32)
    text[:, :, 7:] = 0
    return {
        "noise": rng.standard_normal(latent).astype(np.float32),
        "text": text[0],
        "negative": text[1],
        "image": rng.random((1, HEIGHT, WIDTH, 3)).astype(np.float32),
    }


def run_diffusers(pipeline, inputs, **more) -> np.ndarray:
    import torch

    pipeline.set_progress_bar_config(disable=True)
    with torch.no_grad():
        out = pipeline(
            prompt_embeds=torch.tensor(inputs["text"]),
            negative_prompt_embeds=torch.tensor(inputs["negative"]),
            latents=torch.tensor(inputs["noise"]).permute(0, 4, 1, 2, 3),
            height=HEIGHT,
            width=WIDTH,
            num_frames=FRAMES,
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            output_type="latent",
            **more,
        ).frames
    return out.permute(0, 2, 3, 4, 1).numpy()


def scheduler():
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=SHIFT)


def ours(dit, inputs, first=None) -> np.ndarray:
    config = SamplingConfig(STEPS, SHIFT, GUIDANCE, "diffusers")
    noise, text, negative = (jnp.asarray(inputs[name]) for name in ("noise", "text", "negative"))
    return np.asarray(sample_video(dit, noise, text, negative, config, first=first))


@pytest.mark.oracle
def test_text_to_video_equals_diffusers(models, inputs):
    from diffusers import WanPipeline

    vae, dit, _, our_dit = models
    pipeline = WanPipeline(
        tokenizer=None, text_encoder=None, transformer=dit, vae=vae, scheduler=scheduler(), expand_timesteps=True
    )
    theirs = run_diffusers(pipeline, inputs)
    assert_close("latents", ours(our_dit, inputs), theirs, 1e-3)


@pytest.mark.oracle
def test_image_to_video_equals_diffusers(models, inputs):
    import torch
    from diffusers import WanImageToVideoPipeline

    vae, dit, our_vae, our_dit = models
    pipeline = WanImageToVideoPipeline(
        tokenizer=None, text_encoder=None, transformer=dit, vae=vae, scheduler=scheduler(), expand_timesteps=True
    )
    image = torch.tensor(inputs["image"]).permute(0, 3, 1, 2)
    theirs = run_diffusers(pipeline, inputs, image=image)
    first = nnx.jit(WanVAE.encode)(our_vae, jnp.asarray(inputs["image"])[:, None] * 2 - 1)
    out = ours(our_dit, inputs, first)
    np.testing.assert_array_equal(out[:, :1], np.asarray(first))
    assert_close("latents", out, theirs, 1e-3)
