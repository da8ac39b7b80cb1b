"""The flags of the three commands, for `aim robotwin …` and for `python -m aim_jax.robotwin …` alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class CollectOptions:
    """Lets RoboTwin's scripted experts act in its own simulator and writes their episodes with value maps.

    ROBOTWIN_ROOT names the checkout and ROBOTWIN_PYTHON its Python. Seeds are tried in order until enough episodes are
    on disk; failures are logged with their reason. Run it again to go on after an interruption.
    """

    task: str = "stack_blocks_two"
    """Task to collect; several separated by commas."""
    task_config: str = "demo_clean"
    """RoboTwin's task configuration: `demo_clean` (easy), `demo_randomized` (hard) or one of your own."""
    episodes: int = 50
    """Episodes wanted per task."""
    seed_start: int = 0
    """First seed."""
    instructions: int = 100
    """Instructions kept per episode, from RoboTwin's templates for training."""
    give_up: int = 20
    """Ends with an error after so many seeds in a row that raised one other than an unstable layout."""
    occlusion: Literal["depth", "off"] = "depth"
    """`depth`: value maps leave out the points that something hides from a camera; `off`: they show all in view."""
    out: Path = Path("data/robotwin")
    """Folder for the episodes: OUT/TASK/SETTING/episode_SEED.hdf5."""
    json: Path | None = None
    """Also writes the report as JSON into this file."""


@dataclass(frozen=True)
class AnnotateOptions:
    """Replays RoboTwin's own episodes in their seeds and writes them with value maps from the contacts of the replay.

    ROBOTWIN_ROOT names the checkout and ROBOTWIN_PYTHON its Python. An episode whose replay differs from its file is
    left out, with the reason. The pictures are those of the files; every fourth row is rendered for its depth alone.
    """

    source: Path
    """Folder of one collection, with `data/`, `_traj_data/` and `seed.txt`."""
    task: str = ""
    """Task; what the folder's path says unless given."""
    task_config: str = ""
    """Task configuration under which it was collected; what the folder's path says unless given."""
    occlusion: Literal["depth", "off"] = "depth"
    """`depth`: value maps leave out the points that something hides from a camera; `off`: they show all in view, and
    nothing is rendered."""
    out: Path = Path("data/robotwin")
    """Folder for the episodes: OUT/TASK/SETTING/episode_SEED.hdf5."""
    json: Path | None = None
    """Also writes the report as JSON into this file."""


@dataclass(frozen=True)
class EvalOptions:
    """Evaluates a policy server by RoboTwin's protocol: seeds that its expert solves, its step limits, success at any
    physics step. A frame is rendered after every fourth action only.

    ROBOTWIN_ROOT names the checkout and ROBOTWIN_PYTHON its Python; AIM_SERVE_TOKEN is the server's token, if it wants
    one. Exit code 0 says that the evaluation ran, whatever the success. Run it again to go on after an interruption.
    """

    url: str = "ws://127.0.0.1:8000"
    """The policy server (`aim serve`)."""
    task: str = "stack_blocks_two"
    """Task to evaluate; several separated by commas."""
    task_config: str = "demo_clean"
    """RoboTwin's task configuration: `demo_clean` (easy), `demo_randomized` (hard) or one of your own."""
    episodes: int = 100
    """Episodes per task."""
    seed: int = 0
    """Evaluation seed S; layouts are counted from 100000 · (1 + S), as RoboTwin does."""
    instructions: Literal["", "seen", "unseen"] = ""
    """Instruction templates; those that the task configuration names unless given."""
    give_up: int = 20
    """Ends with an error after so many seeds in a row whose expert raised one other than an unstable layout."""
    wait: float = 60.0
    """Seconds to wait for the server."""
    out: Path = Path("runs/robotwin")
    """Folder for the results: OUT/TASK_CONFIG_INSTRUCTIONS.json."""
    json: Path | None = None
    """Also writes the success of all tasks as JSON into this file."""
