"""Compiles a program for a topology and reports what the compiler says and what is modelled from it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax

from aim_jax.aot.cost import Costing, Totals, totals
from aim_jax.aot.hlo import parse
from aim_jax.aot.kernels import kernel_seconds
from aim_jax.aot.links import Fabric
from aim_jax.aot.topology import Topology
from aim_jax.core.splash_plan import SplashPlan
from aim_jax.files import write_atomic
from aim_jax.parallel.xla_flags import FLAGS

GIB = 2**30

Effort = Literal["full", "O1"]
"""`full`: as for a run. `O1`: several times faster to compile; memory is close, but cycles are not worth modelling."""


class Program(NamedTuple):
    """What is to be compiled.

    Attributes:
        name: for the report.
        function: pure.
        arguments: shapes with shardings.
        donated: positions of arguments whose memory the results take over.
        results: shardings of the results, or None to leave them to the compiler.
        plans: of the attention kernels in it.
        flops: model operations of one execution, all chips together.
        samples: windows, episodes or clips of one execution, all chips together.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    donated: tuple[int, ...]
    results: Any
    plans: tuple[SplashPlan, ...]
    flops: float
    samples: int


@dataclass(frozen=True)
class Memory:
    """Bytes of one chip.

    Attributes:
        arguments: parameters, optimiser state, inputs.
        temporaries: everything that lives only while it runs.
        peak: the most that is live at once.
        limit: what the chip offers to a program, where the compiler named it.
    """

    arguments: float
    temporaries: float
    peak: float
    limit: float


class Compiled(NamedTuple):
    """What came out.

    Attributes:
        fits: whether it fits a chip.
        memory: of a chip; of a program that does not fit, `peak` is what the compiler says it needs.
        totals: modelled cost; None if it does not fit.
        seconds: that compiling took here.
    """

    fits: bool
    memory: Memory
    totals: Totals | None
    seconds: float


def compile_program(
    program: Program, topology: Topology, effort: Effort = "full", module: Path | None = None
) -> Compiled:
    """Compiles for the topology that the arguments are sharded over; a program that is too large is a result too.

    Args:
        program: what to compile.
        topology: the chips.
        effort: of the compiler.
        module: file for the compiled text, written before anything is modelled from it.

    Raises:
        AimError: the topology's links are unknown.
    """
    start = time.perf_counter()
    lowered = jax.jit(
        program.function,
        donate_argnums=program.donated,
        keep_unused=True,
        **({} if program.results is None else {"out_shardings": program.results}),
    ).lower(*program.arguments)
    options: dict[str, Any] = dict(FLAGS[topology.chip.name])
    previous = jax.config.jax_optimization_level  # pyright: ignore[reportAttributeAccessIssue]
    try:
        if effort == "O1":
            jax.config.update("jax_optimization_level", "O1")
        compiled = lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError as error:
        needed = _exhausted(str(error))
        if needed is None:
            raise
        memory = Memory(_argument_bytes(program), 0.0, *needed)
        return Compiled(False, memory, None, time.perf_counter() - start)
    finally:
        jax.config.update("jax_optimization_level", previous)
    seconds = time.perf_counter() - start
    stats, text = compiled.memory_analysis(), compiled.as_text() or ""
    assert stats is not None
    if module is not None:
        write_atomic(module, text)
    memory = Memory(
        float(stats.argument_size_in_bytes),
        float(stats.temp_size_in_bytes),
        float(stats.peak_memory_in_bytes),
        topology.chip.hbm / topology.chip.devices,
    )
    return Compiled(True, memory, modelled(text, program.plans, topology), seconds)


def modelled(text: str, plans: tuple[SplashPlan, ...], topology: Topology) -> Totals | None:
    """Modelled cost of a compiled module; None for a generation whose clock is not public."""
    fabric = Fabric(topology.chip.name, topology.shape, topology.slices)
    if not fabric.network.clock:
        return None
    costing = Costing(
        clock=fabric.network.clock,
        transfer=fabric.seconds,
        kernel=lambda kernel: kernel_seconds(kernel, plans, topology.chip),
        bandwidth=topology.chip.bandwidth,
    )
    return totals(parse(text), costing)


def _exhausted(message: str) -> tuple[float, float] | None:
    """(needed, offered) bytes in the compiler's complaint about memory; None for another complaint."""
    if "RESOURCE_EXHAUSTED" not in message and "CompileTimeHbmOom" not in message:
        return None
    numbers = re.search(r"([\d.]+)([GMK])\)? (?:of|exceeds available HBM \()\s*\(?([\d.]+)([GMK])", message)
    if not numbers:
        numbers = re.search(r"Used ([\d.]+)([GMK]) of ([\d.]+)([GMK]) hbm", message)
    if not numbers:
        return 0.0, 0.0
    unit: Mapping[str, float] = {"G": 2**30, "M": 2**20, "K": 2**10}
    used, used_unit, offered, offered_unit = numbers.groups()
    return float(used) * unit[used_unit], float(offered) * unit[offered_unit]


def _argument_bytes(program: Program) -> float:
    """Bytes of a chip's share of the arguments."""
    total = 0.0
    for leaf in jax.tree.leaves(program.arguments):
        shape = leaf.sharding.shard_shape(leaf.shape) if leaf.sharding is not None else leaf.shape
        size = leaf.dtype.itemsize if hasattr(leaf.dtype, "itemsize") else 4
        for side in shape:
            size *= side
        total += size
    return total
