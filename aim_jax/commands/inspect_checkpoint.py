"""`aim inspect checkpoint`: what is stored in a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Items, parameters by part, dtypes, bytes, source hashes and configuration of a checkpoint; reads no array.

    Understands converted and trained checkpoints, folders of them, PyTorch downloads, safetensors and .pth files.
    """

    path: Annotated[Path, tyro.conf.Positional]
    """The checkpoint: a file, its folder, or a folder that holds several."""

    json: str | None = None
    """Also writes the contents as JSON into this file; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Prints the contents."""
    from aim_jax.weights.contents import checkpoints

    found = checkpoints(args.path)
    emit(args.json, {"checkpoints": found}, "\n\n".join("\n".join(_lines(entry)) for entry in found))
    return 0


def _lines(entry: dict[str, Any]) -> Iterator[str]:
    from aim_jax.weights.contents import plain_config

    made = "".join(f", {name} {value}" for name, value in entry.get("made_from", {}).items())
    step = f", step {entry['step']}" if "step" in entry else ""
    yield f"{entry['path']} ({entry['kind']}{step}{made})"
    for name, item in entry["items"].items():
        yield from _item(name, item)
    if carried := entry.get("carried"):
        yield f"  carried along: {len(carried)} tensors ({carried[0]}, …)"
    for source in entry.get("sources", ()):
        yield f"  made from {source['file']}  {source['bytes']:,} bytes  SHA-256 {source['sha256']}"
    for name, value in plain_config(entry.get("config", {})):
        yield f"  {name} = {value}"


def _item(name: str, item: dict[str, Any]) -> Iterator[str]:
    size = f"{item['disk_bytes'] / 2**20:,.1f} MiB on disk"
    if "entries" in item:
        yield f"  {name}: JSON, {size}: {', '.join(item['entries'])}"
        return
    dtypes = ", ".join(f"{dtype} {count:,}" for dtype, count in item["dtypes"].items())
    yield f"  {name}: {item['tensors']:,} arrays, {item['parameters']:,} numbers ({dtypes}), {size}"
    width = max(map(len, item["parts"]), default=0)
    for part, count in item["parts"].items():
        yield f"    {part:<{width}}  {count:>14,}  {100 * count / max(item['parameters'], 1):5.1f} %"
