"""Messages on the wire: msgpack with NumPy arrays, in openpi's form.

An array is a map {__ndarray__, data, dtype, shape}, a NumPy scalar {__npgeneric__, data, dtype}; both keys are bytes
(openpi packages/openpi-client/src/openpi_client/msgpack_numpy.py). Nothing is ever unpickled: reading checks that the
dtype is a plain number and that the bytes fill the shape.
"""

from __future__ import annotations

import math
from typing import Any

import msgpack
import numpy as np

NUMBERS = "biuf"
"""Kinds of dtype that travel: booleans, integers and floats."""
MAX_DIMENSIONS = 8
MAX_CONTAINERS = 4096
"""Lists and maps of a message. A few bytes can stand for a list in memory, so their number is bounded, not only the
size of the message; pictures and actions travel as arrays and need few."""
MAX_ITEMS = 1024
"""Items of one list or map."""


class WireError(ValueError):
    """A message that cannot be packed or read."""


def pack(value: Any) -> bytes:
    """Bytes of nested maps, lists, strings, numbers and NumPy arrays.

    Raises:
        WireError: something in `value` has no form on the wire, such as an array of objects.
    """
    try:
        packed: Any = msgpack.packb(value, default=_encode)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError(f"this cannot be sent: {error}") from error
    return packed


def unpack(data: bytes) -> Any:
    """The inverse of `pack`. Arrays are read-only views of `data`.

    Raises:
        WireError: the bytes are no such message.
    """
    count = 0

    def counted(item: Any) -> Any:
        nonlocal count
        count += 1
        if count > MAX_CONTAINERS:
            raise WireError(f"more than {MAX_CONTAINERS} lists and maps in a message")
        return _decode(item) if isinstance(item, dict) else item

    try:
        return msgpack.unpackb(
            data,
            object_hook=counted,
            list_hook=counted,
            ext_hook=_no_extension,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
        )
    except WireError:
        raise
    except Exception as error:  # msgpack raises many kinds, among them plain Exception, for hostile input
        raise WireError(f"not a msgpack message: {type(error).__name__}: {error}") from error


def _encode(value: Any) -> Any:
    if not isinstance(value, (np.ndarray, np.generic)):
        raise WireError(f"{type(value).__name__} has no form on the wire")
    if value.dtype.kind not in NUMBERS:
        raise WireError(f"arrays of {value.dtype} are not sent; numbers only")
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}


def _decode(item: dict[Any, Any]) -> Any:
    if b"__ndarray__" in item:
        return _array(item)
    if b"__npgeneric__" in item:
        dtype, value = _dtype(item), item.get(b"data")
        if not isinstance(value, (bool, int, float)):
            raise WireError(f"a NumPy scalar holds {type(value).__name__}")
        try:
            return dtype.type(value)
        except (OverflowError, ValueError) as error:
            raise WireError(f"a NumPy scalar does not fit {dtype}: {error}") from error
    return item


def _array(item: dict[Any, Any]) -> np.ndarray:
    dtype, data, shape = _dtype(item), item.get(b"data"), item.get(b"shape")
    if not isinstance(data, bytes):
        raise WireError(f"an array's data is {type(data).__name__}, not bytes")
    if not isinstance(shape, (list, tuple)) or len(shape) > MAX_DIMENSIONS:
        raise WireError("an array has no shape, or too many dimensions")
    if not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise WireError(f"an array has the shape {shape!r:.80}")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise WireError(f"an array of {dtype} {list(shape)} holds {len(data)} bytes")
    return np.frombuffer(data, dtype).reshape(shape)


def _dtype(item: dict[Any, Any]) -> np.dtype:
    name = item.get(b"dtype")
    if not isinstance(name, str) or len(name) > 8:
        raise WireError("an array has no dtype")
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError, SyntaxError) as error:
        raise WireError(f"an array has the dtype {name!r}") from error
    if dtype.kind not in NUMBERS or dtype.hasobject or dtype.itemsize == 0:
        raise WireError(f"arrays of {dtype} are refused; numbers only")
    return dtype


def _no_extension(code: int, data: bytes) -> Any:
    raise WireError(f"msgpack extension {code} is refused")
