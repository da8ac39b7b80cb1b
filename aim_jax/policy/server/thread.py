"""A server in a thread of this process, for benches and tests."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from aim_jax.data.canvas import CanvasSpec
from aim_jax.policy.server.app import PolicyServer
from aim_jax.policy.server.config import ServerConfig
from aim_jax.policy.turns import Engine


@contextlib.contextmanager
def serving(engine: Engine, canvas: CanvasSpec, config: ServerConfig) -> Iterator[PolicyServer]:
    """A running server; at the end it is shut down in an orderly way."""
    server = PolicyServer(engine, canvas, config)
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    failure: list[BaseException] = []

    async def main() -> None:
        ready = asyncio.Event()
        task = asyncio.create_task(server.run(stop, ready))
        await asyncio.wait({task, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
        started.set()
        await task

    def run() -> None:
        try:
            loop.run_until_complete(main())
        except BaseException as error:
            failure.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="server", daemon=True)
    thread.start()
    started.wait()
    if failure:
        raise failure[0]
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(config.drain + 30)
        if failure:
            raise failure[0]
        if thread.is_alive():
            raise RuntimeError("the server did not shut down")
