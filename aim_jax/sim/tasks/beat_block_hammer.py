"""Take the hammer and beat the block with it. Goal as RoboTwin's envs/beat_block_hammer.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aim_jax.sim.objects.blocks import block
from aim_jax.sim.objects.hammer import HEAD_HALF, hammer
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.skills.hands import Actions, Hands, carried, grasp_yaw, hand_down, heading
from aim_jax.sim.task import Task, arm_for

_HALF = 0.025  # half the block's edge, metres
_HOVER = 0.07  # metres above grip and block
_BEAT = 0.008  # metres the hammer's face is commanded below the block's top


class BeatBlockHammer(Task):
    """The hammer's face touches the block within 2 cm of the middle of its top."""

    name = "beat_block_hammer"
    pressed = ("block",)
    seen = (
        "Pick up the hammer and beat the red block.",
        "Beat the block with the hammer.",
        "Use the {arm} arm to hit the block with the hammer.",
        "Grab the hammer and strike the red block.",
        "Take the hammer in the {arm} hand and beat the block.",
        "Hit the red block with the hammer.",
        "Strike the top of the block with the hammer.",
        "Grasp the hammer by its handle and knock on the block.",
        "Lift the hammer and bring it down on the block.",
        "With the {arm} arm, beat the red block.",
        "Swing the hammer onto the red cube.",
        "Use the hammer on the red block.",
        "Hold the hammer and hammer the block.",
        "Let the {arm} hand pick up the hammer and strike the cube.",
        "Fetch the hammer, then beat the block with it.",
        "Knock on the red block with the hammer's head.",
        "Move the hammer over the block and hit it.",
        "Grip the hammer and beat the cube on the table.",
        "Tap the red block with the hammer.",
        "Pound the block with the hammer in the {arm} hand.",
    )
    unseen = (
        "Raise the hammer and smack the red block.",
        "Have the {arm} arm hammer the cube.",
        "The red block needs a hit from the hammer.",
        "Get the hammer and give the block a blow.",
        "Bring the hammer's head down on the red cube.",
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The hammer in the middle, a fixed block to the left or right of it."""
        x = rng.uniform(0.09, 0.25) * rng.choice((-1.0, 1.0))
        y, yaw = rng.uniform(-0.05, 0.12), rng.uniform(-0.5, 0.5)
        self.hammer = self.world.add(hammer("hammer"), Pose((0.0, 0.0, TABLE_TOP + HEAD_HALF)))
        cube = turned("z", yaw, (x, y, TABLE_TOP + _HALF))
        self.block = self.world.add(block("block", "red", _HALF), cube, static=True)
        self.arm = arm_for(x)
        self.words = {"arm": self.arm}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """Grasp the handle, lift, carry the head over the block, beat."""
        arm, grip = self.arm, self.hammer.point("grip")
        grasp = hand_down(arm, grip.p, grasp_yaw(arm, grip, np.pi), level=True)
        yield hands.move({arm: grasp.moved(z=_HOVER)})
        yield hands.slide({arm: grasp})
        yield hands.grip({arm: 0.0})
        yield hands.shift([arm], z=_HOVER)
        top = self.block.point("top")
        face = turned("z", heading(arm, top.p), top.p)
        over = carried(self.hammer.point("face"), self.world.tcp(arm), face)
        yield hands.move({arm: over.moved(z=_HOVER)})
        yield hands.slide({arm: over.moved(z=-_BEAT)})

    def success(self) -> bool:
        """RoboTwin: face within 2 cm (x and y) of the block's top, and the two touch."""
        offset = self.hammer.point("face").position - self.block.point("top").position
        return bool(np.all(np.abs(offset[:2]) < 0.02)) and self.world.touching("hammer", "block")
