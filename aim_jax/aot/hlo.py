"""Reads the text of a compiled XLA module: computations, operations, how often each loop runs.

Only what the cost model needs is understood: names, opcodes, shapes, operands, and attributes as text.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_HEADER = re.compile(r"^(ENTRY )?%?([^\s(]+) \(.*\{\s*$")
_DEFINITION = re.compile(r"^\s+(ROOT )?%?([^\s=]+) = ")
_ARRAY = re.compile(r"\b(pred|bf16|[suf]\d+(?:e\w+)?|c64)\[([\d,]*)\]")
_NAME = re.compile(r"%([\w.\-]+)")

BITS = {"pred": 8, "bf16": 16, "c64": 64}
"""Width of the types whose name does not end in it."""

_GAVE_UP = 2**62


@dataclass
class Op:
    """One operation.

    Attributes:
        name: unique in its computation.
        opcode: such as `fusion` or `all-gather-start`.
        shape: of the result, as text; a tuple in parentheses.
        operands: names of the operands.
        literal: text between the parentheses of the call, for constants.
        attributes: text after it.
        root: whether it is the result of its computation.
    """

    name: str
    opcode: str
    shape: str
    operands: list[str]
    literal: str
    attributes: str
    root: bool

    def called(self, role: str) -> str | None:
        """The computation that the op calls as `role`: `calls`, `body`, `condition`, `to_apply`."""
        found = re.search(rf"\b{role}=%?([\w.\-]+)", self.attributes)
        return found.group(1) if found else None

    @property
    def cycles(self) -> int | None:
        """The compiler's own estimate, in cycles of the chip; None where it makes none."""
        cycles = self._written_cycles
        return None if cycles is None or cycles >= _GAVE_UP else cycles

    @property
    def gave_up(self) -> bool:
        """Whether the compiler tried to make an estimate and could not: it writes the largest integer then."""
        cycles = self._written_cycles
        return cycles is not None and cycles >= _GAVE_UP

    @property
    def _written_cycles(self) -> int | None:
        found = re.search(r'"estimated_cycles":"?(\d+)', self.attributes)
        return int(found.group(1)) if found else None

    @property
    def source(self) -> str:
        """Where in the traced program the op comes from."""
        found = re.search(r'op_name="([^"]*)"', self.attributes)
        return found.group(1) if found else ""


@dataclass
class Computation:
    """Operations by name, in order."""

    name: str
    ops: dict[str, Op] = field(default_factory=dict)

    @property
    def root(self) -> Op:
        """The op whose result is the computation's."""
        return next((op for op in self.ops.values() if op.root), list(self.ops.values())[-1])

    def opcodes(self) -> set[str]:
        """All opcodes in it."""
        return {op.opcode for op in self.ops.values()}


@dataclass
class Module:
    """A compiled module.

    Attributes:
        computations: by name.
        entry: name of the one that runs.
    """

    computations: dict[str, Computation]
    entry: str

    def deep_opcodes(self, name: str) -> frozenset[str]:
        """Opcodes of a computation and of all that it calls."""
        return _deep_opcodes(self, name)

    def __hash__(self) -> int:
        return id(self)


def parse(text: str) -> Module:
    """Reads `compiled.as_text()`.

    Raises:
        ValueError: the text has no entry computation.
    """
    computations: dict[str, Computation] = {}
    entry = ""
    for computation, is_entry in _computations(text.splitlines()):
        computations[computation.name] = computation
        if is_entry:
            entry = computation.name
    if not entry:
        raise ValueError("the text holds no ENTRY computation: it is no compiled HLO module")
    return Module(computations, entry)


def array_bytes(shape: str) -> list[int]:
    """Bytes of each array in a shape."""
    return [_width(kind) * math.prod(int(n) for n in dims.split(",") if n) // 8 for kind, dims in _ARRAY.findall(shape)]


def dimensions(shape: str) -> list[tuple[int, ...]]:
    """Dimensions of each array in a shape."""
    return [tuple(int(n) for n in dims.split(",") if n) for _, dims in _ARRAY.findall(shape)]


def _width(kind: str) -> int:
    if kind in BITS:
        return BITS[kind]
    found = re.match(r"[suf](\d+)", kind)
    return int(found.group(1)) if found else 8


@functools.lru_cache(maxsize=4096)
def _deep_opcodes(module: Module, name: str) -> frozenset[str]:
    found: set[str] = set()
    for op in module.computations[name].ops.values():
        found.add(op.opcode)
        inner = op.called("calls")
        if inner in module.computations:
            found |= _deep_opcodes(module, inner)
    return frozenset(found)


def _computations(lines: list[str]) -> Iterator[tuple[Computation, bool]]:
    current: Computation | None = None
    entry = False
    statement = ""
    for line in lines:
        if current is None:
            if line[:1].strip() and (header := _HEADER.match(line)):
                current, entry, statement = Computation(header.group(2)), bool(header.group(1)), ""
        elif line.rstrip() == "}" or line.startswith("}, execution_thread"):
            _add(current, statement)
            yield current, entry
            current = None
        elif _DEFINITION.match(line):
            _add(current, statement)
            statement = line
        else:
            statement += " " + line  # kernels print their metadata over several lines


def _add(computation: Computation, statement: str) -> None:
    definition = _DEFINITION.match(statement)
    if not definition:
        return
    rest = statement[definition.end() :]
    end = _closing(rest, 0) + 1 if rest.startswith("(") else rest.index(" ")
    shape, rest = rest[:end], rest[end:].lstrip()
    call = re.match(r"([a-z][\w\-]*)\(", rest)
    if not call:
        return
    stop = _closing(rest, call.end() - 1)
    literal = rest[call.end() : stop]
    name = definition.group(2)
    computation.ops[name] = Op(
        name,
        call.group(1),
        shape,
        _NAME.findall(literal),
        literal.strip(),
        rest[stop + 1 :],
        bool(definition.group(1)),
    )


def _closing(text: str, start: int) -> int:
    depth = 0
    for index in range(start, len(text)):
        if text[index] == "(":
            depth += 1
        elif text[index] == ")":
            depth -= 1
            if depth == 0:
                return index
    return len(text) - 1
