"""Hand a microphone from one hand to the other. Layout and goal as RoboTwin's envs/handover_mic.py."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from aim_jax.sim import kinematics
from aim_jax.sim.objects import microphone
from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.robot import ARMS
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.skills.handover import other_arm, take_over
from aim_jax.sim.skills.hands import Actions, Hands, Unreachable, carried, grasp_yaw, heading
from aim_jax.sim.skills.poses import direction, down_poses, first_reachable, pointing
from aim_jax.sim.skills.side import first_plan, grasp_from_side
from aim_jax.sim.task import Task, arm_for
from aim_jax.sim.wording import templates

_HOVER, _AWAY, _ASIDE = 0.06, 0.08, 0.07  # metres
_HIGH = 0.92  # metres above which the microphone's head counts as handed over


class HandoverMic(Task):
    """The second hand alone holds the microphone up on its own side."""

    name = "handover_mic"
    seen, unseen = templates(
        (
            "hand over the {mic}",
            "pass the {mic} from the {first} hand to the {second} hand",
            "pick up the {mic} and give it to the other arm",
            "take the {mic} and hand it to the {second} arm",
            "transfer the {mic} from one hand to the other",
            "lift the {mic} and pass it across",
            "grab the {mic} and let the {second} hand take it",
            "give the {mic} to the {second} gripper",
            "raise the {mic} and swap hands",
            "move the {mic} from the {first} to the {second} hand in the air",
        ),
        ("relay the {mic} to the other side", "let the {mic} change hands"),
        arms="in turn",
    )

    def layout(self, rng: np.random.Generator) -> None:
        """A microphone lying on one side, its head away from the robot."""
        x = rng.uniform(0.15, 0.2) * rng.choice((-1.0, 1.0))
        variant = int(rng.integers(microphone.VARIANTS))
        place = Pose.of((x, rng.uniform(-0.05, 0.0), TABLE_TOP + microphone.REST))
        self.mic = self.world.add(microphone.microphone("microphone", variant), place)
        self.giver, self.taker = arm_for(x), other_arm(arm_for(x))
        self.words = {"mic": microphone.NAMES[variant], "first": self.giver, "second": self.taker}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """The giver lifts it by its tail to the middle; the taker takes its neck and draws it to its own side."""
        before, grasp, lifted, middle = first_plan(hands, self.giver, self._gives())
        yield from grasp_from_side(hands, self.giver, before, grasp)
        yield hands.slide({self.giver: lifted})
        yield hands.move({self.giver: middle}, speed=0.8)
        aside, before, grasp = first_reachable(self.taker, self._takes(self.mic.pose))
        yield from take_over(hands, self.giver, self.taker, before, grasp)
        yield hands.slide({self.taker: aside})

    def _gives(self) -> Iterator[Sequence[Pose]]:
        """Grasps of the tail with a place in the middle where the other hand can take the neck."""
        pose, tail = self.mic.pose, self.mic.point("tail")
        inwards = -1.0 if self.giver == "left" else 1.0  # a turn of the head towards the taker
        steepest_first = list(down_poses(self.giver, tail, grasp_yaw(self.giver, tail, np.pi)))
        for grasp in steepest_first[4:] + steepest_first[:4]:  # upright hands seldom reach as high as the middle
            for turn, y, z in itertools.product((0.9, 0.6, 0.3, 0.0), (-0.08, -0.04, 0.0), (0.96, 0.98)):
                middle = carried(pose, grasp, turned("z", inwards * turn, (0.0, y, z)))
                if kinematics.reachable(self.giver, middle) and self._can_take(middle @ grasp.inverse() @ pose):
                    yield grasp.moved(z=_HOVER), grasp, grasp.moved(z=_HOVER), middle

    def _can_take(self, mic: Pose) -> bool:
        try:
            return bool(first_reachable(self.taker, self._takes(mic)))
        except Unreachable:
            return False

    def _takes(self, mic: Pose) -> Iterator[Sequence[Pose]]:
        """Grasps of the neck across the axis, with which it can be drawn to the taker's side."""
        neck, axis = mic @ self.mic.blueprint.points["neck"], mic.rotation[:, 1]
        aside = _ASIDE if self.taker == "right" else -_ASIDE
        for share, pitch, side in itertools.product((1.0, 0.5, 0.0), (0.8, 1.1, 0.5), (1.0, -1.0)):
            forward = direction(share * heading(self.taker, neck.p), pitch)
            grasp = pointing(neck.p, forward, side * np.cross(axis, forward))
            yield grasp.moved(x=aside), grasp.moved(*(-_AWAY * forward)), grasp

    def success(self) -> bool:
        """RoboTwin: held by a finger, head above 0.92 m on the taker's side, taker closed and giver open."""
        head = self.mic.point("head").position
        there = head[2] > _HIGH and (head[0] < 0) == (self.taker == "left")
        held = any(len(self.world.finger_contacts(arm, self.mic.name)) for arm in ARMS)
        return bool(there and held) and self.world.gripper_closed(self.taker) and self.world.gripper_open(self.giver)
