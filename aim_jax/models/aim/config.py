"""Sizes and switches of AIM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from aim_jax.core.blocks import ChunkClock
from aim_jax.core.visibility import VisibilityConfig
from aim_jax.errors import AimError
from aim_jax.models.attention import Choice
from aim_jax.models.dit import WanDiTConfig


@dataclass(frozen=True)
class AIMConfig:
    """AIM on top of a Wan2.2 tower; the defaults are the full model.

    Attributes:
        dit: the video tower.
        latent_hw: rows and columns of the canvas latent: canvas / 16.
        action_dim: width of an action vector.
        action_hidden: width of the action head.
        action_ffn: feed-forward width of the action head.
        actions_per_latent: control steps between two latent frames.
        actions_per_token: consecutive actions in one token; the paper has one (Eq 3).
        latents_per_chunk: latent frames predicted together.
        value_qkv: the value stream's attention projections are its own ("separate", AIM Eq 7), the RGB stream's
            ("shared"), or the RGB stream's with something of low rank added ("lora").
        value_rank: that rank.
        value_text: the value stream cross-attends to the text; V_m of Eq 10 has no text.
        value_noise_token: append the learned value noise token n^m to every latent frame of the value stream (Eq 5).
        canvas_embedding: add a learned embedding per canvas position to the video tokens. Wan2.2 has none; a tower
            trained from scratch needs it, because rotary embeddings alone leave positions out of the values.
        embedding_std: initial scale of the learned embeddings; about the tokens' own scale when training from scratch.
        attention: of whole windows: "grouped", one call without mask per visibility group; "reference", one call
            under the dense mask; "tiled", a few joined groups head by head, the fastest on a CPU; "splash", the TPU
            kernel.
        start_actions: a window begins with the actions that led to its first frame; where an episode begins, with the
            posture in which the robot stands, held. Without them, as in the paper, the first chunk knows the posture
            from the pictures alone.
        visibility: who sees whom.
    """

    dit: WanDiTConfig = field(default_factory=WanDiTConfig)
    latent_hw: tuple[int, int] = (24, 20)
    action_dim: int = 14
    action_hidden: int = 1024
    action_ffn: int = 4096
    actions_per_latent: int = 16
    actions_per_token: int = 1
    latents_per_chunk: int = 2
    value_qkv: Literal["separate", "shared", "lora"] = "separate"
    value_rank: int = 32
    value_text: bool = False
    value_noise_token: bool = True
    canvas_embedding: bool = False
    embedding_std: float = 0.02
    attention: Choice = "grouped"
    start_actions: bool = False
    visibility: VisibilityConfig = field(default_factory=VisibilityConfig)

    def __post_init__(self):
        for size, patch in zip(self.latent_hw, self.dit.patch, strict=True):
            if size % patch:
                raise AimError(
                    "The canvas latent does not divide into patches",
                    wanted=f"latent rows and columns as multiples of {self.dit.patch}",
                    got=self.latent_hw,
                    remedy="choose a canvas whose sides are multiples of 32 pixels",
                )
        if self.actions_per_latent % self.actions_per_token:
            raise AimError(
                "Actions do not divide into tokens",
                wanted=f"actions_per_token to divide {self.actions_per_latent}",
                got=self.actions_per_token,
            )

    @property
    def clock(self) -> ChunkClock:
        """The chunk structure."""
        return ChunkClock(self.latents_per_chunk)

    @property
    def first_action_frame(self) -> int:
        """The first latent frame whose actions are remembered."""
        return 0 if self.start_actions else 1

    @property
    def frame_tokens(self) -> int:
        """RGB tokens of a latent frame."""
        return self.latent_hw[0] * self.latent_hw[1] // (self.dit.patch[0] * self.dit.patch[1])

    @property
    def action_tokens(self) -> int:
        """Action tokens of a latent frame."""
        return self.actions_per_latent // self.actions_per_token

    @property
    def actions_per_chunk(self) -> int:
        """Control steps of a chunk."""
        return self.actions_per_latent * self.latents_per_chunk

    @property
    def tokens(self) -> dict[str, int]:
        """Tokens of a latent frame in each stream."""
        return {
            "rgb": self.frame_tokens,
            "value": self.frame_tokens + int(self.value_noise_token),
            "action": self.action_tokens,
        }
