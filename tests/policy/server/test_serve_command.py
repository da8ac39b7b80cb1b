"""`aim serve` tells where it listens, and ends when it is told to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from aim_jax.commands.serve import _serve
from aim_jax.errors import AimError
from aim_jax.policy.client import PolicyClient
from aim_jax.policy.server.app import PolicyServer
from aim_jax.policy.server.config import ServerConfig
from tests.policy.fake_engine import FakeEngine
from tests.policy.serving import SPEC


def _server() -> PolicyServer:
    return PolicyServer(FakeEngine(SPEC.hw), SPEC, ServerConfig(port=0), {"policy": "a fake"})


def test_clients_find_a_server_on_any_free_port(tmp_path: Path) -> None:
    path, told = tmp_path / "server.json", {}

    def visit() -> None:
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            told.update(json.loads(path.read_text()))
            with PolicyClient(told["url"]) as client:
                told["metadata"] = client.metadata
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    visitor = threading.Thread(target=visit)
    visitor.start()
    asyncio.run(_serve(_server(), path))
    visitor.join()
    assert not told["url"].endswith(":0")
    assert told["metadata"]["policy"] == told["policy"] == "a fake"


def test_an_address_that_cannot_be_told_ends_the_server(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AimError, match="file"):
        asyncio.run(_serve(_server(), tmp_path / "file" / "server.json"))
