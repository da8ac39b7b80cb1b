"""What a measurement was made on, and what the device can do at best."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import psutil

from aim_jax.parallel.chips import chip_of


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, memory, and how loaded the machine was."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average": round(os.getloadavg()[0], 1),
    }


def peaks(dtype: str) -> dict[str, Any]:
    """FLOP/s and bytes/s of the first device: published for a TPU, else measured here by a matmul and a copy."""
    chip = chip_of(jax.devices()[0].device_kind)
    if chip is not None:
        return {"flops": chip.flops, "bandwidth": chip.bandwidth, "source": f"published for {chip.name} (bfloat16)"}
    side, words = 1024, 2**25
    x = jnp.ones((side, side), dtype)
    flops = 2 * side**3 / _fastest(jax.jit(lambda x: x @ x), x)
    line = jnp.ones((words,), jnp.float32)
    bandwidth = 2 * 4 * words / _fastest(jax.jit(lambda x: x + 1), line)
    return {"flops": flops, "bandwidth": bandwidth, "source": f"measured: {side}³ {dtype} matmul, {words} float32 + 1"}


def _fastest(function: Any, x: jax.Array, repeats: int = 7) -> float:
    jax.block_until_ready(function(x))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function(x))
        times.append(time.perf_counter() - start)
    return min(times)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
