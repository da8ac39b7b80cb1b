"""The dense reward of Stage II: what the imagined value map says of the place where the hand went (AIM Eq 12)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from aim_jax.array_typing import Float, Float32, NDArray
from aim_jax.data.cameras import HEAD
from aim_jax.data.canvas import CanvasSpec
from aim_jax.data.value_map import project


def passed_frames(executed: int, stride: int, frames: int) -> list[tuple[int, int]]:
    """The imagined frames of a chunk that were lived through, each with the control step after which it was due.

    A chunk that reaches the goal ends early, and the map of any later frame is black by then. Where it ends before the
    first frame, that one counts.

    Args:
        executed: control steps of the chunk that were carried out.
        stride: control steps between frames.
        frames: imagined frames of the chunk.

    Returns:
        Pairs of the frame's index and the index of the control step, both from 0.
    """
    passed = min(max(executed // stride, 1), frames)
    return [(frame, min((frame + 1) * stride, executed) - 1) for frame in range(passed)]


def dense_reward(
    value_map: Float[NDArray, "h w"],
    tcp: Float[NDArray, "arms 3"],
    intrinsics: Float[NDArray, "3 3"],
    extrinsics: Float[NDArray, "3 4"],
    canvas: CanvasSpec,
    native_hw: tuple[int, int],
) -> float:
    """Value of the map at the projected hand, bilinear, the better of the arms; 0 where no hand is in view.

    Args:
        value_map: imagined map on the canvas, in [0, 1], of the frame that was due when the hands were there.
        tcp: world positions of the tool centres then, metres.
        intrinsics: of the head camera at its native size.
        extrinsics: of the head camera, world to camera.
        canvas: sizes of the tiles.
        native_hw: native height and width of the head camera.
    """
    uv, z = project(np.asarray(tcp, np.float64), intrinsics, extrinsics)
    tile: Float32[NDArray, "h w"] = np.asarray(value_map, np.float32)[canvas.tile(HEAD)]
    scale = np.array([tile.shape[1] / native_hw[1], tile.shape[0] / native_hw[0]])
    column, row = (uv * scale - 0.5).T  # pixel centres are at half-integers
    values = map_coordinates(tile, np.stack([row, column]), order=1, mode="constant", cval=0.0)
    return float(np.max(np.where(z > 0.05, values, 0.0), initial=0.0))
