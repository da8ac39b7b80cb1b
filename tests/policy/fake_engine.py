"""A policy without a model: its chunks tell who asked for them, so that a mix-up shows."""

from __future__ import annotations

import threading
import time

import numpy as np

from aim_jax.policy.turns import Begin, Facts


class FakeEngine:
    """Actions [8, 14] filled with: the prompt's length, the seed, the chunk number, and the sum of the last frame.

    Args:
        hw: of a canvas.
        delay: seconds of every call.
    """

    def __init__(self, hw: tuple[int, int], delay: float = 0.0) -> None:
        self.facts = Facts(hw, chunk=8, horizon=8, frame_stride=4)
        self.delay, self.batches, self.warmed = delay, [], False
        self.thread: threading.Thread | None = None
        self._episodes: dict[int, list[int]] = {}

    def warm(self) -> None:
        self.warmed = True
        self.thread = threading.current_thread()

    def advance(self, turns):
        assert threading.current_thread() is self.thread
        assert len({turn.slot for turn in turns}) == len(turns)
        time.sleep(self.delay)
        self.batches.append(len(turns))
        return [self._turn(turn) for turn in turns]

    def _turn(self, turn):
        if isinstance(turn, Begin):
            if turn.prompt == "explode":
                raise RuntimeError("the model exploded")
            self._episodes[turn.slot] = [len(turn.prompt), turn.seed, 0]
            frame = turn.canvas
        else:
            assert turn.canvases.shape == (self.facts.frames, *self.facts.canvas_hw, 3)
            self._episodes[turn.slot][2] += 1
            frame = turn.canvases[-1]
        row = [*self._episodes[turn.slot], int(frame.sum())]
        if row[0] == len("not a number"):
            row[0] = np.nan
        chunk = np.zeros((8, 14), np.float32)
        chunk[:, :4] = row
        return chunk
