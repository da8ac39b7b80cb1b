"""Tables 1 and 2 of the paper with measured success rates beside its numbers."""

from __future__ import annotations

import csv
import importlib.resources
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from aim_jax.evaluation.wilson import SuccessRate

SETTINGS = ("easy", "hard")
POLICIES = {"pi05": "π0.5", "xvla": "X-VLA", "motus": "Motus", "stage1": "Stage1", "aim": "AIM"}
"""The paper's policies with a rate per task: column of `assets/paper_table1.csv` -> its name there."""


@dataclass(frozen=True)
class Row:
    """A task's line of Table 1, or a setting's of Table 2.

    Attributes:
        name: of the task or setting.
        measured: setting -> success rate in percent; only what was measured.
        paper: policy -> setting -> percent as printed; empty for a task that is none of the paper's.
    """

    name: str
    measured: Mapping[str, float]
    paper: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Tables:
    """Both tables.

    Attributes:
        table1: a row per measured task, in the paper's order; tasks that it does not have come last.
        table2: the averages "easy", "hard" and "average". Those measured go over the tasks measured in the setting.
        same_tasks: the same averages with the paper's numbers taken over the same tasks, which is the fair comparison
            while tasks are missing.
        tasks: setting -> how many of the paper's tasks were measured.
    """

    table1: Sequence[Row]
    table2: Sequence[Row]
    same_tasks: Sequence[Row]
    tasks: Mapping[str, int]


_ONLY_AVERAGES = {"pi0": "π0", "fast_wam": "Fast-WAM", "giga_world": "Giga-World", "lingbot_va": "LingBot-VA"}


def tables(rates: Mapping[str, Mapping[str, SuccessRate]]) -> Tables:
    """Puts measured rates beside the paper's.

    Args:
        rates: setting ("easy", "hard") -> task -> rate, as `aim eval --setting SETTING` counts them.
    """
    paper = paper_table1()
    measured = {task for setting in SETTINGS for task in rates.get(setting, {})}
    names = [task for task in paper if task in measured] + sorted(measured - paper.keys())
    rows = [Row(name, _percent(rates, name), paper.get(name, {})) for name in names]
    common = [row for row in rows if row.paper]
    ours = {setting: [row.measured[setting] for row in common if setting in row.measured] for setting in SETTINGS}
    means = _with_average({setting: fmean(values) for setting, values in ours.items() if values})
    theirs = {policy: _means(common, policy) for policy in POLICIES}
    return Tables(
        rows,
        [_average_row(setting, means, values) for setting, values in paper_table2().items()],
        [_average_row(name, means, {p: m[name] for p, m in theirs.items() if name in m}) for name in paper_table2()],
        {setting: len(values) for setting, values in ours.items()},
    )


def markdown(made: Tables) -> str:
    """The tables as text; a dash stands for what was not measured or not printed."""
    count = " and ".join(f"{number} of 50 tasks {setting}" for setting, number in made.tasks.items())
    first = [f"{who} {setting}" for who in ("measured", *POLICIES.values()) for setting in SETTINGS]
    parts = [
        "Table 1: success rates per task, in percent"
        " (the paper's: in RoboTwin; measured: in aim_jax's own simulator, whose objects are others)",
        _grid(["task", *first], [[row.name, *_cells(row)] for row in made.table1]),
        f"Table 2: averages, in percent (measured: {count})",
        _averages(made.table2),
        "The same averages with the paper's numbers over the tasks measured here",
        _averages(made.same_tasks),
    ]
    return "\n\n".join(parts)


def paper_table1() -> dict[str, dict[str, dict[str, float]]]:
    """Task -> policy -> setting -> percent, as printed in the paper's Table 1."""
    return {
        line["task"]: {p: {setting: float(line[f"{p}_{setting}"]) for setting in SETTINGS} for p in POLICIES}
        for line in _read("paper_table1.csv")
    }


def paper_table2() -> dict[str, dict[str, float]]:
    """Setting ("easy", "hard", "average") -> policy -> percent, as printed in the paper's Table 2."""
    return {
        line["setting"]: {name: float(value) for name, value in line.items() if name != "setting"}
        for line in _read("paper_table2.csv")
    }


def _read(name: str) -> list[dict[str, str]]:
    text = importlib.resources.files("aim_jax").joinpath("assets", name).read_text()
    return list(csv.DictReader(text.splitlines()))


def _percent(rates: Mapping[str, Mapping[str, SuccessRate]], task: str) -> dict[str, float]:
    return {setting: 100 * rates[setting][task].rate for setting in SETTINGS if task in rates.get(setting, {})}


def _means(rows: Iterable[Row], policy: str) -> dict[str, float]:
    """A policy's printed averages over the tasks measured in each setting."""
    values = {s: [row.paper[policy][s] for row in rows if s in row.measured] for s in SETTINGS}
    return _with_average({setting: fmean(found) for setting, found in values.items() if found})


def _with_average(means: dict[str, float]) -> dict[str, float]:
    return means | {"average": fmean(means.values())} if len(means) == len(SETTINGS) else means


def _average_row(name: str, means: Mapping[str, float], paper: Mapping[str, float]) -> Row:
    measured = {name: means[name]} if name in means else {}
    return Row(name, measured, {policy: {name: value} for policy, value in paper.items()})


def _averages(rows: Sequence[Row]) -> str:
    policies = list(dict.fromkeys(policy for row in rows for policy in row.paper))
    lines = [
        [row.name, _cell(row.measured.get(row.name)), *(_cell(row.paper.get(p, {}).get(row.name)) for p in policies)]
        for row in rows
    ]
    return _grid(
        ["setting", "measured", *((POLICIES | _ONLY_AVERAGES).get(policy, policy) for policy in policies)], lines
    )


def _cells(row: Row) -> list[str]:
    sources = (row.measured, *(row.paper.get(policy, {}) for policy in POLICIES))
    return [_cell(source.get(setting)) for source in sources for setting in SETTINGS]


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
