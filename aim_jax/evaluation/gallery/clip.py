"""One expert episode of a task as a short video with its value maps laid over, and what can be said of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aim_jax.data.canvas import CanvasSpec, pack_canvas, pack_value_maps
from aim_jax.data.episode import Episode, read_episode
from aim_jax.data.timeline import FRAME_STRIDE
from aim_jax.evaluation.overlay import overlay_video
from aim_jax.evaluation.video import write_video
from aim_jax.files import read_json, write_json
from aim_jax.sim.collection.workers import Job
from aim_jax.sim.recording.map_check import RULES, MapCheck, check_maps
from aim_jax.sim.scene_facts import CONTROL_PERIOD

SPEED_UP = 2.0
"""Videos play faster than the simulated time."""
FPS = SPEED_UP / (CONTROL_PERIOD * FRAME_STRIDE)


@dataclass(frozen=True)
class Clip:
    """A task in a setting.

    Attributes:
        task: its name.
        setting: "easy" or "hard".
        seed: of the episode that is shown; None if the expert reached no goal.
        instruction: what was asked for.
        events: kind, arm and actor of each contact event, in order.
        failures: seeds that were tried before, with the reason.
        maps: where the maps of this episode lie.
        rules: by which rules they were judged.
    """

    task: str
    setting: str
    seed: int | None = None
    instruction: str = ""
    events: list[tuple[str, str, str]] = field(default_factory=list)
    failures: list[tuple[int, str]] = field(default_factory=list)
    maps: MapCheck = field(default_factory=MapCheck)
    rules: int = RULES

    @property
    def stem(self) -> str:
        """Name of its files."""
        return f"{self.task}_{self.setting}"


def kept_clip(task: str, setting: str, folder: Path) -> Clip | None:
    """The clip that lies in the folder already; None if there is none, or its maps were judged by other rules.

    Args:
        task: its name.
        setting: "easy" or "hard".
        folder: of the clips.
    """
    described = folder / f"{Clip(task, setting).stem}.json"
    return read_clip(described) if described.is_file() and read_json(described).get("rules") == RULES else None


def make_clip(job: Job, path: str | None, failures: list[tuple[int, str]], folder: Path) -> Clip:
    """Films an episode.

    Args:
        job: that the episode comes from.
        path: of the episode; None if no seed gave one.
        failures: seeds that were tried before, with the reason.
        folder: receives STEM.mp4 and, when all is written, STEM.json.
    """
    clip = Clip(job.task, job.setting, failures=failures)
    if path is not None:
        episode = read_episode(path)
        _film(episode, folder / f"{clip.stem}.mp4")
        clip = _describe(episode, failures)
    write_json(folder / f"{clip.stem}.json", dataclasses.asdict(clip))
    return clip


def read_clip(path: Path) -> Clip:
    """What `make_clip` wrote."""
    fields: dict[str, Any] = read_json(path)
    pairs = {name: [tuple(entry) for entry in fields[name]] for name in ("events", "failures")}
    return Clip(**{**fields, **pairs, "maps": MapCheck(**fields["maps"])})


def _describe(episode: Episode, failures: list[tuple[int, str]]) -> Clip:
    return Clip(
        episode.task,
        episode.setting,
        episode.seed,
        episode.instructions[0],
        [(event.kind, event.arm, event.actor) for event in episode.events],
        failures,
        check_maps(episode),
    )


def _film(episode: Episode, path: Path) -> None:
    spec = CanvasSpec()
    frames = pack_canvas(episode.images, spec)
    write_video(path, overlay_video(frames, pack_value_maps(episode.maps, spec) / 255.0), FPS)
