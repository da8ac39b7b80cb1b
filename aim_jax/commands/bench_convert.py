"""`aim bench convert`: time and memory of conversion, verification and export, on synthetic checkpoints."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aim_jax.commands.convert import Component
from aim_jax.commands.output import emit

Layout = Literal["original", "diffusers", "lingbot"]


@dataclass(frozen=True)
class Args:
    """Writes synthetic checkpoints of the exact shapes, converts, verifies and exports them with the real commands.

    For each stage: time and CPU time, their ratios to copying the same bytes to the disk in the same run, and the peak
    memory of the process. One network in one layout is on the disk at a time; its rows are printed when it is done.
    """

    size: Literal["5b", "small"] = "5b"
    """`5b`: the published shapes (up to 32 GiB of disk at a time); `small`: the tests' shapes."""

    components: tuple[Component, ...] = ("vae", "dit", "text_encoder")
    """Networks to measure."""

    layouts: tuple[Layout, ...] = ("diffusers", "original", "lingbot")
    """Layouts to measure; LingBot-VA differs from Diffusers in its transformer only."""

    forward: bool = True
    """Whether verification also runs every layer of both sides, where torch is installed."""

    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """Of the synthetic tensors."""

    folder: Path = Path("bench-convert")
    """Working folder; it is emptied at the end."""

    seed: int = 0
    """Of the synthetic values."""

    json: str | None = None
    """Also writes the result as JSON into this file; `-` writes JSON to stdout instead of the table."""


def main(args: Args) -> int:
    """Runs every combination; 1 when a comparison fails."""
    from aim_jax.versions import versions
    from aim_jax.weights.bench import measure

    print(_HEADER, file=sys.stderr)
    runs = []
    for component in args.components:
        for layout in args.layouts:
            if layout == "lingbot" and component != "dit":
                continue
            flags = (args.folder, args.size, component, layout, args.dtype, args.seed)
            runs.append(measure(*flags, forward=args.forward))
            print(_rows(runs[-1]), file=sys.stderr, flush=True)
    result = {
        "size": args.size,
        "dtype": args.dtype,
        "peak_rss_gb": max(stage["peak_rss_gb"] for run in runs for stage in run["stages"]),
        "ok": all(run["ok"] for run in runs),
        "runs": runs,
        "versions": versions(),
    }
    peak = f"largest peak memory {result['peak_rss_gb']:.2f} GB"
    emit(args.json, result, f"{peak}; {'every comparison holds' if result['ok'] else 'SOME COMPARISONS FAIL'}")
    return 0 if result["ok"] else 1


_HEADER = f"{'network':<13} {'layout':<10} {'stage':<8} {'seconds':>8} {'× copy':>7} {'CPU × copy':>11} {'peak GB':>8}"


def _rows(run: dict[str, Any]) -> str:
    lines = []
    for stage in run["stages"]:
        columns = f"{run['component']:<13} {run['layout']:<10} {stage['name']:<8} {stage['seconds']:>8.1f}"
        ratios = f"{stage['copy_ratio']:>7.2f} {stage['cpu_ratio']:>11.2f}"
        lines.append(f"{columns} {ratios} {stage['peak_rss_gb']:>8.2f}")
    copy = run["copy"]
    size = f"{run['gib']:.2f} GiB, copied in {copy['seconds']:.1f} s ({copy['cpu_seconds']:.1f} s CPU)"
    lines.append(f"{'':<13} {size}; {len(run['verify'])} parameters compared, {_layers(run)}: {_verdict(run)}")
    return "\n".join(lines)


def _layers(run: dict[str, Any]) -> str:
    worst = max((row["max_rel"] for row in run["forward"]), default=0.0)
    return f"{len(run['forward'])} layers run (largest relative error {worst:.1e})" if run["forward"] else "none run"


def _verdict(run: dict[str, Any]) -> str:
    return "ok" if run["ok"] else "DIFFERENCES"
