"""Batches on the devices ahead of the step that reads them, each with the loader's position after it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple

from aim_jax.array_typing import PyTree


class Fed(NamedTuple):
    """A batch on the devices.

    Attributes:
        batch: what the step reads.
        position: state of the iterator after it: what a checkpoint after this step must hold.
    """

    batch: PyTree
    position: dict[str, Any]


class Feed:
    """Takes batches from an iterator and puts them on the devices, `ahead` of them in a thread.

    Args:
        iterator: has `get_state`.
        put: from what the iterator gives to arrays on the devices.
        ahead: batches that wait on the devices; 0 does all of it when asked.
    """

    def __init__(self, iterator: Iterator[Any], put: Callable[[Any], PyTree], ahead: int) -> None:
        self._iterator, self._put = iterator, put
        self._queue: queue.Queue[Fed | BaseException] = queue.Queue(maxsize=max(1, ahead))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True) if ahead > 0 else None
        self._ended: BaseException | None = None

    def __enter__(self) -> Feed:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def next(self) -> Fed:
        """The next batch.

        Raises:
            BaseException: what the iterator or `put` raised, again at every later call.
        """
        if self._thread is None:
            return self._take()
        if self._ended is not None:
            raise self._ended
        item = self._queue.get()
        if isinstance(item, BaseException):
            self._ended = item
            raise item
        return item

    def _take(self) -> Fed:
        batch = self._put(next(self._iterator))
        state = self._iterator.get_state()  # pyright: ignore[reportAttributeAccessIssue]
        return Fed(batch, state if isinstance(state, dict) else {"state": state})

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                self._offer(self._take())
        except BaseException as error:
            self._offer(error)

    def _offer(self, item: Fed | BaseException) -> None:
        while not self._stop.is_set():
            try:
                return self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
        return None
