"""Shapes that several things share: extruded outlines, hollow rings for physics, open boxes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from aim_jax.array_typing import Float
from aim_jax.sim.objects.blueprint import Blueprint, Material, Mesh, Part, box, solid
from aim_jax.sim.pose import Pose, turned

Profile = Sequence[tuple[float, float]]
_NO_TRIANGLES = np.zeros((0, 3), int)


def prism(outline: Profile, half: float) -> Mesh:
    """An outline of (y, z) points, metres, swept along x from −half to half; flat normals.

    The outline runs counter-clockwise as seen from +x and is star-shaped about its middle.
    """
    points = np.array(outline, float)
    count = len(points)
    vertices, normals, triangles = [], [], []
    for start in range(count):
        a, b = points[start], points[(start + 1) % count]
        along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-12)
        base = 4 * start
        vertices += [(half, *a), (half, *b), (-half, *b), (-half, *a)]
        normals += [(0.0, along[1], -along[0])] * 4
        triangles += [(base, base + 2, base + 1), (base, base + 3, base + 2)]
    for side in (1.0, -1.0):
        base = len(vertices)
        vertices += [(side * half, *points.mean(axis=0)), *((side * half, *point) for point in points)]
        normals += [(side, 0.0, 0.0)] * (count + 1)
        for i in range(count):
            edge = (base + 1 + i, base + 1 + (i + 1) % count)
            triangles.append((base, *(edge if side > 0 else edge[::-1])))
    return Mesh(np.array(vertices, np.float32), np.array(triangles), np.array(normals, np.float32))


def stretched(mesh: Mesh, x: float, y: float, z: float) -> Mesh:
    """The mesh scaled along its axes."""
    scale = np.array([x, y, z], np.float32)
    normals = mesh.normals / scale
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Mesh(mesh.vertices * scale, mesh.triangles, normals.astype(np.float32))


def hull(points: Float[np.ndarray, "n 3"]) -> Part:
    """An invisible convex shape around points."""
    vertices = np.asarray(points, np.float32)
    return solid(Mesh(vertices, _NO_TRIANGLES, np.zeros_like(vertices)), None)


def ring(outer: Profile, inner: Profile, segments: int = 16) -> tuple[Part, ...]:
    """A hollow body of revolution for physics: convex wedges between an outer and an inner profile.

    Both profiles list (radius, height) from the bottom up and have as many points.
    """
    wedges = []
    for i in range(segments):
        angles = 2 * np.pi * (i + np.array([0.0, 1.0])) / segments
        turn = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        for low in range(len(outer) - 1):
            corners = [outer[low], outer[low + 1], inner[low], inner[low + 1]]
            wedges.append(hull(np.array([(*(radius * t), height) for radius, height in corners for t in turn])))
    return tuple(wedges)


def slabs(profile: Profile, wall: float, segments: int = 12) -> tuple[Part, ...]:
    """A hollow body of revolution for physics: boxes behind an outer profile of (radius, height), bottom first.

    Boxes of a few millimetres touch where they are; convex meshes as small collide before they meet.
    """
    parts = []
    for (low, bottom), (high, top) in itertools.pairwise(profile):
        lean, length = float(np.arctan2(high - low, top - bottom)), float(np.hypot(high - low, top - bottom))
        half = (wall / 2, max(low, high) * float(np.tan(np.pi / segments)), length / 2)
        inside = Pose(((low + high) / 2, 0.0, (bottom + top) / 2)) @ turned("y", lean) @ Pose((-wall / 2, 0.0, 0.0))
        parts += [box(half, None, turned("z", 2 * np.pi * i / segments) @ inside) for i in range(segments)]
    return tuple(parts)


def open_box(half: tuple[float, float], height: float, wall: float, material: Material) -> tuple[Part, ...]:
    """A box without a lid, standing at the origin; `half` is half its outer length and width, metres."""
    x, y = half
    middle = height / 2
    return (
        box((x, y, wall / 2), material, Pose((0.0, 0.0, wall / 2))),
        *(box((wall / 2, y, middle), material, Pose((s * (x - wall / 2), 0.0, middle))) for s in (1.0, -1.0)),
        *(box((x - wall, wall / 2, middle), material, Pose((0.0, s * (y - wall / 2), middle))) for s in (1.0, -1.0)),
    )


def paint(rgb: tuple[float, float, float], roughness: float = 0.5, metallic: float = 0.0) -> Material:
    """A material in few words."""
    return Material(rgb, roughness, metallic)


def grip_at(z: float, x: float = 0.0, y: float = 0.0) -> dict[str, Pose]:
    """The usual point "grip": where the tool centre goes; the fingers close along its x."""
    return {"grip": Pose((x, y, z))}


def brick(
    name: str, half: tuple[float, float, float], material: Material, decor: tuple[Part, ...] = (), mass: float = 0.05
) -> Blueprint:
    """A box that stands at its origin and is held across its x, with things painted on it."""
    body = box(half, material, Pose((0.0, 0.0, half[2])))
    return Blueprint(name, (body, *decor), grip_at(max(half[2], 0.014)), mass=mass, friction=1.0)
