"""A benchmark of inference as a Markdown table and a plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aim_jax.files import atomic_path


def markdown(result: dict[str, Any]) -> str:
    """Tables of everything that was measured, with the machine they were measured on."""
    machine, peaks = result["machine"], result["peaks"]
    lines = [
        f"{result['policy']}; {machine['processor']}, {machine['cores']} cores, load {machine['load_average']}; "
        f"peak {peaks['flops'] / 1e9:.1f} GFLOP/s, {peaks['bandwidth'] / 1e9:.1f} GB/s ({peaks['source']})",
        "",
        "| batch | window | world + action | dtype | mesh | chunk p50 s | p95 s | chunks/s | actions/s | first s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result["cases"]:
        case, chunk = row["case"], row["chunk"]
        lines.append(
            f"| {case['batch']} | {case['window']} | {case['world_steps']} + {case['action_steps']} "
            f"| {case['dtype']} | "
            f"{case['mesh'][0]}×{case['mesh'][1]} | {chunk['p50']:.3f} | {chunk['p95']:.3f} | "
            f"{chunk['chunks_per_second']:.2f} | {chunk['actions_per_second']:.1f} | {chunk['first']:.2f} |"
        )
    for row in result["cases"]:
        lines += ["", _case_title(row["case"]), "", *_stage_table(row["stages"])]
        if sharding := row.get("sharding"):
            found = ", ".join(f"{n} {name}" for name, n in sharding["collectives"].items()) or "none"
            lines.append(
                f"\nAgainst one device: largest relative difference {sharding['max_relative_difference']:.1e}; "
                f"collectives in the program: {found}."
            )
    return "\n".join([*lines, *_rest(result)])


def plot(result: dict[str, Any], path: Path) -> None:
    """Time of a chunk by stage, one bar per case, as a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.6 * len(result["cases"])), layout="constrained")
    names = [stage["stage"] for stage in result["cases"][0]["stages"] if stage["calls_per_chunk"]]
    left = [0.0] * len(result["cases"])
    labels = [_case_title(row["case"]) for row in result["cases"]]
    for name in names:
        widths = [
            1000 * next(s["p50"] * s["calls_per_chunk"] for s in row["stages"] if s["stage"] == name)
            for row in result["cases"]
        ]
        axes.barh(labels, widths, left=left, label=name)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_xlabel("milliseconds of a chunk, sum of its stages (p50)")
    axes.legend(fontsize="small", ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.35))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    plt.close(figure)


def _case_title(case: dict[str, Any]) -> str:
    mesh = "×".join(map(str, case["mesh"]))
    steps = f"{case['world_steps']}+{case['action_steps']} steps"
    return f"batch {case['batch']}, window {case['window']}, {steps}, {case['dtype']}, mesh {mesh}"


def _stage_table(stages: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| stage | a chunk has | p50 ms | p95 ms | compile s | first ms | GFLOP | of peak | MB | of bandwidth |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for s in stages:
        flops = "–" if s["flops"] is None else f"{s['flops'] / 1e9:.3f}"
        share = "–" if s["flops_share"] is None else f"{100 * s['flops_share']:.0f} %"
        lines.append(
            f"| {s['stage']} | {s['calls_per_chunk']} | {1000 * s['p50']:.2f} | {1000 * s['p95']:.2f} | "
            f"{s['compile']:.1f} | {1000 * s['first']:.1f} | {flops} | {share} | {s['bytes'] / 1e6:.1f} | "
            f"{100 * s['bandwidth_share']:.0f} % |"
        )
    return lines


def _rest(result: dict[str, Any]) -> list[str]:
    lines: list[str] = [""]
    if start := result.get("start"):
        empty, full = start["empty_cache"], start["full_cache"]
        lines.append(
            f"Start to first chunk: {empty['seconds']:.1f} s with an empty cache of executables "
            f"({empty['compiled']} compiled), {full['seconds']:.1f} s with a full one ({full['compiled']} compiled, "
            f"{full['read']} read)."
        )
    if gain := result.get("cache_gain"):
        lines.append(
            f"KV cache against recomputing the prefix in every pass, {gain['history_frames']} frames of history: "
            f"{gain['full_seconds']:.3f} s against {gain['cached_seconds']:.3f} s, {gain['gain']:.1f}×; largest "
            f"relative difference {gain['max_relative_difference']:.1e}."
        )
    if length := result.get("episode_length"):
        shown = ", ".join(f"frame {frame}: {seconds:.3f} s" for frame, seconds in length["seconds"].items())
        lines.append(f"A chunk late and early in an episode: {shown}; ratio {length['ratio']:.3f}.")
    return lines
