"""The result of `aim compile` as data."""

from __future__ import annotations

from typing import Any

from aim_jax.aot.compiler import GIB, Compiled, Program
from aim_jax.aot.cost import Totals
from aim_jax.aot.topology import Topology


def program_report(program: Program, compiled: Compiled, topology: Topology) -> dict[str, Any]:
    """One compiled program: memory, collectives, operations, and what is modelled of its time."""
    memory = compiled.memory
    report: dict[str, Any] = {
        "name": program.name,
        "fits": compiled.fits,
        "hbm_gib": {
            "arguments": memory.arguments / GIB,
            "temporaries": memory.temporaries / GIB,
            "peak": memory.peak / GIB,
            "limit": memory.limit / GIB,
        },
        "analytic_flops": program.flops,
        "samples": program.samples,
        "compile_seconds": compiled.seconds,
        "modelled": None,
    }
    if compiled.totals is not None:
        report["modelled"] = _modelled(program, compiled.totals, topology)
    return report


def _modelled(program: Program, totals: Totals, topology: Topology) -> dict[str, Any]:
    rate = program.flops / (topology.chips * topology.chip.flops)
    return {
        "step_seconds": totals.seconds,
        "mfu": rate / totals.seconds if totals.seconds else None,
        "samples_per_second_per_chip": program.samples / topology.chips / totals.seconds if totals.seconds else None,
        "matmul_cycles": totals.matmul,
        "other_cycles": totals.other,
        "kernel_seconds": totals.kernels,
        "cycles_by_category": dict(sorted(totals.by_category.items(), key=lambda item: -item[1])),
        "kernel_calls": dict(totals.kernel_calls),
        "collectives": {
            kind: {"calls": calls, "gb": size / 1e9, "seconds": seconds}
            for kind, (calls, size, seconds) in totals.collectives.items()
        },
        "weight_copies_gb": totals.weight_copies / 1e9,
        "unknown_loops": totals.unknown_loops,
        "unknown_ops": totals.unknown_ops,
        "top": [
            {"op": name, "cycles": cycles, "what": what}
            for name, (cycles, what) in sorted(totals.top.items(), key=lambda item: -item[1][0])[:20]
        ],
    }


def text(report: dict[str, Any]) -> str:
    """The same for a person."""
    lines = [
        f"{report['stage']} on {report['topology']}: {report['chips']} chips, mesh "
        + " × ".join(f"{axis} {size}" for axis, size in report["mesh"].items() if size > 1)
        + f", batch {report['batch']}, {report['frames']} latent frames, attention {report['attention']}, "
        f"remat {report['remat']}, compiled at {report['effort']}",
    ]
    for program in report["programs"]:
        hbm = program["hbm_gib"]
        verdict = "fits" if program["fits"] else "DOES NOT FIT"
        lines.append(
            f"{program['name']}: {verdict}; HBM GiB per chip: arguments {hbm['arguments']:.2f}, temporaries "
            f"{hbm['temporaries']:.2f}, peak {hbm['peak']:.2f} of {hbm['limit']:.2f}"
        )
        if (model := program["modelled"]) is None:
            continue
        lines += [
            f"  modelled step {1e3 * model['step_seconds']:.1f} ms, MFU {100 * model['mfu']:.1f} %, "
            f"{model['samples_per_second_per_chip']:.3f} samples/s per chip (modelled, not measured)",
            f"  Mcycles: matmul {model['matmul_cycles'] / 1e6:.1f}, other {model['other_cycles'] / 1e6:.1f}; "
            f"kernels {1e3 * model['kernel_seconds']:.1f} ms",
        ]
        for kind, part in model["collectives"].items():
            lines.append(f"  {kind}: {part['calls']:.0f} calls, {part['gb']:.3f} GB, {1e3 * part['seconds']:.1f} ms")
    lines += report["remedies"]
    return "\n".join(lines)
