"""Configurations of the two training stages."""

from __future__ import annotations

from dataclasses import dataclass, field

from aim_jax.training.losses import LossConfig
from aim_jax.training.noise import NoiseConfig
from aim_jax.training.optimiser import OptimiserConfig


@dataclass(frozen=True)
class TrainConfig:
    """Stage I.

    Attributes:
        steps: optimiser steps.
        batch: windows per step over all devices.
        chunks: C, chunks of a window after its first frame.
        seed: of the initial parameters, the order of the data and the noise.
        balance_tasks: every task gives as many windows, however long its episodes are.
        text_dropout: share of windows that see the empty instruction.
        ema: decay of the averaged parameters that are evaluated; 0 keeps none.
        remat: recompute every layer in the backward pass.
        log_every: steps between metrics.
        save_every: steps between checkpoints.
        keep: newest checkpoints kept.
        val_batches: batches of held-out windows per validation; 0 for none.
        val_every: steps between validations.
        noise: noise levels and augmentation.
        loss: weights of the losses.
        optimiser: AdamW.
    """

    steps: int = 30_000
    batch: int = 64
    chunks: int = 4
    seed: int = 0
    balance_tasks: bool = False
    text_dropout: float = 0.1
    ema: float = 0.0
    remat: bool = False
    log_every: int = 10
    save_every: int = 500
    keep: int = 2
    val_batches: int = 4
    val_every: int = 200
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)


@dataclass(frozen=True)
class GRPOConfig:
    """Stage II; defaults by analogy with Flow-GRPO and RLinf's RoboTwin recipes.

    Attributes:
        iterations: rounds of rollout and update.
        group: rollouts of the same task, seed and instruction that are compared.
        groups: groups per iteration.
        seed_start: first layout seed, disjoint from training and evaluation.
        seed: of the noise.
        epochs: passes over the rollouts of a round.
        minibatch: episodes per optimiser step.
        max_chunks: chunks of a rollout; a task that is not done by then has failed.
        clip_low: 1 - the lower bound of the ratio.
        clip_high: the upper bound of the ratio - 1.
        dual_clip: bound on the loss of negative advantages.
        noise: a of the SDE step, g = a sqrt(sigma / (1 - sigma)).
        lambda_sparse: weight of success.
        lambda_dense: weight of the map's value at the hand; smaller than that of success, so that no failure beats
            a success.
        kl: weight of the divergence from the Stage I policy.
        optimiser: AdamW.
    """

    iterations: int = 10
    group: int = 8
    groups: int = 4
    seed_start: int = 50_000
    seed: int = 0
    epochs: int = 2
    minibatch: int = 8
    max_chunks: int = 13
    clip_low: float = 0.2
    clip_high: float = 0.28
    dual_clip: float = 3.0
    noise: float = 0.5
    lambda_sparse: float = 1.0
    lambda_dense: float = 0.5
    kl: float = 0.0
    optimiser: OptimiserConfig = field(default_factory=lambda: OptimiserConfig(lr=1e-5, warmup=0, weight_decay=0.0))

    @property
    def updates(self) -> int:
        """Optimiser steps of the whole stage."""
        return self.iterations * self.epochs * (self.group * self.groups // self.minibatch)
