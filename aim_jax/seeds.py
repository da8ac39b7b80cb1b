"""Which layout seeds are for what: those of demonstrations, of Stage II and of evaluation never meet.

A seed and a task determine the layout; the setting and the policy do not. So equal seeds of one task are equal layouts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aim_jax.errors import AimError

if TYPE_CHECKING:
    from aim_jax.config import ExperimentConfig

DEMONSTRATIONS, STAGE2, EVALUATION = "demonstrations", "Stage II", "evaluation"
PARTS = {DEMONSTRATIONS: range(50_000), STAGE2: range(50_000, 100_000), EVALUATION: range(100_000, 1_000_000_000)}
"""What is whose unless a configuration says otherwise; RoboTwin's evaluation begins at 100 000 too."""
SETTING_STEP = 25_000
"""How far apart the first seeds of two settings are that are collected together: half of the demonstrations' part."""
SPARE = PARTS[EVALUATION].stop
"""An unstable layout of Stage II is replaced by the one so many seeds on, which nothing else uses."""
_TRIES = 2  # seeds that a demonstration may take, in plans; what was really used is reported


def planned(experiment: ExperimentConfig) -> dict[str, range]:
    """The layout seeds that an experiment means to use, by what for."""
    collect, grpo, evaluation = experiment.collect, experiment.grpo, experiment.eval
    return {
        DEMONSTRATIONS: _span(collect.seed_start, _TRIES * collect.episodes),
        STAGE2: _span(grpo.seed_start, grpo.layouts),
        EVALUATION: _span(evaluation.seed_start, evaluation.episodes),
    }


def seed_report(own: range, others: Mapping[str, range]) -> dict[str, Any]:
    """First and last seed of a range, and which other ranges it shares none or some with."""
    meets = {name: bool(own) and bool(other) and _meet(own, other) for name, other in others.items()}
    return {
        "first": own.start if own else None,
        "last": own.stop - 1 if own else None,
        "disjoint_from": [name for name, met in meets.items() if not met],
        "shared_with": [name for name, met in meets.items() if met],
    }


def evaluation_seeds(experiment: ExperimentConfig) -> dict[str, Any]:
    """`seed_report` of an experiment's evaluation."""
    ranges = planned(experiment)
    return seed_report(ranges.pop(EVALUATION), ranges)


def check_disjoint(experiment: ExperimentConfig) -> None:
    """Refuses an experiment that means to use a layout twice.

    Raises:
        AimError: two of its ranges of seeds overlap.
    """
    ranges = planned(experiment)
    for name in list(ranges):
        own = ranges.pop(name)
        for other in seed_report(own, ranges)["shared_with"]:
            raise AimError(
                f"Layouts of {name} would be used again for {other}",
                wanted="ranges of seeds that do not meet",
                got=f"{_named(own)} for {name}, {_named(ranges[other])} for {other}",
                remedy="change collect.seed_start, grpo.seed_start or eval.seed_start",
            )


def collected(first: int, settings: Sequence[str]) -> dict[str, range]:
    """The seeds from which the demonstrations of several settings are taken, so that no layout is in two of them.

    Args:
        first: seed of the first setting.
        settings: their names; each starts `SETTING_STEP` after the one before.
    """
    starts = [first + index * SETTING_STEP for index in range(len(settings))]
    stops = [*starts[1:], SPARE]
    return {
        setting: range(start, min(stop, _part_end(start)))
        for setting, start, stop in zip(settings, starts, stops, strict=True)
    }


def _part_end(seed: int) -> int:
    return next((part.stop for part in PARTS.values() if seed in part), SPARE)


def _span(start: int, count: int) -> range:
    return range(start, start + count)


def _meet(a: range, b: range) -> bool:
    return a.start < b.stop and b.start < a.stop


def _named(seeds: range) -> str:
    return f"{seeds.start}–{seeds.stop - 1}"
