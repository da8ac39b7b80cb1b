"""`aim serve`: a policy for simulators and robots on other processes or machines."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aim_jax.policy.server.app import PolicyServer

TOKEN = "AIM_SERVE_TOKEN"


@dataclass(frozen=True)
class Args:
    """Serves a policy over openpi's websocket protocol until it is interrupted (docs/serving.md).

    Everything is compiled before it listens. It listens on this machine alone unless `--host` says otherwise; clients
    of any other address must send the token in the environment variable AIM_SERVE_TOKEN.
    """

    checkpoint: Path | None = None
    """Run of Stage I or II."""
    config: Path | None = None
    """Instead of a checkpoint: a configuration, served with random parameters to try connections."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    """Port; 0 for any free one."""
    sessions: int = 64
    """Episodes whose memory is kept at once."""
    max_batch: int = 16
    """Episodes in one call of the policy."""
    batch_window_ms: float = 2.0
    """Milliseconds to wait for others to join a call."""
    queue: int = 128
    """Requests that may wait."""
    idle: float = 300.0
    """Seconds after which a silent session is forgotten."""
    max_mb: float = 32.0
    """Largest message."""
    world_steps: int | None = None
    """Euler steps of the world; the configuration's unless given."""
    action_steps: int | None = None
    """Euler steps of the actions."""
    stop_sigma: float | None = None
    """Noise level at which the world is left; above 0 the map is partially denoised."""
    guidance: float | None = None
    """Classifier-free guidance of the world; 1 for none."""
    replan: int | None = None
    """Control steps executed of a chunk before the next one is planned; 0 for all."""
    tensor: int | None = None
    """Devices that share the heads of a layer; 0 for all; the configuration's `acting.tensor` unless given."""
    cache: str = "~/.cache/aim_jax/compiled"
    """Folder of compiled executables for the next start; empty for none."""
    json: Path | None = None
    """Writes this file once it listens: the address (whatever --port was) and what clients are told on connecting."""


def main(args: Args) -> int:
    """Loads, warms up, listens."""
    from aim_jax.commands.policy_source import policy_source
    from aim_jax.errors import AimError
    from aim_jax.policy import compile_cache
    from aim_jax.policy.server.config import ServerConfig
    from aim_jax.policy.slots import SlotTable

    try:
        from aim_jax.policy.server.app import PolicyServer
    except ModuleNotFoundError as error:
        raise AimError(
            f"Serving needs the package {error.name}", remedy="install the extra: pip install aim-jax[server]"
        ) from error
    settings = ServerConfig(
        host=args.host,
        port=args.port,
        token=os.environ.get(TOKEN, ""),
        sessions=args.sessions,
        max_batch=args.max_batch,
        batch_window=args.batch_window_ms / 1000,
        queue=args.queue,
        idle=args.idle,
        max_bytes=int(args.max_mb * 2**20),
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("aim.serve.websockets").setLevel(logging.WARNING)
    if args.cache:
        compile_cache.use(Path(args.cache).expanduser())
    names = ("world_steps", "action_steps", "stop_sigma", "guidance", "replan")
    changes = {name: value for name in names if (value := getattr(args, name)) is not None}
    acting = {} if args.tensor is None else {"tensor": args.tensor}
    source = policy_source(args.checkpoint, args.config, changes, acting)
    experiment = source.experiment
    engine = SlotTable(source.agent, args.sessions, args.max_batch, experiment.canvas.hw)
    metadata = {"policy": source.name, "tasks": list(experiment.tasks), "config": experiment.name}
    asyncio.run(_serve(PolicyServer(engine, experiment.canvas, settings, metadata), args.json))
    return 0


async def _serve(server: PolicyServer, json: Path | None) -> None:
    from aim_jax.files import write_json

    stop, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    async def tell(path: Path) -> None:
        await ready.wait()
        write_json(path, {"url": f"ws://{server.config.host}:{server.port}", **server.metadata})

    telling = asyncio.create_task(tell(json)) if json else None
    if telling:  # an address that nobody learns serves nobody
        telling.add_done_callback(lambda task: stop.set() if not task.cancelled() and task.exception() else None)
    try:
        await server.run(stop, ready)
    finally:
        if telling and not ready.is_set():
            telling.cancel()
    if telling:
        await telling
