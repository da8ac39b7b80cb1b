"""A profiler trace of a few steps, on request."""

from __future__ import annotations

from pathlib import Path

import jax

FIRST = 10
"""Step of a process from which it is profiled: compilation and first-time costs are over by then."""


class Profile:
    """Writes a trace that TensorBoard and Perfetto read.

    Args:
        folder: where the trace goes; each process writes its own.
        steps: how many steps; 0 for none.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        self._folder, self._steps, self._running = folder, steps, False

    def at(self, step: int) -> None:
        """To be told every step of this process before it, from 0."""
        if self._steps and step == FIRST:
            jax.profiler.start_trace(str(self._folder))
            self._running = True
        elif step == FIRST + self._steps:
            self.stop()

    def stop(self) -> None:
        """Ends and writes the trace, if it runs."""
        if self._running:
            jax.profiler.stop_trace()
            self._running = False
