"""The FLOP definition of this project: arithmetic on configurations, from which every MFU is computed.

Counted are matrix multiplications of the forward pass, two operations per multiply-add, of real tokens: linear layers,
and attention over the pairs that the mask allows. Not counted: norms, softmax, rotary embeddings, the optimiser,
padding, and forbidden pairs that an implementation computes in vain. A training step counts three times its forward
pass, recomputation not included; so MFU here is model FLOPs utilisation (PaLM, Chowdhery et al. 2022, appendix B) with
attention counted by the mask. `tests/models/test_flops.py` compares with the matmuls of the traced program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from aim_jax.core.blocks import Layout
from aim_jax.core.mask import visibility_groups
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.sequence import noisy_frames, training_layout
from aim_jax.models.dit import WanDiTConfig

TRAINING = 3
"""A step's operations per operation of its forward pass: once forward, and two gradients backward."""


@dataclass(frozen=True)
class Flops:
    """Operations of one forward pass of one sample, by part.

    Attributes:
        linear: projections and feed-forward layers of the blocks.
        attention: scores and weighted sums of the shared self-attention.
        text: text embedding, and cross-attention with its projections.
        ends: embeddings of patches, actions and timesteps, and output heads.
    """

    linear: int
    attention: int
    text: int
    ends: int

    @property
    def forward(self) -> int:
        """All parts together."""
        return self.linear + self.attention + self.text + self.ends

    @property
    def training(self) -> int:
        """Of a training step."""
        return TRAINING * self.forward


def window_flops(config: AIMConfig, chunks: int, draws: int = 1, text: int = 512) -> Flops:
    """One training window of one sample.

    Args:
        config: the model.
        chunks: C.
        draws: noisy copies of each action chunk.
        text: tokens of the text, padding included: Wan2.2 attends to it.
    """
    layout = training_layout(config, chunks, draws)
    frames = {name: len(layout.stream(name)) for name in dict(layout.tokens)}
    noisy = noisy_frames(layout)
    return pass_flops(config, frames, visible_pairs(layout, config), noisy=noisy, text=text)


def pass_flops(
    config: AIMConfig, frames: dict[str, int], pairs: int, *, noisy: dict[str, int], text: int, text_kv: bool = True
) -> Flops:
    """Any pass of the mixture of transformers over one sample.

    Args:
        config: the model.
        frames: latent frames of tokens per stream ("rgb", "value", "action"); absent streams cost nothing.
        pairs: (query, key) pairs of the self-attention, cached keys included.
        noisy: frames per stream whose velocity is computed.
        text: tokens of the text.
        text_kv: the pass computes the text's keys and values (training) instead of reading them (rollout).
    """
    dit, tokens = config.dit, {name: frames.get(name, 0) * count for name, count in config.tokens.items()}
    width = dit.num_heads * dit.head_dim
    video = tokens["rgb"] + tokens["value"]
    linear = _linear(video, dit.dim, width, dit.ffn_dim)
    linear += _linear(tokens["action"], config.action_hidden, width, config.action_ffn)
    if config.value_qkv == "lora":
        linear += 2 * tokens["value"] * 4 * config.value_rank * (dit.dim + width)
    readers = tokens["rgb"] + (tokens["value"] if config.value_text else 0)
    cross = 2 * 2 * readers * dit.dim * width + 2 * 2 * readers * text * width
    if text_kv and readers:
        cross += 2 * 2 * text * dit.dim * width
    embedded = 2 * text * (dit.text_dim * dit.dim + dit.dim * dit.dim) if text_kv and readers else 0
    return Flops(
        linear=dit.num_layers * linear,
        attention=dit.num_layers * 2 * 2 * pairs * width,
        text=dit.num_layers * cross + embedded,
        ends=_ends(config, frames, noisy),
    )


def wan_flops(config: WanDiTConfig, frames: int, hw: tuple[int, int], text: int = 512) -> Flops:
    """Plain Wan2.2 on a latent video of `frames` × `hw`, full attention, one timestep per latent frame."""
    patch = math.prod(config.patch)
    tokens = frames * hw[0] * hw[1] // patch
    width = config.num_heads * config.head_dim
    cross = 2 * 2 * (tokens + text) * config.dim * width + 2 * 2 * tokens * text * width
    ends = 2 * tokens * patch * config.dim * (config.in_channels + config.out_channels)
    ends += _time(frames, config.freq_dim, config.dim)
    return Flops(
        linear=config.num_layers * _linear(tokens, config.dim, width, config.ffn_dim),
        attention=config.num_layers * 2 * 2 * tokens * tokens * width,
        text=config.num_layers * cross + 2 * text * (config.text_dim * config.dim + config.dim * config.dim),
        ends=ends,
    )


def visible_pairs(layout: Layout, config: AIMConfig) -> int:
    """(query, key) pairs of tokens that the mask allows."""
    groups = visibility_groups(layout, config.visibility)
    return sum(
        sum(stop - start for start, stop in group.queries) * sum(stop - start for start, stop in group.keys)
        for group in groups
    )


def window_tokens(config: AIMConfig, chunks: int, draws: int = 1) -> int:
    """Tokens of one training window, the copies of teacher forcing included."""
    return training_layout(config, chunks, draws).length


def _linear(tokens: int, dim: int, width: int, ffn: int) -> int:
    """Q, K, V and output projections, and the feed-forward layer."""
    return 2 * tokens * (4 * dim * width + 2 * dim * ffn)


def _time(groups: int, freq: int, dim: int) -> int:
    return 2 * groups * (freq * dim + dim * dim + 6 * dim * dim)


def _ends(config: AIMConfig, frames: dict[str, int], noisy: dict[str, int]) -> int:
    dit, patch = config.dit, math.prod(config.dit.patch)
    video = frames.get("rgb", 0) + frames.get("value", 0)
    actions, token = frames.get("action", 0), config.actions_per_token * config.action_dim
    total = 2 * video * config.frame_tokens * patch * dit.in_channels * dit.dim
    total += (
        2 * (noisy.get("rgb", 0) + noisy.get("value", 0)) * config.frame_tokens * patch * dit.out_channels * dit.dim
    )
    total += _time(frames.get("rgb", 0), dit.freq_dim, dit.dim) + _time(frames.get("value", 0), dit.freq_dim, dit.dim)
    total += _time(actions, dit.freq_dim, config.action_hidden)
    total += 2 * actions * config.action_tokens * (token * config.action_hidden + config.action_hidden**2)
    total += 2 * noisy.get("action", 0) * config.action_tokens * config.action_hidden * token
    return total
