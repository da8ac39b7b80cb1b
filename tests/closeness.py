"""How far two results are apart, said in the output of a test: pytest shows it on failure, and always with `-rP`."""

from __future__ import annotations

from typing import Any

import numpy as np


def assert_close(name: str, ours: Any, theirs: Any, tolerance: float) -> None:
    """The largest error, relative to the largest magnitude of `theirs`, is at most `tolerance`."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape
    scale = np.abs(theirs).max()
    assert scale > 0
    error = np.abs(ours - theirs).max() / scale
    said = f"{name}: largest relative error {error:.1e}, allowed {tolerance:.0e}"
    print(said)
    assert error <= tolerance, said
