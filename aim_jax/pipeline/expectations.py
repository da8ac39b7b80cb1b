"""How long the phases of the demo take, for announcing them: rough figures for two CPU cores and the tiny sizes."""

from __future__ import annotations

from aim_jax.config import ExperimentConfig
from aim_jax.durations import duration

# Seconds per unit of work, rounded from `phases` in the summary.json of runs of configs/tiny.py on two CPU cores.
_START = 15.0  # of a command: imports, compilation from the cache
_COMPILE = 60.0  # of a training step
_COLLECTED = 0.5  # per demonstration
_BUILT = 0.1  # per demonstration
_ENCODED = 0.15  # per demonstration
_WINDOW = 0.12  # per training window
_ACTED = {"expert": 0.2, "untrained": 4.0, "trained": 2.5}  # per episode
_ROUND = 3.5  # per rollout of Stage II with its updates
_RECORDED = 20.0  # per episode on video


class Expectations:
    """Expected times of an experiment's phases, in words."""

    def __init__(self, experiment: ExperimentConfig) -> None:
        self._e = experiment
        self._demonstrations = len(experiment.tasks) * experiment.collect.episodes

    def collect(self) -> str:
        """Demonstrations in the simulator."""
        return _about(_START + _COLLECTED * self._demonstrations * 2 / self._e.collect.workers)

    def build(self) -> str:
        """HDF5 to TFDS."""
        return _about(_START + _BUILT * self._demonstrations)

    def encode(self) -> str:
        """VAE latents."""
        return _about(_START + _ENCODED * self._demonstrations)

    def stage1(self) -> str:
        """Flow matching."""
        return _about(_COMPILE + _WINDOW * self._e.train.steps * self._e.train.batch)

    def evaluation(self, policy: str) -> str:
        """Closed-loop episodes of one policy: "expert", "untrained" or "trained"."""
        return _about(_START + _ACTED[policy] * self._e.eval.episodes * len(self._e.tasks))

    def stage2(self) -> str:
        """GRPO."""
        c = self._e.grpo
        validations = sum(c.validates(number) for number in range(c.iterations + 1))
        acted = _ACTED["trained"] * validations * c.val_episodes
        return _about(_COMPILE + _ROUND * c.iterations * c.group * c.groups + acted)

    def recording(self, episodes: int) -> str:
        """Episodes on video."""
        return _about(_START + _RECORDED * episodes)


def _about(seconds: float) -> str:
    """Rounded to what such a figure is worth: 10 seconds below two minutes, else minutes."""
    unit = 10 if seconds < 120 else 60
    return f"about {duration(unit * max(1, round(seconds / unit)))}"
