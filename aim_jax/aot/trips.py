"""How often the loops of a compiled module run, from their induction variables."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from aim_jax.aot.hlo import Computation, Module, Op

_THROUGH = ("copy", "bitcast", "convert", "reshape", "copy-done", "copy-start")
"""Ops that hand an integer on unchanged."""
_DEPTH = 40
_MIRRORED = {"LT": "GT", "GT": "LT", "LE": "GE", "GE": "LE", "NE": "NE"}


class Loop(NamedTuple):
    """A while op and where it stands."""

    computation: Computation
    op: Op


def trip_count(module: Module, loop: Loop) -> int | None:
    """Trips of a loop; None where they cannot be told from the text."""
    known = re.search(r'known_trip_count"?:\{"n":"?(\d+)', loop.op.attributes)
    if known:
        return int(known.group(1))
    condition = module.computations[loop.op.called("condition") or ""]
    body = module.computations[loop.op.called("body") or ""]
    root = condition.root
    if root.opcode != "compare":
        return None
    direction = re.search(r"direction=(\w+)", root.attributes)
    for left, right in ((0, 1), (1, 0)):
        counter = _slot(module, condition, root.operands[left])
        limit = _constant(module, condition, root.operands[right])
        if counter is None or limit is None or direction is None:
            continue
        slot, offset = counter
        step = _slot(module, body, body.root.operands[slot]) if body.root.opcode == "tuple" else None
        if step is None or step[0] != slot or step[1] == 0:
            return None
        start = _initial(module, loop, slot)
        if start is None:
            return None
        how = direction.group(1) if left == 0 else _MIRRORED[direction.group(1)]
        return _count(start + offset, limit, step[1], how)
    return None


def _count(start: int, limit: int, step: int, direction: str) -> int:
    counts = {
        "LT": math.ceil((limit - start) / step),
        "LE": math.floor((limit - start) / step) + 1,
        "GT": math.ceil((start - limit) / -step),
        "GE": math.floor((start - limit) / -step) + 1,
        "NE": (limit - start) // step,
    }
    return max(counts[direction], 0)


def _slot(module: Module, computation: Computation, name: str) -> tuple[int, int] | None:
    """(slot, offset) where the op is slot `slot` of the loop's state plus `offset`."""
    op = computation.ops.get(name)
    if op is None:
        return None
    if op.opcode in _THROUGH:
        return _slot(module, computation, op.operands[0])
    if op.opcode == "get-tuple-element":
        source = computation.ops.get(op.operands[0])
        return (_index(op), 0) if source is not None and source.opcode == "parameter" else None
    if op.opcode in ("add", "subtract"):
        for first, second in ((0, 1), (1, 0)):
            found = _slot(module, computation, op.operands[first])
            by = _constant(module, computation, op.operands[second])
            if found is not None and by is not None:
                return found[0], found[1] + (by if op.opcode == "add" else -by)
    return None


def _constant(module: Module, computation: Computation, name: str, depth: int = 0) -> int | None:
    """The integer that an op holds in every trip, if it can be told."""
    op = computation.ops.get(name)
    if op is None or depth > _DEPTH:
        return None
    if op.opcode == "constant":
        return int(op.literal) if re.fullmatch(r"-?\d+", op.literal) else None
    if op.opcode in (*_THROUGH, "broadcast") and op.operands:
        return _constant(module, computation, op.operands[0], depth + 1)
    if op.opcode in ("add", "subtract", "multiply") and len(op.operands) == 2:
        a, b = (_constant(module, computation, operand, depth + 1) for operand in op.operands)
        if a is None or b is None:
            return None
        return {"add": a + b, "subtract": a - b, "multiply": a * b}[op.opcode]
    if op.opcode == "get-tuple-element":
        return _element(module, computation, op, depth)
    return None


def _element(module: Module, computation: Computation, op: Op, depth: int) -> int | None:
    source = computation.ops.get(op.operands[0])
    if source is None:
        return None
    if source.opcode == "tuple":
        return _constant(module, computation, source.operands[_index(op)], depth + 1)
    if source.opcode == "while":
        return _invariant(module, Loop(computation, source), _index(op), depth + 1)
    if source.opcode == "parameter":
        for loop in _callers(module, computation.name):
            return _invariant(module, loop, _index(op), depth + 1)
    return None


def _invariant(module: Module, loop: Loop, slot: int, depth: int) -> int | None:
    """Slot `slot` of a loop's state, if the body hands it on unchanged or sets it to a constant."""
    body = module.computations[loop.op.called("body") or ""]
    if body.root.opcode == "tuple":
        handed = _slot(module, body, body.root.operands[slot])
        own = body.ops.get(body.root.operands[slot])
        if handed != (slot, 0) and not (own is not None and own.opcode == "constant"):
            return None
    return _initial(module, loop, slot, depth)


def _initial(module: Module, loop: Loop, slot: int, depth: int = 0) -> int | None:
    state = loop.computation.ops.get(loop.op.operands[0])
    if state is None:
        return None
    if state.opcode == "tuple":
        return _constant(module, loop.computation, state.operands[slot], depth + 1)
    if state.opcode == "while":
        return _invariant(module, Loop(loop.computation, state), slot, depth + 1)
    return None


def _callers(module: Module, name: str) -> list[Loop]:
    return [
        Loop(computation, op)
        for computation in module.computations.values()
        for op in computation.ops.values()
        if op.opcode == "while" and name in (op.called("body"), op.called("condition"))
    ]


def _index(op: Op) -> int:
    found = re.search(r"index=(\d+)", op.attributes)
    return int(found.group(1)) if found else 0
