"""`aim compile table`: the table of docs/tpu.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aim_jax.commands.experiment import Experiment
from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Compiles every row of the table and writes it into the document.

    A compile takes minutes, so each result is kept in a folder and not made again; run the command again to go on.
    """

    experiment: Experiment
    """Single values of the configuration can be overridden."""
    config: Path = Path("configs/wan22_5b.py")
    """Configuration file."""
    results: Path = Path("runs/tpu")
    """Folder of the results, one JSON file a row."""
    out: Path = Path("docs/tpu.md")
    """Document that the table is written into."""
    only: str = ""
    """Only rows whose name matches this pattern, such as `stage1-v5e`."""
    effort: Literal["full", "O1"] = "full"
    """`O1`: memory only, several times faster."""
    json: str | None = None
    """Also writes all reports as JSON into this file; `-` writes JSON to stdout instead of the table."""


def main(args: Args) -> int:
    """Compiles what is missing; 1 if a row does not fit."""
    from aim_jax.aot.topology import prepare

    prepare()
    import sys

    from aim_jax.aot.table import ROWS, insert, render, results

    rows = [row for row in ROWS if re.search(args.only, row.key)]
    found = results(
        rows,
        args.experiment,
        args.results,
        args.effort,
        progress=lambda row: print(f"compiling {row.key}", file=sys.stderr, flush=True),
    )
    table = render(found)
    insert(args.out, table)
    emit(args.json, [report for _, report in found], table)
    return 0 if all(report["fits"] for _, report in found) else 1
