"""Stamp a coloured square. Layout and goal as RoboTwin's envs/stamp_seal.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aim_jax.sim.objects import stamp
from aim_jax.sim.pose import Pose
from aim_jax.sim.robot import ARMS
from aim_jax.sim.scene_facts import TABLE_TOP
from aim_jax.sim.skills.hands import Actions, Hands, grasp_yaw
from aim_jax.sim.skills.poses import down_poses, first_reachable, put_at
from aim_jax.sim.skills.side import first_plan
from aim_jax.sim.task import Task, arm_for
from aim_jax.sim.wording import templates

_HOVER = 0.045  # metres
_GAP = 0.004  # metres the stamp is commanded below the square's top
_CAREFUL, _PRESS = 0.5, 6  # share of the usual speed; control steps in which the held stamp presses
_TURNS = (0.0, np.pi / 2, -np.pi / 2, np.pi)  # radians after which the stamp looks the same


class StampSeal(Task):
    """The stamp stands within 1 cm of the square's middle and both grippers are open."""

    name = "stamp_seal"
    pressed = ("pad",)
    seen, unseen = templates(
        (
            "stamp the {color} square with the {stamp}",
            "put the {stamp} on the {color} square",
            "pick up the {stamp} and press it onto the {color} square",
            "place the {stamp} in the middle of the {color} mat",
            "grab the {stamp} and stamp on the {color} area",
            "move the {stamp} onto the {color} square",
            "take the {stamp} by its knob and set it on the {color} square",
            "lift the {stamp} and lower it onto the {color} mat",
            "set the {stamp} down on the {color} square",
            "bring the {stamp} to the {color} square and release it",
        ),
        ("seal the {color} square using the {stamp}", "let the {stamp} stand on the {color} patch"),
    )

    def layout(self, rng: np.random.Generator) -> None:
        """A stamp on one side and a square at least 10 cm from it on the same side."""
        side = rng.choice((-1.0, 1.0))
        spots = np.zeros((2, 2))
        while np.linalg.norm(spots[0] - spots[1]) < 0.1:
            spots = np.stack([side * rng.uniform(0.05, 0.25, 2), rng.uniform(-0.05, 0.05, 2)], axis=1)
        variant, color = int(rng.integers(stamp.VARIANTS)), str(rng.choice(tuple(stamp.PAD_COLORS)))
        self.stamp = self.world.add(stamp.stamp("stamp", variant), Pose.of((*spots[0], TABLE_TOP)))
        self.pad = self.world.add(
            stamp.pad("pad", color), Pose.of((*spots[1], TABLE_TOP + stamp.PAD_HALF)), static=True
        )
        self.arm = arm_for(side)
        self.words = {"stamp": stamp.NAMES[variant], "color": color, "arm": self.arm}

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """Grasp the knob, lift, press onto the square, let go."""
        arm, grip = self.arm, self.stamp.point("grip")
        goal = Pose(self.pad.pose.moved(z=stamp.PAD_HALF - _GAP).p, self.stamp.pose.q)
        ways = [
            (grasp.moved(z=_HOVER), grasp, down.moved(z=_HOVER), down)
            for grasp in down_poses(arm, grip, grasp_yaw(arm, grip))
            for down in put_at(self.stamp.pose, grasp, goal, _TURNS)
        ]
        over, grasp, _, _ = first_reachable(arm, ways)
        yield hands.move({arm: over})
        yield hands.slide({arm: grasp})
        yield hands.grip({arm: 0.0})
        yield hands.shift([arm], z=_HOVER)
        downs = put_at(self.stamp.pose, self.world.tcp(arm), goal, _TURNS)
        over, down = first_plan(hands, arm, [(pose.moved(z=_HOVER), pose) for pose in downs])
        yield hands.move({arm: over})
        yield hands.slide({arm: down}, speed=_CAREFUL)
        yield hands.hold(_PRESS)
        yield hands.grip({arm: 1.0})
        yield hands.shift([arm], z=_HOVER)

    def success(self) -> bool:
        """RoboTwin: within 1 cm along x and y of the square's middle, both grippers open."""
        offset = np.abs(self.stamp.pose.position - self.pad.pose.position)[:2]
        return bool(np.all(offset < 0.01)) and all(map(self.world.gripper_open, ARMS))
