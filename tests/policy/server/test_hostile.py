"""Hostile and malformed messages: each is refused with a reason, and nobody else notices."""

from __future__ import annotations

import numpy as np
import pytest

from aim_jax.policy.client import PolicyClient, WireError, pack, unpack
from aim_jax.policy.server.hostile import KINDS, attack, hostile_messages
from tests.policy.fake_engine import FakeEngine
from tests.policy.serving import SPEC, serving, url


def test_every_kind_of_hostile_message_is_refused_and_others_are_unharmed():
    engine = FakeEngine(SPEC.hw)
    frame = np.full((*SPEC.hw, 3), 5, np.uint8)
    with (
        serving(engine, max_bytes=200_000, max_connections=8) as server,
        PolicyClient(url(server), session="victim") as victim,
    ):
        victim.begin({"canvas": frame}, "go", seed=1)
        facts = {"canvas": SPEC.hw, "horizon": 8, "action_dim": 14, "max_bytes": 200_000}
        report = attack(url(server), hostile_messages(120, seed=0, **facts))
        assert report.sent == 120
        assert set(report.by_kind) == set(KINDS)
        assert report.unexplained == []
        reply = victim.step({"canvas": np.stack([frame, frame])})
        assert list(reply["actions"][0, :3]) == [2, 1, 1]
        assert len(server.sessions) == 1
        assert server.metrics.value("aim_refused_total", 'reason="size"') > 0


@pytest.mark.parametrize(
    "value",
    [
        {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": [1, "x", None, True, 2.5]},
        {"empty": np.zeros((0, 4), np.uint8), "scalar": np.float32(1.5), "nested": {"deep": np.int64(3)}},
    ],
)
def test_messages_survive_the_wire(value):
    back = unpack(pack(value))
    assert back.keys() == value.keys()
    for name, item in value.items():
        if isinstance(item, np.ndarray):
            assert back[name].dtype == item.dtype
        np.testing.assert_array_equal(back[name], item)


@pytest.mark.parametrize("value", [np.array([object()]), np.array(["text"]), object(), np.complex64(1), {1, 2}])
def test_what_has_no_form_is_not_sent(value):
    with pytest.raises(WireError):
        pack({"x": value})


def test_the_wire_is_openpis():
    from openpi_client import msgpack_numpy

    value = {"x": np.arange(4, dtype=np.int16).reshape(2, 2), "y": np.float64(0.5), "z": "text"}
    for pair in ((pack, msgpack_numpy.unpackb), (msgpack_numpy.packb, unpack)):
        back = pair[1](pair[0](value))
        np.testing.assert_array_equal(back["x"], value["x"])
        assert (back["y"], back["z"]) == (0.5, "text")
    assert pack(value) == msgpack_numpy.packb(value)
