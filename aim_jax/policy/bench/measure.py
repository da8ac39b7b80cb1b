"""Timing of compiled functions: compilation and first call apart, then many calls, each waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class Timing:
    """Seconds of one function.

    Attributes:
        compile: tracing, lowering and compiling, or reading from the cache on disk.
        first: first call of the compiled function.
        p50: median of the later calls.
        p95: their 95th percentile.
        repeats: how many there were.
    """

    compile: float
    first: float
    p50: float
    p95: float
    repeats: int


@dataclass(frozen=True)
class Compiled:
    """A compiled function with its arguments.

    Attributes:
        call: runs it once and waits for the result.
        seconds: of compilation.
        bytes: of arguments and results: the least that must be moved.
        text: the compiled module.
    """

    call: Callable[[], Any]
    seconds: float
    bytes: int
    text: Callable[[], str]


def compile_call(function: Callable[..., Any], *args: Any) -> Compiled:
    """Compiles `function` for exactly these arguments."""
    start = time.perf_counter()
    compiled = jax.jit(function).lower(*args).compile()
    seconds = time.perf_counter() - start
    moved = sum(_size(x) for x in jax.tree.leaves((args, compiled.out_info)) if hasattr(x, "dtype"))
    return Compiled(lambda: jax.block_until_ready(compiled(*args)), seconds, moved, lambda: compiled.as_text() or "")


def timed(compiled: Compiled, repeats: int) -> Timing:
    """First call, then `repeats` calls."""
    first = _seconds(compiled.call)
    times = [_seconds(compiled.call) for _ in range(repeats)]
    p50, p95 = np.percentile(times, [50, 95])
    return Timing(compiled.seconds, first, float(p50), float(p95), repeats)


def interleaved(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of several functions, called in turn so that a loaded machine slows all of them alike."""
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            times[name].append(_seconds(call))
    return {name: float(np.median(values)) for name, values in times.items()}


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _size(array: Any) -> int:
    if jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        return 0
    return int(np.prod(array.shape)) * array.dtype.itemsize
