"""The gallery as one HTML file: a video per task and setting, success of the experts, how well the maps lie."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from aim_jax.evaluation.gallery.clip import Clip
from aim_jax.evaluation.report.document import document, header
from aim_jax.evaluation.report.media import video
from aim_jax.evaluation.report.run_data import Media
from aim_jax.evaluation.wilson import SuccessRate
from aim_jax.files import write_atomic
from aim_jax.sim.recording.map_check import MapCheck

Success = Mapping[tuple[str, str], SuccessRate]
"""(task, setting) → the expert's success."""


def write_gallery(path: Path, clips: Sequence[Clip], success: Success) -> None:
    """Writes the page; it refers to no other file.

    Args:
        path: of the page; the videos lie in the folder `clips` beside it.
        clips: ordered by task.
        success: what the experts reached, where it was measured.
    """
    groups = [(task, list(group)) for task, group in itertools.groupby(clips, key=lambda clip: clip.task)]
    sections = [_section(task, group, success, path.parent / "clips") for task, group in groups]
    write_atomic(path, document("tasks", [_header(clips), _table(groups, success), *sections]))


def _header(clips: Sequence[Clip]) -> str:
    maps = sum((clip.maps for clip in clips), MapCheck())
    tiles = [
        (str(len({clip.task for clip in clips})), "tasks"),
        (f"{sum(clip.seed is not None for clip in clips)} of {len(clips)}", "clips with a successful episode"),
        (
            _share(maps.on_target, maps.frames),
            "of frames shortly before a touch have the map's maximum on a pixel that shows the target;"
            f" {_share(maps.on_outline, maps.frames)} inside the outline that it has without the hand before it,"
            f" {_share(maps.near_target, maps.frames)} there or a pixel beside",
        ),
        (
            _share(maps.points_marked, maps.points),
            "of touched points had a value of one half at least;"
            f" {_share(maps.contacts_marked, maps.contacts)} of touches, in the mean of their points",
        ),
        (f"{maps.maps_differing} of {maps.maps}", "stored maps are not the maximum over the active contact points"),
    ]
    summary = (
        "An expert's episode of every task with its value maps laid over: the head camera above, the cameras of the"
        " left and the right hand below. Points that something else than the acting arm hides are not drawn:"
        f" {maps.points_hidden} touched points and {maps.blind} frames are left out of these shares for that reason."
    )
    return header("tasks", summary, tiles)


def _table(groups: Sequence[tuple[str, list[Clip]]], success: Success) -> str:
    settings = list(dict.fromkeys(clip.setting for _, clips in groups for clip in clips))
    head = "".join(f"<th>expert, {name}</th>" for name in settings)
    rows = []
    for task, clips in groups:
        maps = sum((clip.maps for clip in clips), MapCheck())
        rates = "".join(f"<td>{_rate(success.get((task, name)))}</td>" for name in settings)
        rows.append(
            f'<tr><td><a href="#{task}">{task}</a></td>{rates}'
            f"<td>{maps.on_target} ({maps.on_outline}, {maps.near_target}) of {maps.frames}</td><td>{maps.blind}</td>"
            f"<td>{maps.points_marked} of {maps.points}</td><td>{maps.points_hidden}</td>"
            f"<td>{maps.contacts_marked} of {maps.contacts}</td><td>{maps.maps_differing} of {maps.maps}</td></tr>"
        )
    return (
        '<details class="card" open><summary>All tasks</summary><div class="scroll"><table>'
        f"<tr><th>task</th>{head}<th>frames with the maximum on the target (in its outline, near it)</th>"
        "<th>frames hidden</th><th>touched points marked</th><th>points hidden</th><th>touches marked</th>"
        "<th>maps that differ</th></tr>" + "".join(rows) + "</table></div></details>"
    )


def _section(task: str, clips: Sequence[Clip], success: Success, folder: Path) -> str:
    figures = "".join(_figure(clip, success.get((task, clip.setting)), folder) for clip in clips)
    return f'<section id="{task}"><h2>{task}</h2><div class="grid">{figures}</div></section>'


def _figure(clip: Clip, rate: SuccessRate | None, folder: Path) -> str:
    measured = f"; expert {_rate(rate)}" if rate else ""
    if clip.seed is None:
        reasons = "; ".join(f"seed {seed}: {reason}" for seed, reason in clip.failures)
        caption = f"{clip.setting}{measured}: no success ({escape(reasons)})"
        return f'<figure class="card"><figcaption>{caption}</figcaption></figure>'
    events = ", ".join(f"{kind} {actor} ({arm})" for kind, arm, actor in clip.events)
    caption = f"{clip.setting}, seed {clip.seed}{measured}. “{clip.instruction}” Events: {events}"
    return video(Media(folder / f"{clip.stem}.mp4", caption))


def _rate(rate: SuccessRate | None) -> str:
    return f"{rate.successes} of {rate.episodes}" if rate else "–"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"
