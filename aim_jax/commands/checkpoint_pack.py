"""`aim checkpoint pack`: a checkpoint without what only training needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Copies a policy's parameters and its bundle (configuration, statistics, versions) into a folder of its own.

    Optimiser and data position stay behind: the copy can act and be evaluated, but not be trained on.
    """

    checkpoint: Path
    """Run of Stage I or II."""
    out: Path
    """New folder; `aim eval --checkpoint OUT` takes it."""
    step: int | None = None
    """Number of the checkpoint; the newest unless given."""
    json: str | None = None
    """Also writes what was packed as JSON into this file; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Packs and says how large the result is."""
    from aim_jax.evaluation.load import checkpoint_folder
    from aim_jax.training.checkpoint import pack

    number = pack(checkpoint_folder(args.checkpoint), args.out, args.step)
    size = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
    text = f"step {number}: {size / 1e6:.1f} MB in {args.out}"
    emit(args.json, {"step": number, "bytes": size, "out": args.out}, text)
    return 0
