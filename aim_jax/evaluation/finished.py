"""Evaluated tasks on disk: an evaluation of many tasks that was ended goes on with the first one that is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aim_jax.errors import AimError
from aim_jax.evaluation.episode_log import EpisodeLog
from aim_jax.files import dumps_json, read_json, write_json


class Finished:
    """The logs of finished tasks, one JSON file each: FOLDER/SETTING/TASK.json.

    Args:
        folder: of all files.
        setting: scene setting.
        protocol: what decides the outcomes (policy, seeds, limits, denoising), in JSON's terms. Tasks evaluated under
            another one are no part of this evaluation.
    """

    def __init__(self, folder: Path, setting: str, protocol: Mapping[str, Any]) -> None:
        self.folder = folder / setting
        self._protocol = json.loads(dumps_json(protocol))

    def read(self, task: str) -> list[EpisodeLog] | None:
        """The log of a task's seeds; None where it is not finished.

        Raises:
            AimError: it was evaluated under another protocol.
        """
        path = self._path(task)
        if not path.exists():
            return None
        content = read_json(path)
        stored = content.get("protocol", {})
        if stored != self._protocol:
            names = sorted(n for n in stored.keys() | self._protocol.keys() if stored.get(n) != self._protocol.get(n))
            raise AimError(
                f"{path} holds another evaluation",
                wanted="; ".join(f"{name} {self._protocol.get(name)}" for name in names),
                got="; ".join(f"{name} {stored.get(name)}" for name in names),
                remedy="choose another --out, or delete the file",
            )
        return [EpisodeLog(**entry) for entry in content["episodes"]]

    def add(self, task: str, logs: Sequence[EpisodeLog]) -> None:
        """Keeps a finished task.

        Raises:
            AimError: the folder cannot be written.
        """
        write_json(self._path(task), {"protocol": self._protocol, "episodes": [asdict(log) for log in logs]})

    def _path(self, task: str) -> Path:
        return self.folder / f"{task}.json"
