"""The demo: every part of AIM at a small size, on two CPU cores.

    aim demo --config configs/tiny.py --out runs/demo

One task, `click_bell`; canvas 192×160 (30 tokens a latent frame), a tower of 4 blocks of width 128 trained from
scratch on the latents of the packaged VAE.

Measured by one run of `bash launch/quickstart.sh` in a bare Debian 12 on two CPU cores, 22 min 44 s in all, set-up
included (seconds: 147 demonstrations, 58 dataset, 517 Stage I, 415 the four evaluations, 146 Stage II, 51 recordings).
On 50 held-out layouts: expert 50, untrained 22, Stage I 46, Stage II 46: after three rounds the policy did no better
than Stage I's on the 25 validation layouts, so Stage I's was handed on.

A policy that succeeds so often teaches little by failing. Without validation, three rounds by Flow-SDE at lr 1e-5 led
to 45 of 50. Returns are compared with a floor under their spread: at lr 1e-4 and without it, groups that succeeded as a
whole were told apart by a dense reward of 0.01, and three rounds took an earlier Stage I's 50 of 50 down to 29.
"""

from aim_jax.config import CollectConfig, EvalConfig, ExperimentConfig
from aim_jax.core.visibility import VisibilityConfig
from aim_jax.data.canvas import CanvasSpec
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.dit import WanDiTConfig
from aim_jax.models.text import TextConfig
from aim_jax.policy.config import RolloutConfig
from aim_jax.training.config import GRPOConfig, TrainConfig
from aim_jax.training.losses import LossConfig
from aim_jax.training.noise import NoiseConfig
from aim_jax.training.optimiser import OptimiserConfig

config = ExperimentConfig(
    name="demo",
    tasks=("click_bell",),
    canvas=CanvasSpec.tiny(),
    vae="tiny",
    centre_latents=True,
    text=TextConfig.tiny(),
    model=AIMConfig(
        dit=WanDiTConfig(
            dim=128,
            ffn_dim=512,
            num_layers=4,
            num_heads=4,
            in_channels=48,
            out_channels=48,
            text_dim=64,
            freq_dim=64,
        ),
        latent_hw=(12, 10),
        action_hidden=128,
        action_ffn=512,
        actions_per_token=4,
        canvas_embedding=True,
        embedding_std=1.0,
        attention="tiled",
        # Windows of two chunks teach a history of three frames: acting remembers no more than that.
        visibility=VisibilityConfig(window=3, clean_value_reads="history"),
    ),
    collect=CollectConfig(episodes=300, seed_start=0, workers=2),
    train=TrainConfig(
        steps=750,
        batch=8,
        chunks=2,
        ema=0.99,
        text_dropout=0.0,
        log_every=20,
        save_every=100,
        val_every=250,
        val_batches=2,
        noise=NoiseConfig(action_draws=4, history_prob=0.0, map_prob=0.5, map_max=0.5),
        loss=LossConfig(rgb=1.0, value=1.0, action=1.0, level_weight="uniform"),
        optimiser=OptimiserConfig(lr=1e-3, warmup=50, weight_decay=0.01),
    ),
    rollout=RolloutConfig(world_steps=5, action_steps=10),
    grpo=GRPOConfig(
        iterations=3,
        group=4,
        groups=4,
        epochs=2,
        minibatch=8,
        max_chunks=3,
        exploration="fpo",
        std_floor=0.1,
        val_episodes=25,
        optimiser=OptimiserConfig(lr=3e-5, warmup=0, weight_decay=0.0),
    ),
    eval=EvalConfig(episodes=50, seed_start=100_000, envs=25, workers=2),
)
