"""One model for all four tasks, told apart by the instruction; its Stage I parameters come with the package.

    aim demo --config configs/tiny_long.py --out runs/tiny_long

200 demonstrations a task and 3000 steps of batch 8 are what two hours of two CPU cores should allow; they have not
been run to the end yet. The policy that comes with the package was trained with 150 demonstrations and 2600 steps, and
is weak: `aim eval --episodes 10 --task click_bell,lift_pot` printed 6 of 10 [31, 83] and 1 of 10 [2, 40]. Its other
tasks and Stage II (`grpo` below) have not been measured.
"""

from dataclasses import replace

from configs.tiny import config as tiny

config = replace(
    tiny,
    name="tiny_long",
    tasks=("click_bell", "beat_block_hammer", "lift_pot", "stack_blocks_two"),
    # Windows of two chunks teach a history of three frames: acting remembers no more than that.
    model=replace(tiny.model, visibility=replace(tiny.model.visibility, window=3)),
    collect=replace(tiny.collect, episodes=200),
    train=replace(tiny.train, steps=4500, balance_tasks=True, save_every=250, val_every=1000),
    # The expert needs up to five chunks.
    grpo=replace(tiny.grpo, iterations=4, max_chunks=6),
)
