"""How a chunk is denoised at inference."""

from __future__ import annotations

from dataclasses import dataclass

from aim_jax.errors import AimError
from aim_jax.models.aim.config import AIMConfig


@dataclass(frozen=True)
class RolloutConfig:
    """Denoising of a chunk; the defaults are the fast mode.

    Attributes:
        world_steps: Euler steps of RGB and value map together (quality mode: 25).
        action_steps: Euler steps of the actions.
        video_shift: shift of the world's noise levels; as in training.
        action_shift: shift of the actions' noise levels; as in training.
        stop_sigma: noise level at which the world is left; the map is read at this level.
        guidance: classifier-free guidance of the world, v_empty + g (v_text - v_empty) against the empty instruction;
            1 computes the instruction's branch alone. It doubles the memory and the cost of the world.
        replan: control steps that are executed before the next chunk is planned; 0 for the whole chunk. A multiple
            of the model's `actions_per_latent`.
        seed: of the noise.
    """

    world_steps: int = 5
    action_steps: int = 10
    video_shift: float = 5.0
    action_shift: float = 1.0
    stop_sigma: float = 0.0
    guidance: float = 1.0
    replan: int = 0
    seed: int = 0

    def horizon(self, config: AIMConfig) -> int:
        """Control steps that are executed of each chunk.

        Raises:
            AimError: `replan` is no whole number of latent frames within the chunk.
        """
        steps = self.replan or config.actions_per_chunk
        if steps % config.actions_per_latent or not 0 < steps <= config.actions_per_chunk:
            raise AimError(
                "The replan horizon does not fit the chunk",
                wanted=f"a multiple of {config.actions_per_latent} up to {config.actions_per_chunk} control steps",
                got=self.replan,
                remedy="change rollout.replan",
            )
        return steps
