"""Hand a tall block over and set it down. Layout and goal as RoboTwin's envs/handover_block.py."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from aim_jax.sim import kinematics
from aim_jax.sim.objects import bar
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.skills.handover import take_over
from aim_jax.sim.skills.hands import Actions, Hands, Unreachable
from aim_jax.sim.skills.poses import first_reachable, put_at
from aim_jax.sim.skills.side import first_plan, grasp_from_side, side_grasps, square_yaws
from aim_jax.sim.task import Task
from aim_jax.sim.wording import templates

_LIFT, _GAP = 0.06, 0.002  # metres
_SETTLE = 5  # control steps for the drives to catch up: a block that still moves is not where it will be taken
_QUARTERS = tuple(np.pi / 2 * np.arange(4))  # radians
_TURNS = (0.0, 0.5, -0.5, 1.0, -1.0)  # radians the block may be turned by on the mat


class HandoverBlock(Task):
    """The block stands on the blue mat and the right hand is open."""

    name = "handover_block"
    seen, unseen = templates(
        (
            "hand over the red block and put it on the blue mat",
            "pass the red block to the other hand and set it on the blue mat",
            "pick up the block, hand it over and place it on the mat",
            "move the tall red block to the blue mat, changing hands on the way",
            "give the red block to the other arm and place it on the blue square",
            "transfer the block between the hands and put it onto the mat",
            "take the red block, pass it on and stand it on the blue mat",
            "grab the tall block, swap hands and set it down on the mat",
            "lift the red block, hand it across and lower it onto the blue mat",
            "bring the red block to the blue mat by handing it over",
        ),
        ("relay the red block onto the blue mat", "exchange the block in the air, then mat it"),
        arms="in turn",
    )

    def layout(self, rng: np.random.Generator) -> None:
        """A tall block on the left, a mat on the right."""
        yaw = 0.393 + rng.uniform(-0.2, 0.2)
        place = (rng.uniform(-0.25, -0.05), rng.uniform(0.0, 0.25), TABLE_TOP + bar.BAR_HALF[2])
        self.block = self.world.add(bar.bar("block"), turned("z", yaw, place))
        spot = (rng.uniform(0.1, 0.25), rng.uniform(0.15, 0.2), TABLE_TOP + bar.MAT_HALF[2])
        self.mat = self.world.add(bar.mat("mat"), Pose.of(spot), static=True)
        self.words = {"first": "left", "second": "right"}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """Left grasps the upper half and carries it to the middle, right takes the lower half and sets it down."""
        before, grasp, lifted, middle = first_plan(hands, "left", self._gives())
        yield from grasp_from_side(hands, "left", before, grasp)
        yield hands.slide({"left": lifted})
        yield hands.move({"left": middle}, speed=0.8)
        yield hands.hold(_SETTLE)
        _, before, grasp, _ = first_reachable("right", self._takes(self.block.pose))
        yield from take_over(hands, "left", "right", before, grasp)
        downs = put_at(self.block.pose, self.world.tcp("right"), self._spot())
        over, down = first_plan(hands, "right", [(pose.moved(z=_LIFT), pose) for pose in downs])
        yield hands.move({"right": over}, home=["left"], speed=0.8)
        yield hands.slide({"right": down})
        yield hands.grip({"right": 1.0})
        yield hands.hold(_SETTLE)
        away = self._centred(hands.pose("right"))
        yield hands.slide({"right": away}, speed=0.3)
        yield hands.slide({"right": away.moved(*(-_LIFT * away.rotation[:, 2]))})
        yield hands.hold(2 * _SETTLE)

    def _centred(self, hand: Pose) -> Pose:
        """The hand with the block midway between its open fingers, so that none drags it along."""
        block, across = self.block.pose, hand.rotation[:, 1]
        up = block.rotation[:, 2]
        middle = block.position + up * float(np.dot(hand.position - block.position, up))
        return hand.moved(*(float(np.dot(middle - hand.position, across)) * across))

    def _spot(self) -> Pose:
        return self.mat.point("top").moved(z=bar.BAR_HALF[2] + _GAP)

    def _gives(self) -> Iterator[Sequence[Pose]]:
        """Grasps of the upper half with a place in the middle where the right hand can take the block and go on."""
        pose = self.block.pose
        for before, grasp in side_grasps("left", self.block.point("upper"), square_yaws("left", pose)):
            for yaw, y, z in itertools.product((0.785, 0.5, 1.0), (-0.02, 0.04), (0.93, 0.9)):
                for middle in put_at(pose, grasp, turned("z", yaw, (0.0, y, z)), _QUARTERS):
                    if kinematics.reachable("left", middle) and self._can_take(middle @ grasp.inverse() @ pose):
                        yield before, grasp, grasp.moved(z=_LIFT), middle

    def _can_take(self, block: Pose) -> bool:
        try:
            return bool(first_reachable("right", self._takes(block)))
        except Unreachable:
            return False

    def _takes(self, block: Pose) -> Iterator[Sequence[Pose]]:
        """Grasps of the lower half of a block, with which it can be set down."""
        lower = block @ self.block.blueprint.points["lower"]
        for before, grasp in side_grasps("right", lower, square_yaws("right", block)):
            for down in put_at(block, grasp, self._spot(), _TURNS):
                yield down, before, grasp, down.moved(z=_LIFT)

    def success(self) -> bool:
        """RoboTwin: its bottom within 3 cm (x, y) and 1 cm (z) of the mat's top, the right hand open."""
        offset = np.abs(self.block.point("bottom").position - self.mat.point("top").position)
        return bool(np.all(offset < (0.03, 0.03, 0.01))) and self.world.gripper_open("right")
