"""A modelled time of a compiled module. Nothing here was measured on a TPU.

Method, from bottom to top:

* Every op that the compiler gives an estimate (`estimated_cycles`) counts with it, fusions that hold a matmul apart
  from the rest. Its matmul estimates lie within 3-20 % of the roofline for large matmuls on v5e and v5p; it makes
  elementwise ops 1.5-7 times slower than memory would (so the model is pessimistic there).
* Pallas kernels carry no estimate; `aot.kernels` counts their tiles.
* Collectives carry none either; `aot.links` moves their bytes over the links.
* A computation takes the longer of its own compute and its own asynchronous transfers, which the scheduler overlaps,
  plus its synchronous transfers. A loop takes its trips times its body. This is done loop by loop: a layer's transfers
  can hide behind a layer's compute, not behind all layers'.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from aim_jax.aot.hlo import Computation, Module, Op, array_bytes, dimensions
from aim_jax.aot.trips import Loop, trip_count

COLLECTIVES = ("all-gather", "all-reduce", "reduce-scatter", "all-to-all", "collective-permute", "ragged-all-to-all")


class Transfer(NamedTuple):
    """One collective.

    Attributes:
        kind: such as `all-gather`.
        bytes: of its larger side, per chip: the result of a gather, the operand of a scatter.
        group: devices that exchange; 0 where the text does not say.
        hidden: whether the scheduler may run it beside compute.
    """

    kind: str
    bytes: int
    group: int
    hidden: bool


class Kernel(NamedTuple):
    """One call of a Pallas kernel: its name, and the dimensions of operands and results as the text gives them."""

    name: str
    operands: tuple[tuple[int, ...], ...]
    results: tuple[tuple[int, ...], ...]


@dataclass
class Totals:
    """Sums over a whole module, loops multiplied out.

    Attributes:
        matmul: cycles of matmuls.
        other: cycles of everything else that has an estimate.
        kernels: seconds of Pallas kernels.
        seconds: modelled time.
        by_category: cycles by kind of op.
        kernel_calls: calls by name.
        collectives: by kind: calls, bytes, seconds.
        top: cycles of single ops by name, with what they are.
        weight_copies: bytes of whole stacks that loops copy, trip by trip.
        unknown_loops: loops whose trips could not be told; they count once.
        unknown_ops: operations that the compiler could not estimate; they count with what memory takes for them.
    """

    matmul: float = 0.0
    other: float = 0.0
    kernels: float = 0.0
    seconds: float = 0.0
    by_category: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    kernel_calls: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    collectives: dict[str, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0, 0.0]))
    top: dict[str, tuple[float, str]] = field(default_factory=dict)
    weight_copies: float = 0.0
    unknown_loops: list[str] = field(default_factory=list)
    unknown_ops: list[str] = field(default_factory=list)

    def add(self, other: Totals, times: float) -> None:
        """Adds `times` executions of another computation, its modelled time excepted."""
        self.matmul += other.matmul * times
        self.other += other.other * times
        self.kernels += other.kernels * times
        for name, value in other.by_category.items():
            self.by_category[name] += value * times
        for name, value in other.kernel_calls.items():
            self.kernel_calls[name] += value * times
        for name, parts in other.collectives.items():
            for i, value in enumerate(parts):
                self.collectives[name][i] += value * times
        for name, (value, what) in other.top.items():
            self.top[name] = (self.top.get(name, (0.0, what))[0] + value * times, what)
        self.weight_copies += other.weight_copies * times
        self.unknown_loops += other.unknown_loops
        self.unknown_ops += other.unknown_ops


class Costing(NamedTuple):
    """What the model needs to know beside the module.

    Attributes:
        clock: cycles per second.
        transfer: seconds of a collective.
        kernel: seconds of a call of a Pallas kernel.
        bandwidth: bytes per second between memory and chip.
        stack_bytes: arrays at least this large that a loop copies whole count as `weight_copies`.
    """

    clock: float
    transfer: Callable[[Transfer], float]
    kernel: Callable[[Kernel], float]
    bandwidth: float
    stack_bytes: float = 2**26


def totals(module: Module, costing: Costing) -> Totals:
    """Adds the whole module up."""
    memo: dict[str, Totals] = {}
    return _computation(module, module.computations[module.entry], costing, memo)


def _computation(module: Module, computation: Computation, costing: Costing, memo: dict[str, Totals]) -> Totals:
    if computation.name in memo:
        return memo[computation.name]
    total = Totals()
    compute = hidden = nested = exposed = 0.0
    for op in computation.ops.values():
        compute += _own(module, op, costing, total)
        for transfer in _transfers(module, op):
            seconds = costing.transfer(transfer)
            _note(total, transfer, seconds)
            if transfer.hidden:
                hidden += seconds
            else:
                exposed += seconds
        nested += _nested(module, computation, op, costing, memo, total)
    total.seconds = max(compute, hidden) + exposed + nested
    memo[computation.name] = total
    return total


def _own(module: Module, op: Op, costing: Costing, total: Totals) -> float:
    """Adds what the op costs by itself; returns its seconds."""
    if op.opcode == "custom-call" and 'custom_call_target="tpu_custom_call"' in op.attributes:
        name = re.sub(r"[.\d]+$", "", op.name)
        seconds = costing.kernel(Kernel(name, _operand_shapes(op), tuple(dimensions(op.shape))))
        total.kernels += seconds
        total.kernel_calls[name] += 1
        return seconds
    cycles = op.cycles
    if op.gave_up:
        # Where the compiler has no estimate, memory sets the pace: about as much is read as is written.
        cycles = 2 * sum(array_bytes(op.shape)) / costing.bandwidth * costing.clock
        total.unknown_ops.append(op.name)
    if cycles is None:
        return 0.0
    category = _category(module, op)
    if category == "matmul":
        total.matmul += cycles
    else:
        total.other += cycles
    total.by_category[category] += cycles
    total.top[op.name] = (float(cycles), f"{category}, {op.shape[:60]}, {op.source[-80:]}")
    return cycles / costing.clock


def _operand_shapes(op: Op) -> tuple[tuple[int, ...], ...]:
    """Operands of a custom call; their shapes stand among the attributes."""
    _, _, rest = op.attributes.partition("operand_layout_constraints={")
    depth = 1
    for stop, letter in enumerate(rest):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth == 0:
            return tuple(dimensions(rest[:stop]))
    return ()


def _nested(
    module: Module, computation: Computation, op: Op, costing: Costing, memo: dict[str, Totals], total: Totals
) -> float:
    """Adds what the op calls; returns its seconds."""
    if op.opcode == "while":
        trips = trip_count(module, Loop(computation, op))
        if trips is None:
            total.unknown_loops.append(op.name)
            trips = 1
        seconds = 0.0
        for role in ("body", "condition"):
            inner = module.computations[op.called(role) or ""]
            part = _computation(module, inner, costing, memo)
            total.add(part, trips)
            seconds += part.seconds * trips
            if role == "body":
                total.weight_copies += trips * _copied_stacks(inner, costing.stack_bytes)
        return seconds
    callee = {"call": "to_apply", "async-start": "calls"}.get(op.opcode)
    names = [op.called(callee)] if callee else _branches(op)
    parts = [
        _computation(module, module.computations[name], costing, memo) for name in names if name in module.computations
    ]
    if not parts:
        return 0.0
    longest = max(parts, key=lambda part: part.seconds)
    total.add(longest, 1)
    return longest.seconds


def _branches(op: Op) -> list[str | None]:
    if op.opcode != "conditional":
        return []
    listed = re.search(r"branch_computations=\{([^}]*)\}", op.attributes)
    if listed:
        return list(re.findall(r"%?([\w.\-]+)", listed.group(1)))
    return [op.called("true_computation"), op.called("false_computation")]


def _copied_stacks(body: Computation, least: float) -> float:
    """Bytes of large arrays that come into a loop, are copied whole, and leave it again."""
    copied = 0.0
    for op in body.ops.values():
        if op.opcode != "copy" or not op.operands:
            continue
        source = body.ops.get(op.operands[0])
        size = max(array_bytes(op.shape), default=0)
        if source is not None and source.opcode == "get-tuple-element" and size >= least:
            copied += size
    return copied


def _category(module: Module, op: Op) -> str:
    if op.opcode in ("convolution", "dot"):
        return "matmul"
    if op.opcode in ("copy", "copy-start", "copy-done", "transpose"):
        return "copy"
    if op.opcode != "fusion":
        return op.opcode
    inside = module.deep_opcodes(op.called("calls") or "")
    if inside & {"convolution", "dot"}:
        return "matmul"
    if any(code.startswith(COLLECTIVES) for code in inside):
        return "collective fusion"
    if inside <= {"parameter", "copy", "bitcast", "transpose", "reshape", "tuple"}:
        return "copy"
    return "reduction" if "reduce" in inside else "elementwise"


def _transfers(module: Module, op: Op) -> list[Transfer]:
    kind = op.opcode.removesuffix("-start")
    if kind in COLLECTIVES:
        return [_transfer(op, kind, hidden=op.opcode.endswith("-start"))]
    inner = module.computations.get(op.called("calls") or "") if op.opcode == "fusion" else None
    if inner is None:
        return []
    # A collective inside fusions appears in three of them, of which the one that starts it counts.
    name = inner.name
    text = " ".join(o.attributes for o in inner.ops.values() if o.opcode == "custom-call")
    starts = "AsyncCollectiveStart" in text
    split = "async_collective_fusion" in name or "AsyncCollectiveDone" in text
    if split and not starts:
        return []
    found = [o for o in inner.ops.values() if o.opcode.removesuffix("-start") in COLLECTIVES]
    return [_transfer(o, o.opcode.removesuffix("-start"), hidden=starts) for o in found]


def _transfer(op: Op, kind: str, *, hidden: bool) -> Transfer:
    # The start of an asynchronous collective has operand and result in its shape; the larger is what moves.
    size = max(array_bytes(op.shape), default=0) if op.shape.startswith("(") and hidden else sum(array_bytes(op.shape))
    group = _group(op.attributes)
    return Transfer(kind, size * group if kind == "reduce-scatter" and group else size, group, hidden)


def _group(attributes: str) -> int:
    iota = re.search(r"replica_groups=\[(\d+),(\d+)\]", attributes)
    if iota:
        return int(iota.group(2))
    named = re.search(r"replica_groups=mesh\[([^\]]*)\] \{([^}]*)\}", attributes)
    if named:
        sizes = dict(re.findall(r"'(\w+)'=(\d+)", named.group(1)))
        return math.prod(int(sizes[axis]) for axis in re.findall(r"'(\w+)'", named.group(2)))
    listed = re.search(r"replica_groups=\{\{([\d,]*)\}", attributes)
    return len(listed.group(1).split(",")) if listed else 0


def _note(total: Totals, transfer: Transfer, seconds: float) -> None:
    row = total.collectives[transfer.kind]
    row[0] += 1
    row[1] += transfer.bytes
    row[2] += seconds
