"""Messages that no honest client sends, and what a server makes of them: for the soak bench and the tests."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgpack
import numpy as np
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from aim_jax.policy.client.wire import pack

Make = Callable[[np.random.Generator, "Target"], bytes | str]


@dataclass(frozen=True)
class Target:
    """What an attacker knows of a server.

    Attributes:
        canvas: height and width.
        horizon: executed actions of a turn.
        action_dim: their width.
        max_bytes: largest message.
    """

    canvas: tuple[int, int]
    horizon: int
    action_dim: int
    max_bytes: int


@dataclass(frozen=True)
class Message:
    """One hostile message.

    Attributes:
        kind: name in `KINDS`.
        data: what is sent.
        abrupt: the socket is cut right after sending, without a farewell.
    """

    kind: str
    data: bytes | str
    abrupt: bool = False


@dataclass
class Report:
    """What became of hostile messages.

    Attributes:
        sent: how many.
        by_kind: how many of each kind were refused with a reason (cut connections count as sent only).
        unexplained: kinds that were answered with a chunk, or cut off without a reason.
    """

    sent: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)


def hostile_messages(count: int, seed: int, **target: Any) -> Iterator[Message]:
    """`count` messages that take their kinds in turn; every byte follows from the seed."""
    rng, facts = np.random.default_rng(seed), Target(**target)
    for kind in itertools.islice(itertools.cycle(KINDS), count):
        yield Message(kind, KINDS[kind](rng, facts), abrupt=kind == "abrupt close")


def attack(url: str, messages: Iterable[Message], *, token: str | None = None, timeout: float = 60.0) -> Report:
    """Sends each message over a connection of its own and notes the answer."""
    report = Report()
    headers = {"Authorization": f"Api-Key {token}"} if token else None
    for message in messages:
        report.sent += 1
        try:
            with connect(url, compression=None, max_size=None, additional_headers=headers) as socket:
                socket.recv(timeout=timeout)
                refused = _send(socket, message, timeout)
        except (ConnectionClosed, InvalidStatus, ConnectionError) as error:
            refused = f"{error}"
        if refused:
            report.by_kind[message.kind] += 1
        else:
            report.unexplained.append(message.kind)
    return report


def _send(socket: Any, message: Message, timeout: float) -> str:
    """The reason of the refusal; empty when there is none."""
    try:
        socket.send(message.data)
        if message.abrupt:
            socket.socket.close()
            return "cut by us"
        answer = socket.recv(timeout=timeout)
    except ConnectionClosed as closed:
        return closed.rcvd.reason if closed.rcvd is not None else ""
    return answer if isinstance(answer, str) else ""


def _raw(value: Any) -> bytes:
    """Packed without any check of ours."""
    packed: Any = msgpack.packb(value)
    return packed


def _valid(rng: np.random.Generator, t: Target, **changes: Any) -> dict[str, Any]:
    message = {"prompt": "press the bell", "canvas": rng.integers(0, 256, (*t.canvas, 3), np.uint8)}
    return {name: value for name, value in {**message, **changes}.items() if value is not None}


def _truncated(rng: np.random.Generator, t: Target) -> bytes:
    data = pack(_valid(rng, t))
    return data[: rng.integers(1, len(data))]


def _flipped(rng: np.random.Generator, t: Target) -> bytes:
    """Damage in the part before the pixels, where the structure is."""
    data = bytearray(pack(_valid(rng, t)))
    data[0] = int(rng.choice([0xC1, 0x93, 0xC0, 0xA5]))
    return bytes(data)


def _array(dtype: str, shape: Any, data: bytes) -> dict[bytes, Any]:
    return {b"__ndarray__": True, b"data": data, b"dtype": dtype, b"shape": shape}


def _lying_shape(rng: np.random.Generator, t: Target) -> bytes:
    shapes = [[2**31 - 1, 2**31 - 1, 3], [-1, 3], [*t.canvas, 4], ["x"], [1] * 40, 7]
    shape = shapes[rng.integers(len(shapes))]
    return _raw(_valid(rng, t, canvas=_array("|u1", shape, bytes(int(rng.integers(0, 64))))))


def _forbidden_dtype(rng: np.random.Generator, t: Target) -> bytes:
    dtypes = ["|O", "|V8", "<U4", "|S4", "<c8", "<M8[s]", "f4,f4", "nonsense", "(2,)f4", ""]
    return _raw(_valid(rng, t, canvas=_array(dtypes[rng.integers(len(dtypes))], [1], bytes(8))))


def _nested(rng: np.random.Generator, t: Target) -> bytes:
    return b"\x81\xa6prompt" + b"\x91" * int(rng.integers(500, 5000)) + b"\xc0"


def _many_lists(rng: np.random.Generator, t: Target) -> bytes:
    inner = b"\xdc\x03\xe8" + b"\x90" * 1000
    return b"\x81\xa6prompt" + b"\x9a" + inner * 10


def _wrong_shape(rng: np.random.Generator, t: Target) -> bytes:
    shapes = [(t.canvas[0] + 1, t.canvas[1], 3), (*t.canvas, 1), (3,), (0, *t.canvas, 3), (2, *t.canvas, 3)]
    shape = shapes[rng.integers(len(shapes))]
    return pack(_valid(rng, t, canvas=np.zeros(shape, np.uint8)))


def _wrong_dtype(rng: np.random.Generator, t: Target) -> bytes:
    return pack(_valid(rng, t, canvas=np.full((*t.canvas, 3), np.nan, np.float32)))


def _not_finite(rng: np.random.Generator, t: Target) -> bytes:
    actions = np.zeros((t.horizon, t.action_dim), np.float32)
    actions[rng.integers(t.horizon), rng.integers(t.action_dim)] = rng.choice([np.nan, np.inf, -np.inf])
    return pack(_valid(rng, t, executed=actions))


def _wrong_order(rng: np.random.Generator, t: Target) -> bytes:
    executed = np.zeros((t.horizon, t.action_dim), np.float32)
    return pack(_valid(rng, t, executed=executed) if rng.integers(2) else _valid(rng, t, prompt=None))


def _wrong_values(rng: np.random.Generator, t: Target) -> bytes:
    changes = [
        {"prompt": "   "},
        {"prompt": "x" * 5000},
        {"prompt": 3},
        {"seed": -1},
        {"seed": 1e300},
        {"session": "../../etc/passwd"},
        {"session": "x" * 100},
        {"reset": "yes"},
        {"images": {"head_camera": np.zeros((4, 4, 3), np.uint8)}},
        {"surprise": 1},
        {"executed": [[1, 2], [3]]},
    ]
    return pack(_valid(rng, t, **changes[rng.integers(len(changes))]))


KINDS: dict[str, Make] = {
    "truncated": _truncated,
    "damaged": _flipped,
    "random bytes": lambda rng, t: b"\xc1" + rng.bytes(int(rng.integers(1, 500))),
    "oversized": lambda rng, t: bytes(t.max_bytes + int(rng.integers(1, 1000))),
    "forbidden dtype": _forbidden_dtype,
    "lying shape": _lying_shape,
    "deeply nested": _nested,
    "many lists": _many_lists,
    "no map": lambda rng, t: pack([1, 2, 3]),
    "extension": lambda rng, t: _raw({"prompt": msgpack.ExtType(5, rng.bytes(8))}),
    "text": lambda rng, t: "hello",
    "empty": lambda rng, t: b"",
    "wrong shape": _wrong_shape,
    "wrong dtype": _wrong_dtype,
    "not finite": _not_finite,
    "wrong order": _wrong_order,
    "wrong values": _wrong_values,
    "abrupt close": lambda rng, t: pack(_valid(rng, t)),
}
"""Kinds of hostile messages."""
