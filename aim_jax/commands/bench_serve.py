"""`aim bench serve`: a policy server under load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aim_jax.commands.output import emit


@dataclass(frozen=True)
class Args:
    """Starts a server in this process and plays many sessions against it over real sockets.

    Every answer is compared with what the same session gets alone. Meanwhile an attacker may send malformed messages.
    Exit code 1 when a session fails, is mixed up with another, or a hostile message passes.
    """

    checkpoint: Path | None = None
    """Run of Stage I or II."""
    config: Path | None = None
    """Instead of a checkpoint: a configuration with random parameters."""
    sessions: int = 64
    """Concurrent sessions."""
    minutes: float = 1.0
    """How long they play."""
    chunks: int = 3
    """Chunks of an episode; each episode opens a new connection and a new session."""
    max_batch: int = 16
    """Episodes in one call of the policy."""
    hostile: int = 0
    """Malformed messages that an attacker sends meanwhile."""
    compare_seconds: float = 0.0
    """Also plays this long with one episode per call, for the gain of batching."""
    seed: int = 0
    """Of the sessions' frames."""
    json: str | None = None
    """Also writes the result as JSON; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Plays and prints what happened."""
    import jax

    from aim_jax.commands.policy_source import policy_source
    from aim_jax.policy.bench.machine import machine
    from aim_jax.policy.bench.soak import expect, make_scripts
    from aim_jax.policy.slots import SlotTable
    from aim_jax.versions import versions

    source = policy_source(args.checkpoint, args.config)
    canvas = source.experiment.canvas
    engine = SlotTable(source.agent, args.sessions, args.max_batch, canvas.hw)
    scripts = make_scripts(engine.facts, args.sessions, args.chunks, args.seed)
    engine.warm()
    expect(engine, scripts)
    data: dict[str, Any] = {
        "policy": source.name,
        "sessions": args.sessions,
        "max_batch": args.max_batch,
        "table_mib": engine.nbytes / 2**20,
        "soak": _play(engine, canvas, scripts, args, args.max_batch, 60 * args.minutes, args.hostile),
    }
    if args.compare_seconds:
        batched, single = (
            _play(engine, canvas, scripts, args, size, args.compare_seconds, 0) for size in (args.max_batch, 1)
        )
        data["compare"] = {"batched": batched, "single": single}
        data["batching_gain"] = batched["answers_per_second"] / single["answers_per_second"]
    data |= {"machine": machine(), "devices": [str(d) for d in jax.devices()], "versions": versions()}
    emit(args.json, data, _text(data))
    bad = data["soak"]["errors"] + data["soak"]["mixed_up"] + len(data["soak"]["hostile_unexplained"])
    return 1 if bad else 0


def _play(engine, canvas, scripts, args: Args, max_batch: int, seconds: float, hostile: int) -> dict[str, Any]:
    from aim_jax.policy.bench.soak import soak
    from aim_jax.policy.server.config import ServerConfig
    from aim_jax.policy.server.thread import serving

    settings = ServerConfig(
        port=0, sessions=args.sessions, max_batch=max_batch, max_connections=2 * args.sessions + 8, queue_timeout=300
    )
    with serving(engine, canvas, settings) as server:
        url = f"ws://127.0.0.1:{server.port}"
        return soak(url, scripts, seconds, hostile=hostile, max_bytes=settings.max_bytes).summary()


def _text(data: dict[str, Any]) -> str:
    s = data["soak"]
    lines = [
        f"{data['sessions']} sessions, {s['seconds']:.0f} s: {s['answers']} chunks in {s['episodes']} episodes, "
        f"{s['answers_per_second']:.2f} chunks/s",
        f"latency p50 {s['latency_p50_seconds']:.3f} s, p95 {s['latency_p95_seconds']:.3f} s",
        f"errors {s['errors']}, mixed up {s['mixed_up']}; memory grew by {s['rss_growth_mib']:.0f} MiB after the "
        f"first quarter (table {data['table_mib']:.0f} MiB)",
    ]
    lines += [f"  {error}" for error in s["first_errors"]]
    if s["hostile_sent"]:
        lines.append(
            f"hostile messages: {s['hostile_sent']} sent, {sum(s['hostile_refused'].values())} refused with a reason, "
            f"{len(s['hostile_unexplained'])} not"
        )
    if "batching_gain" in data:
        lines.append(f"batching: {data['batching_gain']:.2f} × the chunks/s of one episode per call")
    return "\n".join(lines)
