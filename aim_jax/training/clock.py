"""What a run costs: step time, throughput, MFU, the share of waiting for data, and goodput over restarts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from aim_jax.files import read_json, write_json
from aim_jax.parallel.chips import chip_of

T = TypeVar("T")


class Clock:
    """Times steps.

    Args:
        samples: of a step over all devices.
        tokens: of a sample.
        flops: model operations of a sample's training (see `models.aim.flops`).
        devices: JAX devices that work.
        kind: what JAX calls such a device; MFU is told where its peak is known.
        now: the time in seconds.
    """

    def __init__(
        self,
        samples: int,
        tokens: int,
        flops: float,
        devices: int,
        kind: str,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        chip = chip_of(kind)
        self._chips = devices / (chip.devices if chip else 1)
        self._peak = chip.flops if chip else None
        self._samples, self._tokens, self._flops, self._now = samples, tokens, flops, now
        self._steps, self._waited, self._start = 0, 0.0, now()
        self.productive = 0.0
        """Seconds in steps since this object was made, waiting for data included."""

    def waiting(self, fetch: Callable[[], T]) -> T:
        """Calls `fetch` for the next step's batch and counts the time as waiting for input."""
        start = self._now()
        value = fetch()
        self._waited += self._now() - start
        self._steps += 1
        return value

    def paused(self, work: Callable[[], T]) -> T:
        """Calls `work` (validation, a checkpoint) without counting its time."""
        start = self._now()
        value = work()
        self._start += self._now() - start
        return value

    def warmed(self) -> None:
        """Forgets what was before: compilation is no step."""
        self._steps, self._waited, self._start = 0, 0.0, self._now()

    def read(self) -> dict[str, float]:
        """Averages since the last call; empty when no step was timed."""
        elapsed, steps, waited = self._now() - self._start, self._steps, self._waited
        self.warmed()
        if not steps or elapsed <= 0:
            return {}
        self.productive += elapsed
        rate = self._samples * steps / elapsed
        values = {
            "perf/step_time": elapsed / steps,
            "perf/samples_per_second": rate,
            "perf/samples_per_second_per_chip": rate / self._chips,
            "perf/tokens_per_second": rate * self._tokens,
            "perf/tflops_per_chip": rate * self._flops / self._chips / 1e12,
            "perf/input_bound": waited / elapsed,
        }
        return values | ({"perf/mfu": rate * self._flops / self._chips / self._peak} if self._peak else {})


class Ledger:
    """Goodput: the share of the time since a run was first started that went into steps which still count.

    Steps after the last checkpoint of a killed run do not count, nor does the time in which nothing ran, compiled,
    validated or was saved.

    Args:
        path: where it is kept from one start to the next.
        step: from which this start goes on.
        now: the time in seconds since the epoch.
    """

    def __init__(self, path: Path, step: int, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = path, now
        kept: dict[str, Any] = read_json(path) if path.exists() else {}
        self._start = float(kept.get("start", now()))
        self._saved = {int(at): float(seconds) for at, seconds in kept.get("saved", {}).items() if int(at) <= step}
        self._before = self._saved.get(step, 0.0)

    def goodput(self, productive: float) -> float:
        """The share up to now.

        Args:
            productive: seconds in steps since this start.
        """
        return min(1.0, (self._before + productive) / max(self._now() - self._start, 1e-9))

    def save(self, step: int, productive: float) -> None:
        """Notes what had been spent at a checkpoint; the newest few are kept."""
        self._saved[step] = self._before + productive
        kept = dict(sorted(self._saved.items())[-10:])
        write_json(self._path, {"start": self._start, "saved": {str(at): s for at, s in kept.items()}})
