"""Key maps as data: which tensor of a foreign checkpoint fills which parameter, and how its axes move.

A rule names both sides with placeholders. `{i}`, `{j}` are indices that both names carry; `{layer}` occurs only in the
source and is the leading axis of the parameter, because repeated blocks are stacked here. One table serves import
(target from sources) and export (sources from target).
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Shape = tuple[int, ...]
_STRIP = 64
"""Columns transposed at once: the rows that they are read from stay in the cache."""


@dataclass(frozen=True)
class Permute:
    """Moves axes: target axis n is source axis `axes[n]`; `()` keeps the order."""

    axes: tuple[int, ...] = ()

    def source_shape(self, target: Shape) -> Shape:
        """Shape that the source tensor of a parameter of shape `target` must have."""
        return tuple(target[self.axes.index(axis)] for axis in range(len(target))) if self.axes else target

    def forward(self, array: np.ndarray) -> np.ndarray:
        """Source to parameter."""
        return array.transpose(self.axes) if self.axes else array

    def inverse(self, array: np.ndarray) -> np.ndarray:
        """Parameter to source."""
        return array.transpose(np.argsort(self.axes)) if self.axes else array


@dataclass(frozen=True)
class Unfold:
    """A convolution whose stride equals its kernel, as a matrix: [d, c, *kernel] becomes [c * prod(kernel), d]."""

    kernel: tuple[int, ...]

    def source_shape(self, target: Shape) -> Shape:
        """Shape that the source tensor of a parameter of shape `target` must have."""
        return (target[1], target[0] // math.prod(self.kernel), *self.kernel)

    def forward(self, array: np.ndarray) -> np.ndarray:
        """Source to parameter."""
        return array.reshape(array.shape[0], -1).T

    def inverse(self, array: np.ndarray) -> np.ndarray:
        """Parameter to source."""
        return contiguous(array.T).reshape(self.source_shape(array.shape))


@dataclass(frozen=True)
class Squeeze:
    """Drops `count` trailing axes of length one."""

    count: int

    def source_shape(self, target: Shape) -> Shape:
        """Shape that the source tensor of a parameter of shape `target` must have."""
        return (*target, *(1,) * self.count)

    def forward(self, array: np.ndarray) -> np.ndarray:
        """Source to parameter."""
        return array.reshape(array.shape[: array.ndim - self.count])

    def inverse(self, array: np.ndarray) -> np.ndarray:
        """Parameter to source."""
        return array.reshape(self.source_shape(array.shape))


def contiguous(array: np.ndarray) -> np.ndarray:
    """A C-contiguous copy or view; matrices are transposed in strips, several times as fast as in one go."""
    if array.flags.c_contiguous:
        return array
    if array.ndim != 2:
        return np.ascontiguousarray(array)
    bits = array.view({2: np.uint16, 4: np.uint32, 8: np.uint64}[array.dtype.itemsize])
    out = np.empty(array.shape, bits.dtype)
    for start in range(0, array.shape[1], _STRIP):
        out[:, start : start + _STRIP] = bits[:, start : start + _STRIP]
    return out.view(array.dtype)


Transform = Permute | Unfold | Squeeze
SAME = Permute()
LINEAR = Permute((1, 0))
"""A torch linear weight [out, in] to a kernel [in, out]."""
CONV2D = Permute((2, 3, 1, 0))
"""A torch convolution [out, in, h, w] to a kernel [h, w, in, out]."""
CONV3D = Permute((2, 3, 4, 1, 0))
"""A torch convolution [out, in, t, h, w] to a kernel [t, h, w, in, out]."""


@dataclass(frozen=True)
class Rule:
    """`source` fills `target`; both may hold placeholders.

    Attributes:
        source: name of the tensor in the foreign checkpoint.
        target: path of the parameter, parts joined by `/`.
        transform: how axes move.
    """

    source: str
    target: str
    transform: Transform = SAME


@dataclass(frozen=True)
class Assignment:
    """One tensor of the source and the place it fills.

    Attributes:
        source: name of the tensor.
        target: path of the parameter.
        layer: index on the leading axis of the parameter, None for the whole parameter.
        shape: shape of the source tensor.
        transform: how axes move.
    """

    source: str
    target: str
    layer: int | None
    shape: Shape
    transform: Transform


def assign(rules: Sequence[Rule], targets: Mapping[str, Shape]) -> list[Assignment]:
    """All assignments that fill `targets` completely, each exactly once.

    Args:
        rules: the key map.
        targets: shape of every parameter by path.

    Raises:
        LookupError: a parameter has no rule or several: the key map and the model disagree, a defect of this project.
    """
    out: list[Assignment] = []
    for target, shape in targets.items():
        found = [(rule, match) for rule in rules if (match := _pattern(rule.target).fullmatch(target))]
        if len(found) != 1:
            raise LookupError(f"{len(found)} rules fill {target}")
        rule, match = found[0]
        out.extend(_expand(rule, match.groupdict(), target, shape))
    return out


def _expand(rule: Rule, indices: dict[str, str], target: str, shape: Shape) -> Iterable[Assignment]:
    if "{layer}" not in rule.source:
        name = rule.source.format(**indices)
        yield Assignment(name, target, None, rule.transform.source_shape(shape), rule.transform)
        return
    for layer in range(shape[0]):
        name = rule.source.format(**indices, layer=layer)
        yield Assignment(name, target, layer, rule.transform.source_shape(shape[1:]), rule.transform)


@functools.cache
def _pattern(name: str) -> re.Pattern[str]:
    escaped = re.escape(name)
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>\\d+)", escaped))
