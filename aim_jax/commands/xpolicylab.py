"""`aim xpolicylab`: the policy folder of RoboTwin's evaluation path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Writes a policy folder for XPolicyLab that acts through a running `aim serve` (docs/serving.md)."""

    out: Path
    """The folder, usually XPolicyLab/policy/AIM."""
    url: str = "ws://127.0.0.1:8000"
    """Where the server will be."""
    overwrite: bool = False
    """Replaces a folder that is there."""
    json: str | None = None
    """Also writes the list of files as JSON; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Writes the files and names them."""
    from aim_jax.policy.xpolicylab.write import write_folder

    files = write_folder(args.out, args.url, overwrite=args.overwrite)
    emit(args.json, {"out": args.out, "files": files}, f"{len(files)} files written to {args.out}")
    return 0
