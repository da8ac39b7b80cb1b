"""The conversion itself: a plan carried out piece by piece, with hashes of what was read and progress for the user."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aim_jax.errors import AimError
from aim_jax.files import read_json, require_space, sha256
from aim_jax.weights.plan import Piece, Plan
from aim_jax.weights.store import ChunkedCheckpoint
from aim_jax.weights.tensors import SafetensorsWriter
from aim_jax.weights.workers import in_order

CARRIED_FILE = "carried.safetensors"
Progress = Callable[[int], None]


def convert(plan: Plan, out: Path, progress: Progress = lambda _: None) -> bool:
    """Writes the network of `plan` to `out`/<component>; a conversion that was interrupted is continued.

    Args:
        plan: what to write.
        out: folder for all networks of a checkpoint.
        progress: is told the bytes written, those found written included.

    Returns:
        False if the finished checkpoint was there already.

    Raises:
        AimError: the place is taken by another checkpoint, or there is no room.
    """
    final = out / plan.source.layout.component
    if final.exists():
        _require_same(final, plan)
        progress(plan.nbytes)
        return False
    checkpoint = ChunkedCheckpoint(final, plan.leaves, plan.fingerprint)
    if not checkpoint.folder.exists():
        require_space(out, plan.nbytes * 1.01 / 2**30)
    checkpoint.open(describe(plan))
    hashing = ThreadPoolExecutor(1)
    try:
        hashes = {file: hashing.submit(sha256, file) for file in plan.source.files}
        for size in in_order(lambda piece: _write(checkpoint, piece), plan.pieces()):
            progress(size)
        _carry(plan, checkpoint.folder)
        checkpoint.close(_meta(plan, hashes))
    finally:
        hashing.shutdown(cancel_futures=True)
    return True


def copy_tokenizer(source: Path | None, out: Path) -> None:
    """Copies the tokenizer beside the converted networks, where `aim` looks for it."""
    target = out / "tokenizer"
    if source is None or target.exists():
        return
    partial = out / ".tokenizer.partial"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial)
    partial.rename(target)


def describe(plan: Plan) -> dict[str, Any]:
    """The item `config` of a converted checkpoint."""
    return {
        "component": plan.source.layout.component,
        "layout": plan.source.layout.name,
        "dtype": plan.dtype,
        "model": asdict(plan.source.config),
    }


def _meta(plan: Plan, hashes: dict[Path, Future[str]]) -> dict[str, Any]:
    files = [{"file": f.name, "bytes": f.stat().st_size, "sha256": hashes[f].result()} for f in plan.source.files]
    return {
        "fingerprint": plan.fingerprint,
        "sources": files,
        "parameters": {path: str(leaf.dtype) for path, leaf in plan.leaves.items()},
        "carried": [ref.name for ref in plan.carried],
    }


def _require_same(final: Path, plan: Plan) -> None:
    found = read_json(final / "0" / "meta" / "metadata") if (final / "0" / "meta" / "metadata").is_file() else {}
    if found.get("fingerprint") != plan.fingerprint:
        raise AimError(
            f"{final} exists and was made from another checkpoint or with other options",
            remedy="choose another output folder, or delete this one",
        )


def _write(checkpoint: ChunkedCheckpoint, piece: Piece) -> int:
    path = piece.item.target
    leaf = checkpoint.leaves[path]
    if not checkpoint.has(path, piece.index):
        checkpoint.put(path, piece.index, piece.value(leaf.dtype))
    rows = piece.tensor.shape[0] if piece.tensor.shape else 1
    part = 1.0 if piece.rows is None else (piece.rows[1] - piece.rows[0]) / rows
    return int(piece.tensor.nbytes * part * leaf.dtype.itemsize / piece.tensor.dtype.itemsize)


def _carry(plan: Plan, folder: Path) -> None:
    if not plan.carried:
        return
    writer = SafetensorsWriter(folder / CARRIED_FILE, {ref.name: (ref.dtype, ref.shape) for ref in plan.carried})
    for ref in plan.carried:
        writer.put(ref.name, ref.read())
    writer.close()


def total_bytes(plans: Sequence[Plan]) -> int:
    """Bytes that the plans write together."""
    return sum(plan.nbytes for plan in plans)
