"""Pick things up and put them down, with one hand or with both at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aim_jax.sim.pose import Pose, turned
from aim_jax.sim.robot import ARMS, JOINT_SLICE
from aim_jax.sim.skills.grasp import back, first_reachable, follow, holds, strain
from aim_jax.sim.skills.hands import Actions, Hands, Unreachable, carried
from aim_jax.sim.world import Actor, World

_HOVER = 0.07  # metres
_CAREFUL = 0.45  # share of the usual speed near things: the drives lag behind fast targets
_SETTLE = 4  # control steps for the drives to catch up before fingers close or open
_CLOSE = 8  # control steps in which fingers close
_REGRASP_TURNS = np.arange(-np.pi, np.pi, np.pi / 6)


@dataclass(frozen=True, eq=False)
class Hold:
    """What a hand is to pick up, and where it will go.

    Attributes:
        actor: the thing.
        spots: poses of the thing, any of which is its goal; the hold is chosen so that it can get there.
        grips: names of points at which to hold it; the first that works is taken.
        symmetry: turn of the fingers, radians, after which a grip looks the same.
    """

    actor: Actor
    spots: Sequence[Pose] = ()
    grips: Sequence[str] = ("grip",)
    symmetry: float = np.pi


def turns(spot: Pose, symmetry: float) -> list[Pose]:
    """A spot for a thing that looks the same after a turn of `symmetry` radians about its vertical."""
    return [spot @ turned("z", float(angle)) for angle in np.arange(0.0, 2 * np.pi - 1e-6, symmetry)]


def leaning(actor: Actor, spots: Sequence[Pose], up: float) -> list[Pose]:
    """The spots for a held thing as it leans in the hand, `up` metres higher: let go, it stands up by itself."""
    return [turned("z", _yaw(spot) - _yaw(actor.pose), spot.p).moved(z=up) @ Pose(q=actor.pose.q) for spot in spots]


class Carrier:
    """Plans picks and places from where things are."""

    def __init__(self, hands: Hands, world: World) -> None:
        self._hands, self._world = hands, world

    def pick(
        self,
        wanted: Mapping[str, Hold],
        *,
        lift: float = _HOVER,
        hover: float = _HOVER,
        opening: float = 1.0,
        closing: int = _CLOSE,
        home: bool = True,
    ) -> Iterator[Actions]:
        """Approaches things, grasps them and lifts them by `lift` metres; each arm one thing.

        Args:
            wanted: per arm what to pick.
            lift: metres; 0 = only grasp.
            hover: metres from which a hand approaches in a straight line.
            opening: of the grippers on the way.
            closing: control steps in which fingers close; they take longer to reach a thin wall than a thick thing.
            home: whether an arm that picks nothing goes home meanwhile.

        Raises:
            Unreachable: no hold works.
        """
        grasps = {arm: self._grasp(arm, hold, lift, hover) for arm, hold in wanted.items()}
        others = [arm for arm in ARMS if arm not in wanted] if home else []
        ready = {arm: back(pose, hover) for arm, pose in grasps.items()}
        yield self._hands.move(ready, dict.fromkeys(wanted, opening), home=others)
        yield self._hands.slide(grasps, speed=_CAREFUL)
        yield self._hands.hold(_SETTLE)
        yield self._hands.grip(dict.fromkeys(wanted, 0.0), closing)
        if lift:
            rises = [share * lift for share in (1.0, 0.7, 0.4)]
            tops = {
                arm: first_reachable(arm, [[pose.moved(z=rise)] for rise in rises], "lift")[0]
                for arm, pose in grasps.items()
            }
            yield self._hands.slide(tops)

    def carry(
        self, arm: str, hold: Hold, *, hover: float = _HOVER, release: float = 1.0, up: bool = False
    ) -> Iterator[Actions]:
        """Picks one thing and places it; by way of another turn on the table if no hold fits both ends.

        Raises:
            Unreachable: there is no way.
        """
        for spots in self._stations(arm, hold, hover):
            yield from self.pick({arm: dataclasses.replace(hold, spots=spots)}, hover=hover, lift=hover)
            opening = release if spots is hold.spots else 1.0  # on the way there is room
            yield from self.place({arm: (hold.actor, spots)}, hover=hover, release=opening, up=up)

    def bring(
        self, wanted: Mapping[str, tuple[Actor, Sequence[Pose]]], *, height: float = 0.0, speed: float = 1.0
    ) -> Iterator[Actions]:
        """Moves held things to `height` metres over the best of their spots, without letting go."""
        goals = {arm: self._goal(arm, actor, spots, height)[0] for arm, (actor, spots) in wanted.items()}
        yield self._hands.move(goals, speed=speed)
        yield self._hands.hold(2 * _SETTLE)

    def place(
        self,
        wanted: Mapping[str, tuple[Actor, Sequence[Pose]]],
        *,
        hover: float = _HOVER,
        release: float = 1.0,
        retreat: float = _HOVER,
        up: bool = False,
    ) -> Iterator[Actions]:
        """Puts held things down at the best of their spots and draws the hands back.

        Args:
            wanted: per arm the thing and the poses any of which it may take.
            hover: metres above the spot from which it goes straight down; less where that is too high to reach.
            release: opening that lets go, where there is no room for the whole.
            retreat: metres to draw back; less where that is too far.
            up: draw back straight up instead of along the hand.

        Raises:
            Unreachable: no spot works.
        """
        plans = {arm: self._goal(arm, actor, spots, hover, retreat, up) for arm, (actor, spots) in wanted.items()}
        above, goals, after = ({arm: plan[i] for arm, plan in plans.items()} for i in range(3))
        yield self._hands.move(above)
        yield self._hands.slide(goals, speed=_CAREFUL)
        yield self._hands.hold(_SETTLE)
        yield self._hands.grip(dict.fromkeys(wanted, release))
        yield self._hands.slide(after)
        if release < 1.0:
            yield self._hands.grip(dict.fromkeys(wanted, 1.0))

    def _stations(self, arm: str, hold: Hold, hover: float) -> list[Sequence[Pose]]:
        """The spots to go to one after the other: the goal alone if it can be reached in one go."""
        try:
            self._grasp(arm, hold, hover, hover)
            return [hold.spots]
        except Unreachable:
            here = hold.actor.pose.moved(z=0.001)
            for turn in sorted(_REGRASP_TURNS, key=lambda turn: abs(abs(turn) - np.pi / 2)):
                between = here @ turned("z", float(turn))
                try:
                    self._grasp(arm, hold, hover, hover, between)
                    self._grasp(arm, dataclasses.replace(hold, spots=[between]), hover, hover)
                    return [[between], hold.spots]
                except Unreachable:
                    continue
            raise

    def _grasp(self, arm: str, hold: Hold, lift: float, hover: float, actor: Pose | None = None) -> Pose:
        """The hand that holds the thing where it is, or where it would be at the pose `actor`."""
        actor = hold.actor.pose if actor is None else actor
        points = hold.actor.blueprint.points
        hands = [
            hand
            for grip in hold.grips
            for hand in holds(arm, actor @ points[grip], self._world.table_top, hold.symmetry)
        ]
        plans: list[tuple[float, int, Pose | None]] = []
        for index, hand in enumerate(hands):
            ends = [carried(actor, hand, spot) for spot in hold.spots]
            effort = strain(arm, hand)
            plans += [(_total(effort, strain(arm, end)), index, end) for end in ends] or [(effort, index, None)]
        grasped: dict[int, np.ndarray | None] = {}
        for _, index, end in sorted(plans, key=lambda plan: plan[0]):
            hand = hands[index]
            if index not in grasped:
                grasped[index] = follow(arm, [back(hand, hover), hand, hand.moved(z=0.4 * lift)])
            joints = grasped[index]
            if joints is not None and (end is None or follow(arm, [end.moved(z=hover), end], joints) is not None):
                return hand
        raise Unreachable(f"the {arm} hand cannot pick up the {hold.actor.name}")

    def _goal(
        self, arm: str, actor: Actor, spots: Sequence[Pose], hover: float, retreat: float = 0.0, up: bool = False
    ) -> Sequence[Pose]:
        """Where the hand goes before, at and after putting the actor down: from home, or else from where it is."""
        hand = self._world.tcp(arm)
        goals = sorted((carried(actor.pose, hand, spot) for spot in spots), key=lambda goal: strain(arm, goal))
        plans = [
            [goal.moved(z=share * hover), goal, goal.moved(z=share * retreat) if up else back(goal, share * retreat)]
            for share in (1.0, 0.6, 0.3)
            for goal in goals
        ]
        here = self._hands.target[JOINT_SLICE[arm]]
        return first_reachable(arm, plans, f"put down the {actor.name}", (None, here))


def _total(pick: float, place: float) -> float:
    """The strain of a plan: its worst moment counts most."""
    return max(pick, place) + 0.3 * (pick + place)


def _yaw(pose: Pose) -> float:
    forward = pose.rotation[:, 0]
    return float(np.arctan2(forward[1], forward[0]))
