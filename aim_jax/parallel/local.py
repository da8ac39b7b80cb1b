"""How a CPU is shown to JAX."""

from __future__ import annotations

import os


def split_cpu(devices: int) -> None:
    """Shows the CPU to JAX as `devices` devices; call it before JAX is first used.

    One device per core is faster than one device with as many threads: small operations do not spread over threads.
    """
    flag = "--xla_force_host_platform_device_count"
    if flag not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}={devices}".strip()
