"""SIGTERM, as a scheduler sends it: a checkpoint at the end of the step, then the end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

import jax

from aim_jax.errors import AimError

EXIT_STOPPED = 128 + signal.SIGTERM
"""Exit code of a run that was stopped by SIGTERM and can go on."""


class Stopped(AimError):
    """The run ended early, with a checkpoint."""

    def __init__(self, step: int, steps: int) -> None:
        super().__init__(
            f"Stopped by SIGTERM after step {step} of {steps}, with a checkpoint",
            remedy="the same command goes on from it",
        )


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[int], bool]]:
    """Yields `asked(step)`: whether to stop before `step`; the answer is the same in all processes.

    With several processes JAX's preemption service takes the signal in any of them and agrees on a step that none has
    passed. Alone, a handler notes it; it can be set in the main thread only, elsewhere the signal kills as ever.
    """
    if jax.process_count() > 1:
        from jax.experimental import multihost_utils

        yield multihost_utils.reached_preemption_sync_point
        return
    if threading.current_thread() is not threading.main_thread():
        yield lambda step: False
        return
    asked = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield lambda step: asked.is_set()
    finally:
        signal.signal(signal.SIGTERM, before)
