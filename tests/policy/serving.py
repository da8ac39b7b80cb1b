"""A policy server in a thread of the test."""

from __future__ import annotations

from aim_jax.data.canvas import CanvasSpec
from aim_jax.policy.server import thread
from aim_jax.policy.server.config import ServerConfig

SPEC = CanvasSpec((32, 32), (16, 16))


def serving(engine, spec: CanvasSpec = SPEC, **settings):
    """A running server on a free port."""
    return thread.serving(engine, spec, ServerConfig(port=0, **settings))


def url(server) -> str:
    """Where the server listens."""
    return f"ws://127.0.0.1:{server.port}"
