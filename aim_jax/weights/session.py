"""A user's run of the converter: all networks of a folder, with progress, results as plain data."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aim_jax.models.converted import read_item
from aim_jax.weights.aim_init import Additions, write_aim
from aim_jax.weights.convert import convert, copy_tokenizer
from aim_jax.weights.export import export
from aim_jax.weights.forward import compare_forward
from aim_jax.weights.layouts import COMPONENTS, ComponentName, LayoutName
from aim_jax.weights.plan import DtypePolicy, Plan, make_plan
from aim_jax.weights.source import find_sources, find_tokenizer
from aim_jax.weights.verify import verify


def convert_all(source: Path, out: Path, components: Sequence[ComponentName], dtype: DtypePolicy) -> dict[str, Any]:
    """Converts every wanted network that `source` holds; all are checked before the first is written."""
    plans = _plans(source, components, dtype)
    networks = []
    with progress_bar("converting", sum(plan.nbytes for plan in plans)) as advance:
        for plan in plans:
            new = convert(plan, out, advance)
            place = str(out / plan.source.layout.component)
            networks.append({**_summary(plan), "state": f"written to {place}" if new else f"already in {place}"})
    copy_tokenizer(find_tokenizer(source), out)
    return {"networks": networks}


def describe_all(source: Path, components: Sequence[ComponentName], dtype: DtypePolicy) -> dict[str, Any]:
    """What `convert_all` would do."""
    return {"networks": [_summary(plan) | _details(plan) for plan in _plans(source, components, dtype)]}


def verify_all(
    source: Path, out: Path, components: Sequence[ComponentName], dtype: DtypePolicy, *, forward: bool
) -> dict[str, Any]:
    """Compares every tensor on both sides, and every layer's output where torch is installed."""
    plans = _plans(source, components, dtype)
    rows = []
    with progress_bar("verifying", sum(plan.nbytes for plan in plans)) as advance:
        for plan in plans:
            component = plan.source.layout.component
            for row in verify(plan, out / component, advance):
                rows.append(asdict(row) | {"name": f"{component}/{row.name}"})
    outputs = [row for plan in plans for row in _forward(plan, out)] if forward else []
    return {"verified": rows, "forward": outputs, "ok": all(row["ok"] for row in [*rows, *outputs])}


def export_all(converted: Path, out: Path, components: Sequence[ComponentName], layout: LayoutName) -> dict[str, Any]:
    """Writes every wanted network of a converted folder in a foreign layout."""
    networks = []
    for component in COMPONENTS:
        if component not in components or not (converted / component).is_dir():
            continue
        parameters = read_item(converted / component, "meta")["parameters"]
        with progress_bar(f"exporting {component}", None) as advance:
            files = export(converted / component, out, component, layout, advance)
        size = sum(file.stat().st_size for file in files)
        names = [str(file.relative_to(out)) for file in files]
        networks.append(
            {"component": component, "layout": layout, "tensors": len(parameters), "bytes": size, "files": names}
        )
    return {"networks": networks}


def init_aim(out: Path, additions: Additions, seed: int) -> dict[str, Any]:
    """Writes `out`/aim from `out`/dit, and says how each parameter began."""
    with progress_bar("initialising AIM", None) as advance:
        return {"initialised": write_aim(out / "dit", out / "aim", additions, seed, advance)}


@contextlib.contextmanager
def progress_bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr that is told bytes; nothing is shown when stderr is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda amount: bar.advance(task, amount)


def _forward(plan: Plan, out: Path) -> Iterator[dict[str, Any]]:
    component = plan.source.layout.component
    for row in compare_forward(plan, out / component):
        yield asdict(row) | {"name": f"{component}/{row.name}"}


def _plans(source: Path, components: Sequence[ComponentName], dtype: DtypePolicy) -> list[Plan]:
    return [make_plan(found, dtype) for found in find_sources(source, components)]


def _summary(plan: Plan) -> dict[str, Any]:
    out: dict[str, Any] = {
        "component": plan.source.layout.component,
        "layout": plan.source.layout.name,
        "tensors": len(plan.source.tensors),
        "bytes": plan.nbytes,
    }
    return out | ({"carried": [ref.name for ref in plan.carried]} if plan.carried else {})


def _details(plan: Plan) -> dict[str, Any]:
    read = sorted({str(ref.dtype) for ref in plan.source.tensors.values()})
    written = sorted({str(leaf.dtype) for leaf in plan.leaves.values()})
    return {
        "dtypes": f"{', '.join(read)} -> {', '.join(written)}",
        "chunks": sum(1 for _ in plan.pieces()),
        "memory": f"about {plan.working_bytes / 2**30:.1f} GiB besides the program itself",
        "files": [file.name for file in plan.source.files],
        "model": asdict(plan.source.config),
    }
