"""The demo at the smallest size that still runs every part: for tests and for a first look, not for results.

    aim demo --config configs/smoke.py --out runs/smoke

Four demonstrations, a few training steps, one round of Stage II, one episode per evaluation: nothing is learnt.
"""

from dataclasses import replace

from configs.tiny import config as tiny

config = replace(
    tiny,
    name="smoke",
    collect=replace(tiny.collect, episodes=4),
    train=replace(
        tiny.train,
        steps=4,
        batch=2,
        log_every=2,
        save_every=2,
        val_batches=0,
        noise=replace(tiny.train.noise, action_draws=1),
    ),
    rollout=replace(tiny.rollout, world_steps=1, action_steps=3),
    grpo=replace(tiny.grpo, iterations=1, group=2, groups=1, minibatch=2, epochs=1, max_chunks=2, val_episodes=1),
    eval=replace(tiny.eval, episodes=1, envs=1),
)
