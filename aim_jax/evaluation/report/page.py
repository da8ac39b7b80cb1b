"""The page: sections put together from the data of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from aim_jax.durations import duration
from aim_jax.evaluation.report.bars import success_bars, time_bars
from aim_jax.evaluation.report.curves import line_chart
from aim_jax.evaluation.report.document import document, header
from aim_jax.evaluation.report.media import picture, video
from aim_jax.evaluation.report.run_data import STAGES, Curve, RunData, read_run
from aim_jax.files import write_atomic


def write_report(run: Path) -> Path:
    """Writes `report/index.html` into the folder of a run and returns its path.

    Raises:
        AimError: the run has no summary, or a malformed one.
    """
    path = run / "report" / "index.html"
    write_atomic(path, render(read_run(run)))
    return path


def render(data: RunData) -> str:
    """The whole page as HTML; it refers to no other file."""
    sections = [
        _header(data),
        _success(data),
        _pictures(data),
        _episodes(data),
        _curves(data),
        _timing(data),
        _manifest(data),
    ]
    return document(data.name, sections)


def _header(data: RunData) -> str:
    tiles = []
    for stage, label in STAGES.items():
        rates = [rates[stage] for rates in data.tasks.values() if stage in rates]
        if rates:
            successes, episodes = sum(rate.successes for rate in rates), sum(rate.episodes for rate in rates)
            tiles.append((f"{successes / episodes:.0%}", f"{label}, {successes} of {episodes} episodes"))
    if data.phases:
        tiles.append((duration(sum(data.phases.values())), f"for {len(data.phases)} phases"))
    summary = (
        "Success of each policy in closed loop in the simulator, what it foresaw, how it learned, and what it was made"
        " with."
    )
    return header(data.name, summary, tiles)


def _success(data: RunData) -> str:
    cards = "".join(
        f'<div class="card"><h3>{escape(task)}</h3>{success_bars(rates)}</div>' for task, rates in data.tasks.items()
    )
    note = "Share of successful episodes on seeds not seen in training; the whiskers are Wilson 95 % intervals."
    note = " ".join([note, *map(escape, data.notes)])
    return _section("Success", note, f'<div class="grid wide">{cards}</div>')


def _pictures(data: RunData) -> str:
    note = "Frames that the model predicted beside those that came, with the value map laid over."
    return _gallery("Foreseen and seen", note, "wide", [picture(media) for media in data.pictures])


def _episodes(data: RunData) -> str:
    return _gallery(
        "Episodes", "Whole episodes, as the cameras saw them.", "small", [video(media) for media in data.episodes]
    )


def _gallery(title: str, note: str, size: str, figures: Sequence[str]) -> str:
    return _section(title, note, f'<div class="grid {size}">{"".join(figures)}</div>') if figures else ""


def _curves(data: RunData) -> str:
    cards = [
        f'<div class="card"><h3>{escape(title)}</h3>{line_chart(curves)}</div>'
        for name, all_curves in data.curves.items()
        for title, curves in charts(name, all_curves)
    ]
    note = "Values logged over the training steps: faint as logged, bold their running mean."
    return _section("Learning", note, f'<div class="grid">{"".join(cards)}</div>') if cards else ""


def charts(name: str, curves: Sequence[Curve]) -> list[tuple[str, list[Curve]]]:
    """Titles and curves of the pictures of a metrics file: all losses share one, every other value has its own."""
    losses = [curve for curve in curves if "loss" in curve.name]
    others = [curve for curve in curves if "loss" not in curve.name]
    joint = [(f"{name}: losses" if len(losses) > 1 else f"{name}: {losses[0].name}", losses)] if losses else []
    return joint + [(f"{name}: {curve.name}", [curve]) for curve in others]


def _timing(data: RunData) -> str:
    if not data.phases:
        return ""
    card = f'<div class="card">{time_bars(data.phases)}</div>'
    return _section("Time", "Wall-clock time of each phase.", f'<div class="grid wide">{card}</div>')


def _manifest(data: RunData) -> str:
    tables = [
        _table("Versions", data.versions, opened=True),
        _table("Seeds", data.seeds),
        _table("Configuration", data.config),
    ]
    return _section("Manifest", "What is needed to make this run again.", "".join(filter(None, tables)))


def _table(title: str, values: Any, opened: bool = False) -> str:
    rows = flatten(values)
    if not rows:
        return ""
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    start = "<details open" if opened else "<details"
    return f'{start} class="card"><summary>{title}</summary><div class="scroll"><table>{body}</table></div></details>'


def flatten(values: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested mappings and dataclasses as rows `a.b.c` → text; sequences stay whole, except those of mappings."""
    if dataclasses.is_dataclass(values) and not isinstance(values, type):
        values = {field.name: getattr(values, field.name) for field in dataclasses.fields(values)}
    if isinstance(values, Mapping):
        items = list(values.items())
    elif isinstance(values, list) and any(isinstance(value, Mapping) for value in values):
        items = list(enumerate(values))
    else:
        return [] if values is None and not prefix else [(prefix, str(values))]
    return [row for name, value in items for row in flatten(value, f"{prefix}.{name}" if prefix else str(name))]


def _section(title: str, note: str, body: str) -> str:
    return f'<section><h2>{title}</h2><p class="note">{note}</p>{body}</section>'
