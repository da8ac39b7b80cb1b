"""The dense reward reads the imagined map where and when the hand was."""

import numpy as np
import pytest

from aim_jax.data.cameras import HEAD
from aim_jax.data.canvas import CanvasSpec
from aim_jax.training.rewards import dense_reward, passed_frames

CANVAS = CanvasSpec.tiny()
NATIVE = (240, 320)
INTRINSICS = np.array([[358.6, 0.0, 160.0], [0.0, 358.6, 120.0], [0.0, 0.0, 1.0]])
EXTRINSICS = np.hstack([np.eye(3), np.zeros((3, 1))])


@pytest.mark.parametrize(
    ("executed", "passed"),
    [
        (1, [(0, 0)]),
        (4, [(0, 3)]),
        (7, [(0, 3)]),
        (8, [(0, 3), (1, 7)]),
        (31, [(frame, 4 * frame + 3) for frame in range(7)]),
        (32, [(frame, 4 * frame + 3) for frame in range(8)]),
        (40, [(frame, 4 * frame + 3) for frame in range(8)]),
    ],
)
def test_frames_are_matched_with_the_steps_after_which_they_were_due(
    executed: int, passed: list[tuple[int, int]]
) -> None:
    assert passed_frames(executed, 4, 8) == passed


def seen_at(point: tuple[float, float, float], column: int, row: int) -> float:
    """Reward of a hand at `point` for a map whose single bright pixel of the head tile is (row, column)."""
    value_map = np.zeros(CANVAS.hw, np.float32)
    value_map[CANVAS.tile(HEAD)][row, column] = 1.0
    hands = np.array([point, (0.0, 0.0, -1.0)])
    return dense_reward(value_map, hands, INTRINSICS, EXTRINSICS, CANVAS, NATIVE)


def test_a_hand_on_the_bright_pixel_earns_its_value() -> None:
    height, width = np.zeros(CANVAS.hw)[CANVAS.tile(HEAD)].shape
    column, row = 3 * width // 4, height // 4
    u, v = (column + 0.5) * NATIVE[1] / width, (row + 0.5) * NATIVE[0] / height
    point = np.linalg.inv(INTRINSICS) @ np.array([u, v, 1.0]) * 0.9
    assert seen_at(tuple(point), column, row) == pytest.approx(1.0, abs=1e-5)
    half = np.linalg.inv(INTRINSICS) @ np.array([u + 0.5 * NATIVE[1] / width, v, 1.0]) * 0.9
    assert seen_at(tuple(half), column, row) == pytest.approx(0.5, abs=1e-5)


def test_a_hand_out_of_view_or_behind_the_camera_earns_nothing() -> None:
    assert seen_at((5.0, 0.0, 0.9), 3, 3) == 0.0
    assert seen_at((0.0, 0.0, -0.9), 3, 3) == 0.0
