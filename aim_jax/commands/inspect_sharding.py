"""`aim inspect sharding`: where every parameter goes on a mesh, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aim_jax.commands.experiment import Experiment
from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Prints every sharding decision of a configuration; no device is needed.

    The mesh is the configuration's; override it with --parallel.mesh.fsdp 16 and the like.
    """

    experiment: Experiment
    """Single values of the configuration can be overridden: --parallel.mesh.tensor 4."""
    config: Path = Path("configs/tiny.py")
    """Configuration file."""
    devices: int = 64
    """Devices of the slice."""
    json: str | None = None
    """Also writes the decisions as JSON into this file; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Prints one line per parameter, then the sums."""
    from aim_jax.models.aim.model import abstract_parameters
    from aim_jax.parallel.mesh import check_fit, mesh_sizes
    from aim_jax.parallel.shardings import report

    experiment = args.experiment
    sizes = mesh_sizes(experiment.parallel.mesh, args.devices)
    train = experiment.train
    check_fit(sizes, heads=experiment.model.dit.num_heads, batch=train.batch, microbatches=train.microbatches)
    rows = report(abstract_parameters(experiment.model), sizes, experiment.parallel.rules)
    data = {
        "mesh": sizes,
        "rules": experiment.parallel.rules,
        "parameters": [
            {
                "path": row.path,
                "shape": row.shape,
                "axes": row.axes,
                "spec": list(row.decision.spec),
                "notes": row.decision.notes,
                "bytes": row.bytes_total,
                "bytes_per_device": row.bytes_device,
            }
            for row in rows
        ],
        "bytes": sum(row.bytes_total for row in rows),
        "bytes_per_device": sum(row.bytes_device for row in rows),
    }
    emit(args.json, data, _text(data, rows))
    return 0


def _text(data: dict[str, Any], rows: list[Any]) -> str:
    width = max(len(row.path) for row in rows)
    lines = ["mesh: " + " × ".join(f"{axis} {size}" for axis, size in data["mesh"].items())]
    for row in rows:
        axes = ", ".join(str(axis or "-") for axis in row.axes)
        spec = ", ".join(_entry(entry) for entry in row.decision.spec) or "whole"
        share = f"{row.bytes_device / 2**20:9.3f} of {row.bytes_total / 2**20:9.3f} MiB"
        notes = f"   {'; '.join(row.decision.notes)}" if row.decision.notes else ""
        lines.append(f"{row.path.ljust(width)}  {share}  {list(row.shape)} ({axes}) -> ({spec}){notes}")
    per, total = data["bytes_per_device"] / 2**30, data["bytes"] / 2**30
    lines.append(f"parameters in float32: {per:.3f} of {total:.3f} GiB on each device")
    return "\n".join(lines)


def _entry(entry: Any) -> str:
    return "-" if entry is None else (entry if isinstance(entry, str) else "+".join(entry))
