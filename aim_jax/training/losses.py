"""The Stage I objective: L = L_rgb + lambda_m L_map + lambda_a L_act (AIM Eq 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import jax.numpy as jnp

from aim_jax.array_typing import Array, Float
from aim_jax.core.flow import loss_weight, velocity_target
from aim_jax.models.aim.sequence import Noise, Velocities, Window


@dataclass(frozen=True)
class LossConfig:
    """Weights of the three losses.

    Attributes:
        rgb: weight of the RGB loss; 1 in the paper.
        value: lambda_m.
        action: lambda_a.
        level_weight: weight per noise level: "bell" (LingBot-VA) or "uniform".
    """

    rgb: float = 1.0
    value: float = 1.0
    action: float = 1.0
    level_weight: Literal["bell", "uniform"] = "bell"


def stage1_loss(
    velocities: Velocities,
    window: Window,
    noise: Noise,
    mask: Float[Array, "b c"],
    config: LossConfig,
    count: Float[Array, ""] | None = None,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """The weighted sum and its parts.

    Args:
        velocities: the model's predictions.
        window: clean data.
        noise: the noise that was added.
        mask: 1 for chunks that count, 0 for padding.
        config: weights.
        count: sum of the mask over the whole batch, where these rows are only part of it; their share of the loss is
            what they add to it.

    Returns:
        Scalar loss, and unweighted parts by metric name.
    """
    k = window.value.shape[1] // mask.shape[1]
    total = jnp.maximum(mask.sum() if count is None else count, 1)
    rgb = _per_chunk(velocities.rgb - velocity_target(window.rgb[:, 1:], noise.rgb), k)
    value = _per_chunk(velocities.value - velocity_target(window.value, noise.value), k)
    clean = jnp.broadcast_to(window.actions[:, None], noise.action.shape)
    error = jnp.square(velocities.action - velocity_target(clean, noise.action))
    action = error.reshape(*error.shape[:2], mask.shape[1], -1).mean(-1)
    parts = {
        "loss_rgb": _mean(rgb * _level(noise.video_sigma, config), mask, total),
        "loss_value": _mean(value * _level(noise.video_sigma, config), mask, total),
        "loss_action": _mean((action * _level(noise.action_sigma, config)).mean(1), mask, total),
    }
    loss = config.rgb * parts["loss_rgb"] + config.value * parts["loss_value"] + config.action * parts["loss_action"]
    return loss, parts | {"loss": loss}


def _level(sigma: Float[Array, "*s"], config: LossConfig) -> Float[Array, "*s"]:
    return loss_weight(sigma) if config.level_weight == "bell" else jnp.ones_like(sigma)


def _per_chunk(error: Float[Array, "b f h w ch"], k: int) -> Float[Array, "b c"]:
    return jnp.square(error).reshape(error.shape[0], error.shape[1] // k, -1).mean(-1)


def _mean(values: Float[Array, "b c"], mask: Float[Array, "b c"], total: Float[Array, ""]) -> Float[Array, ""]:
    return (values * mask).sum() / total
