"""What a report shows, read from the folder of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aim_jax.errors import AimError
from aim_jax.evaluation.wilson import SuccessRate
from aim_jax.files import read_json
from aim_jax.training.metrics import read_metrics

# Who acts in an episode, in the order in which it is told.
STAGES = {"expert": "Expert", "untrained": "Untrained", "stage1": "Stage I", "stage2": "Stage II"}


@dataclass(frozen=True)
class Media:
    """A picture or video of the run.

    Attributes:
        path: the file.
        caption: what it shows.
        success: the outcome of the episode; None where there is none.
    """

    path: Path
    caption: str
    success: bool | None = None


@dataclass(frozen=True)
class Curve:
    """One logged value over the training steps: `values[i]` was logged at `steps[i]`."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class RunData:
    """The content of a report.

    Attributes:
        name: name of the run.
        tasks: task → stage → success rate; the keys of `STAGES` as far as they were measured.
        notes: sentences about the results.
        phases: phase → seconds, in the order of the run.
        versions: name → version.
        seeds: what was seeded with what.
        config: the resolved configuration.
        curves: name of a metrics file → its curves.
        episodes: videos.
        pictures: predicted and true frames.
    """

    name: str
    tasks: Mapping[str, Mapping[str, SuccessRate]]
    notes: Sequence[str] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    seeds: Any = None
    config: Any = None
    curves: Mapping[str, Sequence[Curve]] = field(default_factory=dict)
    episodes: Sequence[Media] = ()
    pictures: Sequence[Media] = ()


def read_run(folder: Path) -> RunData:
    """Reads `summary.json` and, at any depth, `metrics/*.jsonl`, `episodes/*.mp4` and `pictures/*.png`.

    Only the summary must exist. Beside a video or picture, a file of the same name ending in `.json` may hold its
    `caption` and `success`.

    Raises:
        AimError: the summary is missing or is none.
    """
    summary = read_json(folder / "summary.json")
    if not isinstance(summary, dict) or not isinstance(summary.get("tasks"), dict):
        raise AimError(f"{folder / 'summary.json'} is no summary of a run", wanted="an object with the key `tasks`")
    return RunData(
        name=folder.resolve().name,
        tasks={task: _rates(folder, task, stages) for task, stages in summary["tasks"].items()},
        notes=summary.get("notes", ()),
        phases=summary.get("phases", {}),
        versions=summary.get("versions", {}),
        seeds=summary.get("seeds"),
        config=summary.get("config"),
        curves={_label(path, folder): read_curves(path) for path in sorted(folder.rglob("metrics/*.jsonl"))},
        episodes=[_media(path) for path in sorted(folder.rglob("episodes/*.mp4"))],
        pictures=[_media(path) for path in sorted(folder.rglob("pictures/*.png"))],
    )


def read_curves(path: Path) -> list[Curve]:
    """The curves of a metrics file. A step logged twice (a run resumed from before it) counts as logged last."""
    points: dict[str, dict[float, float]] = {}
    for row in read_metrics(path):
        for name in row.keys() - {"step", "time"}:
            points.setdefault(name, {})[row["step"]] = row[name]
    return [_curve(name, values) for name, values in sorted(points.items())]


def _curve(name: str, values: Mapping[float, float]) -> Curve:
    steps = sorted(values)
    return Curve(name, tuple(steps), tuple(values[step] for step in steps))


def _rates(folder: Path, task: str, stages: Any) -> dict[str, SuccessRate]:
    try:
        rates = {stage: SuccessRate(**stages[stage]) for stage in STAGES if stage in stages}
    except TypeError as error:
        wanted = "{successes, episodes, low, high} for each stage"
        raise AimError(f"{folder / 'summary.json'}: {task} is malformed", wanted=wanted, got=str(error)) from error
    if not rates:
        raise AimError(f"{folder / 'summary.json'}: {task} has no result", wanted=f"some of {', '.join(STAGES)}")
    return rates


def _label(path: Path, folder: Path) -> str:
    """`metrics/a.jsonl` → `a`, `stage1/metrics/train.jsonl` → `stage1 train`."""
    return " ".join(part for part in path.relative_to(folder).with_suffix("").parts if part != "metrics")


def _media(path: Path) -> Media:
    sidecar = path.with_suffix(".json")
    note = read_json(sidecar) if sidecar.exists() else {}
    return Media(path, note.get("caption") or path.stem.replace("_", " "), note.get("success"))
