"""Compiled executables kept on disk, so that a second start skips compilation (JAX's persistent cache)."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jax

_HIT, _ASKED = "/jax/compilation_cache/cache_hits", "/jax/compilation_cache/compile_requests_use_cache"


@dataclass
class CacheUse:
    """Compilations since `counted` began.

    Attributes:
        hits: executables that were read from the disk.
        misses: executables that were compiled, and written there.
    """

    hits: int = 0
    misses: int = 0


def use(folder: str | Path) -> None:
    """Keeps every executable compiled from now on in `folder`, and reads those that are there.

    Entries are keyed by the program, the compiler's options, its version and the kind of device, so that a folder may
    be shared by any number of programs.
    """
    from jax.experimental.compilation_cache import compilation_cache

    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    compilation_cache.reset_cache()  # a cache that was opened before stays bound to its folder otherwise


def stop() -> None:
    """Keeps and reads no executables any more."""
    from jax.experimental.compilation_cache import compilation_cache

    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache.reset_cache()


_events: Counter[str] = Counter()


@contextmanager
def counted() -> Iterator[CacheUse]:
    """Counts hits and misses meanwhile, while a folder is in use; the result is filled in at the end."""
    _listen()
    before, found = Counter(_events), CacheUse()
    try:
        yield found
    finally:
        found.hits = _events[_HIT] - before[_HIT]
        found.misses = _events[_ASKED] - before[_ASKED] - found.hits


@functools.cache
def _listen() -> None:
    """Listeners cannot be taken off again: one for the whole process."""
    jax.monitoring.register_event_listener(lambda event, **_: _events.update([event]))
