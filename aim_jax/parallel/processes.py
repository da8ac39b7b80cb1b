"""Start-up of one process among several, from one contract of environment variables, the same on every platform.

| variable | meaning |
|---|---|
| `AIM_COORDINATOR` | unset: one process; `auto`: JAX finds them (TPU VM, GKE, Slurm); or process 0's `host:port` |
| `AIM_PROCESS_COUNT`, `AIM_PROCESS_ID` | with `host:port`: how many processes, and which one this is, from 0 |
| `AIM_START_SECONDS` | how long the processes wait for one another, 300 unless given |
| `AIM_CPU_DEVICES` | devices that a CPU is shown as in each process |

With `host:port`, the port after it carries the roll call (`roll_call.py`).
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aim_jax.errors import AimError
from aim_jax.parallel.local import split_cpu
from aim_jax.parallel.roll_call import RollCall

LOST_PEER = 75
"""Exit code of a process that ends because another one did (EX_TEMPFAIL): start all of them again."""

GRACE = 5.0
"""Seconds that an unexpected error waits for the news that another process was lost."""


@dataclass(frozen=True)
class Contract:
    """The environment contract, read.

    Attributes:
        coordinator: "" for one process, "auto", or host:port.
        count: processes; 0 where JAX finds out.
        index: this one.
        seconds: to wait for the others.
        cpu_devices: devices that a CPU is shown as.
    """

    coordinator: str
    count: int
    index: int
    seconds: float
    cpu_devices: int


def read_contract(environment: Mapping[str, str]) -> Contract:
    """Reads and checks the variables.

    Raises:
        AimError: a variable is missing, no number, or contradicts another.
    """
    coordinator = environment.get("AIM_COORDINATOR", "")
    seconds = _number(environment, "AIM_START_SECONDS", 300)
    devices = _number(environment, "AIM_CPU_DEVICES", 0) or (1 if coordinator else os.cpu_count() or 1)
    if coordinator in ("", "auto"):
        return Contract(coordinator, 0 if coordinator else 1, 0, seconds, devices)
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65535:
        raise AimError("AIM_COORDINATOR is no address", wanted="host:port, or auto", got=coordinator)
    missing = [name for name in ("AIM_PROCESS_COUNT", "AIM_PROCESS_ID") if name not in environment]
    if missing:
        raise AimError(
            "The start-up variables are incomplete",
            wanted="AIM_PROCESS_COUNT and AIM_PROCESS_ID beside AIM_COORDINATOR",
            got=f"no {' and no '.join(missing)}",
            remedy="launch/local_pod.sh, launch/tpu_vm.sh and launch/gke.sh set all of them",
        )
    count, index = _number(environment, "AIM_PROCESS_COUNT", 0), _number(environment, "AIM_PROCESS_ID", 0)
    if not 0 <= index < count:
        raise AimError(
            "There is no such process",
            wanted=f"AIM_PROCESS_ID from 0 to {count - 1}",
            got=f"{index}, with AIM_PROCESS_COUNT {count}",
        )
    return Contract(coordinator, count, index, seconds, devices)


@contextlib.contextmanager
def processes(environment: Mapping[str, str] | None = None) -> Iterator[Contract]:
    """Joins the other processes, and leaves them when the block ends; call it before JAX is first used.

    When another process is lost in between, this one says so and ends with exit code `LOST_PEER`: a collective
    operation would wait for the lost one for ever.

    Raises:
        AimError: the contract is broken, or a process is missing when the time is up.
    """
    contract = read_contract(os.environ if environment is None else environment)
    split_cpu(contract.cpu_devices)
    if not contract.coordinator:
        yield contract
        return
    import jax

    if contract.coordinator == "auto":
        jax.distributed.initialize(initialization_timeout=int(contract.seconds))
        yield contract
        jax.distributed.shutdown()
        return
    host, _, port = contract.coordinator.rpartition(":")
    with RollCall((host, int(port) + 1), contract.count, contract.index, contract.seconds, _lost) as roll:
        jax.distributed.initialize(
            contract.coordinator,
            contract.count,
            contract.index,
            cluster_detection_method="deactivate",
            initialization_timeout=int(contract.seconds),
        )
        try:
            yield contract
        except AimError:
            raise
        except Exception:
            # A lost process breaks collectives here: let the roll call say so instead of a stack trace.
            time.sleep(GRACE)
            raise
        roll.leaving()
        jax.distributed.shutdown()


def _lost(index: int, count: int) -> None:
    sys.stdout.flush()
    message = AimError(
        f"Process {index} of {count} has ended without saying so, and the others cannot go on without it",
        remedy="look at its output for the reason, then start all processes again: they go on from the last checkpoint",
    )
    os.write(sys.stderr.fileno(), f"aim: {message}\n".encode())
    time.sleep(GRACE / 5)  # where all processes fail for one reason, each may still say which
    os._exit(LOST_PEER)


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not text.isdigit():
        raise AimError(f"{name} is no number", wanted="digits", got=text)
    return int(text)
