"""Configurations of the two training stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from aim_jax.models.remat import Keep
from aim_jax.training.losses import LossConfig
from aim_jax.training.noise import NoiseConfig
from aim_jax.training.optimiser import OptimiserConfig


@dataclass(frozen=True)
class GuardConfig:
    """What to do with a step whose loss or gradient is no number, or whose gradient is a spike.

    Attributes:
        policy: "stop" – end the run at the last sound checkpoint; "skip" – leave parameters, moments and averages as
            they are and go on.
        spike: a gradient norm above this multiple of the median of the last `window` ones is a spike; 0 looks for
            numbers only.
        window: steps of that median; nothing is a spike before as many have passed.
        most: skipped steps in a row after which the run stops all the same.
    """

    policy: Literal["stop", "skip"] = "stop"
    spike: float = 0.0
    window: int = 50
    most: int = 10


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
        remat_keep: what of a layer is kept all the same.
        microbatches: parts that a step's batch is worked off in, one after another; gradients are added up.
        frozen: branches that are not trained, as prefixes of parameter paths: "wan", "value/self_attn".
        init: folder of converted parameters (convert_weights.py) to start from; empty for random ones.
        prefetch: batches put on the devices ahead of the step that reads them.
        guard: what happens at a loss or gradient that is no number, or a spike.
        profile_steps: steps that are profiled, from the tenth of this process on; the trace is in RUN/profile.
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
    remat_keep: Keep = "nothing"
    microbatches: int = 1
    frozen: tuple[str, ...] = ()
    init: str = ""
    prefetch: int = 1
    guard: GuardConfig = field(default_factory=GuardConfig)
    profile_steps: int = 0
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
        share_noise: rollouts of a group start each chunk from the same noise (DanceGRPO, arXiv 2505.07818): what tells
            them apart is then the exploration, which is credited, and not the noise, which is not.
        groups: groups per iteration.
        seed_start: first layout seed, disjoint from training and evaluation; the first layouts are for validation.
        val_episodes: validation episodes, without exploration; the policy that did best in them is handed on, Stage I's
            among them, of equals the earliest (`training.best_round`). 0: the last round's is.
        val_every: rounds between two validations; the last round always has one.
        seed: of the noise.
        epochs: passes over the rollouts of a round.
        minibatch: episodes per optimiser step.
        max_chunks: chunks of a rollout; a task that is not done by then has failed.
        clip_low: 1 - the lower bound of the ratio.
        clip_high: the upper bound of the ratio - 1.
        dual_clip: bound on the loss of negative advantages.
        exploration: how actions are sampled, and with it what their probability is (`policy.exploration`): one step of
            an SDE; learned noise in every step; or none, with a bound from the flow-matching loss for a probability.
        noise: of flow_sde: a, g = a sqrt(sigma / (1 - sigma)).
        correlation: of flow_sde: of the noise of neighbouring control steps, in [0, 1); see `FlowSDE`.
        noise_range: of flow_noise: smallest and largest standard deviation; RLinf's values.
        fpo_pairs: of fpo: pairs of noise level and noise per chunk.
        lambda_sparse: weight of success.
        lambda_dense: weight of the map's value at the hand; smaller than that of success, so that no failure beats
            a success.
        kl: weight of the divergence from the Stage I policy.
        std_floor: smallest standard deviation of returns that an advantage is divided by; see `group_advantages`.
        optimiser: AdamW.
    """

    iterations: int = 10
    group: int = 8
    groups: int = 4
    share_noise: bool = False
    seed_start: int = 50_000
    val_episodes: int = 0
    val_every: int = 10
    seed: int = 0
    epochs: int = 2
    minibatch: int = 8
    max_chunks: int = 13
    clip_low: float = 0.2
    clip_high: float = 0.28
    dual_clip: float = 3.0
    exploration: Literal["flow_sde", "flow_noise", "fpo"] = "flow_sde"
    noise: float = 0.5
    correlation: float = 0.0
    noise_range: tuple[float, float] = (0.08, 0.16)
    fpo_pairs: int = 8
    lambda_sparse: float = 1.0
    lambda_dense: float = 0.5
    kl: float = 0.0
    std_floor: float = 0.0
    optimiser: OptimiserConfig = field(default_factory=lambda: OptimiserConfig(lr=1e-5, warmup=0, weight_decay=0.0))

    @property
    def layouts(self) -> int:
        """Layout seeds of the whole stage, validation included."""
        return self.val_episodes + self.iterations * self.groups

    def validates(self, number: int) -> bool:
        """Whether the policy is validated after round `number`, counted from 1; 0 stands for Stage I's."""
        return bool(self.val_episodes) and (number % self.val_every == 0 or number == self.iterations)

    @property
    def updates(self) -> int:
        """Optimiser steps of the whole stage."""
        return self.iterations * self.epochs * (self.group * self.groups // self.minibatch)
