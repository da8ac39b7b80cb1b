"""TPU topologies by name, and their devices on a machine that has none."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from typing import Any

from aim_jax.errors import AimError
from aim_jax.parallel.chips import Chip, chip_named

QUIET = {
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
}
"""Keeps the TPU library from looking for a TPU; read when it is loaded."""


@dataclass(frozen=True)
class Topology:
    """One or several equal slices.

    Attributes:
        chip: generation.
        shape: chips along each axis of a slice.
        slices: slices, joined by the data-centre network.
    """

    chip: Chip
    shape: tuple[int, ...]
    slices: int = 1

    @property
    def chips(self) -> int:
        """Chips in all."""
        return math.prod(self.shape) * self.slices

    @property
    def name(self) -> str:
        """As the compiler calls one slice."""
        prefix = "tpu7x" if self.chip.name == "7x" else self.chip.name
        return f"{prefix}:{'x'.join(map(str, self.shape))}"

    def __str__(self) -> str:
        return self.name if self.slices == 1 else f"{self.slices}*{self.name}"


def parse_topology(text: str) -> Topology:
    """Reads `v5e:4x4`, or `2*v5e:4x4` for two slices.

    Raises:
        AimError: the generation is unknown or the sides are no numbers.
    """
    found = re.fullmatch(r"(?:(\d+)\*)?([\w-]+):(\d+(?:x\d+)+)", text.strip())
    if not found:
        raise AimError(
            f"{text} is no topology",
            wanted="GENERATION:SIDES such as v5e:4x4, v5p:2x2x2 or v6e:8x8, with 2* before it for two slices",
        )
    chip = chip_named(found.group(2))
    shape = tuple(int(side) for side in found.group(3).split("x"))
    return Topology(chip, shape, int(found.group(1) or 1))


def prepare() -> None:
    """Sets what the TPU library reads when it is loaded; call it before JAX is first used."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def devices(topology: Topology) -> list[Any]:
    """The devices, to compile for but not to run on.

    Raises:
        AimError: the compiler is not installed, or knows no such topology.
    """
    from jax.experimental import topologies

    extra = {"num_slices": topology.slices} if topology.slices > 1 else {}
    try:
        return list(topologies.get_topology_desc(platform="tpu", topology_name=topology.name, **extra).devices)
    except ImportError as error:
        raise _missing(error) from error
    except Exception as error:  # the compiler reports unknown names and a missing library by the same exceptions
        if "libtpu" in str(error) and "topology" not in str(error).lower():
            raise _missing(error) from error
        raise AimError(
            f"The TPU compiler knows no topology {topology}",
            wanted="a slice that exists, such as v5e:4x4, v5e:16x16, v6e:8x8, v5p:4x4x4",
            got=str(error).splitlines()[0][:200],
        ) from error


def _missing(error: Exception) -> AimError:
    return AimError(
        "The TPU compiler is not installed",
        got=str(error).splitlines()[0][:200],
        remedy='pip install "aim-jax[tpu]", or bash launch/setup.sh --all',
    )
