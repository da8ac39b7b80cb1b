"""Put the burger and the fries on the tray. Layout and goal as RoboTwin's envs/place_burger_fries.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aim_jax.sim.layouts import spot
from aim_jax.sim.objects.fast_food import BURGERS, FRIES, TRAYS, burger, fries, tray
from aim_jax.sim.robot import ARMS
from aim_jax.sim.skills.carry import Carrier, Hold, turns
from aim_jax.sim.skills.grasp import ROUND
from aim_jax.sim.skills.hands import Actions, Hands
from aim_jax.sim.task import Task
from aim_jax.sim.wording import verb_templates

_SYMMETRY = {"left": ROUND, "right": np.pi}
_CLEAR = 0.1  # metres


class PlaceBurgerFries(Task):
    """Burger and fries are within 8 cm of their places on the tray, grippers open."""

    name = "place_burger_fries"
    seen, unseen = verb_templates(
        ("the {burger} and the {fries} on the {tray}", "the {burger} left and the {fries} right onto the {tray}"),
        ("the meal of {burger} and {fries} upon the {tray}",),
        arms="both",
    )

    def layout(self, rng: np.random.Generator) -> None:
        """The tray in the middle, the burger left and the fries right of it."""
        names = {"tray": str(rng.choice(list(TRAYS))), "burger": str(rng.choice(BURGERS))}
        names["fries"] = str(rng.choice(list(FRIES)))
        self.tray = self.world.add(tray("tray", names["tray"]), spot(rng, (0.0, 0.0), (-0.15, -0.1)), static=True)
        left = self.world.add(burger("burger", names["burger"]), spot(rng, (-0.3, -0.25), (-0.15, -0.07)))
        right = self.world.add(fries("fries", names["fries"]), spot(rng, (0.22, 0.3), (-0.15, -0.07)))
        self.food = {"left": left, "right": right}
        self.words = names

    def expert(self, hands: Hands) -> Iterator[Actions]:
        """Both are picked at once, then put on the tray one after the other."""
        carrier = Carrier(hands, self.world)
        spots = {arm: turns(self.tray.point(arm).moved(z=0.002), np.pi / 2) for arm in ARMS}
        holds = {arm: Hold(self.food[arm], spots[arm], symmetry=_SYMMETRY[arm]) for arm in ARMS}
        yield from carrier.pick(holds, lift=_CLEAR)
        for arm in ARMS:
            yield from carrier.place({arm: (self.food[arm], spots[arm])}, hover=_CLEAR, retreat=_CLEAR, up=True)
            yield hands.move({}, home=[arm])

    def success(self) -> bool:
        """RoboTwin: each within 8 cm (level) of its place, grippers open."""
        gaps = [self.food[arm].pose.position - self.tray.point(arm).position for arm in ARMS]
        return all(np.hypot(*gap[:2]) < 0.08 for gap in gaps) and all(map(self.world.gripper_open, ARMS))
