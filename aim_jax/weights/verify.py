"""Reads both sides again and compares every tensor with what it became."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aim_jax.models.converted import step_folder
from aim_jax.weights.convert import CARRIED_FILE
from aim_jax.weights.export import StoredParams
from aim_jax.weights.plan import Piece, Plan
from aim_jax.weights.tensors import read_safetensors
from aim_jax.weights.workers import in_order


@dataclass
class Row:
    """The comparison of all tensors of one parameter.

    Attributes:
        name: path of the parameter.
        tensors: how many source tensors it came from.
        max_abs: largest absolute difference between the tensor in the stored dtype and the parameter.
        max_rel: the same relative to the tensor's largest magnitude.
        ok: bit for bit equal after the cast to the stored dtype, NaNs included.
    """

    name: str
    tensors: int = 0
    max_abs: float = 0.0
    max_rel: float = 0.0
    ok: bool = True

    def add(self, other: Row) -> None:
        """Counts the tensors of another row of the same parameter."""
        self.tensors += other.tensors
        self.max_abs, self.max_rel = max(self.max_abs, other.max_abs), max(self.max_rel, other.max_rel)
        self.ok = self.ok and other.ok


def compare(name: str, wanted: np.ndarray, got: np.ndarray) -> Row:
    """The row of one tensor, or of part of one."""
    if np.array_equal(bits(wanted), bits(got)):
        return Row(name, 1)
    difference = float(np.max(np.abs(wanted.astype(np.float64) - got.astype(np.float64)), initial=0.0))
    scale = float(np.max(np.abs(wanted.astype(np.float64)), initial=0.0))
    return Row(name, 1, difference, difference / scale if scale else np.inf, ok=False)


def verify(plan: Plan, converted: Path, progress: Callable[[int], None] = lambda _: None) -> list[Row]:
    """One row per parameter, and one for tensors that were carried along.

    Args:
        plan: of the conversion.
        converted: folder of the converted network.
        progress: is told the bytes compared.
    """
    params = StoredParams(step_folder(converted) / "params")
    rows = {path: Row(path) for path in plan.leaves}

    def check(piece: Piece) -> tuple[Row, int]:
        path = piece.item.target
        wanted = piece.value(plan.leaves[path].dtype)
        got = params.read(piece.item, None if piece.rows is None else slice(*piece.rows))
        return compare(path, wanted, got), wanted.nbytes

    for row, size in in_order(check, plan.pieces()):
        rows[row.name].add(row)
        progress(size)
    if plan.carried:
        rows["carried"] = Row("carried")
        stored = {ref.name: ref for ref in read_safetensors(converted / CARRIED_FILE)}
        for ref in plan.carried:
            rows["carried"].add(compare("carried", ref.read(), stored[ref.name].read()))
    return list(rows.values())


def bits(array: np.ndarray) -> np.ndarray:
    """The array's bytes, so that NaNs compare equal and zeros of different sign do not."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
