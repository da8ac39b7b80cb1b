"""Light client of a policy server: numpy, websockets and msgpack; no JAX, nothing else of this package.

Python 3.10 or newer. The folder can be copied by itself to a robot or a simulator.
"""

from .remote import PolicyClient, Refused
from .wire import WireError, pack, unpack

__all__ = ["PolicyClient", "Refused", "WireError", "pack", "unpack"]
