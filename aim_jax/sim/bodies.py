"""Blueprints made real: SAPIEN entities with their physics and render components."""

from __future__ import annotations

from typing import Any

import numpy as np
import sapien
from sapien import physx, render

from aim_jax.sim.objects.blueprint import Blueprint, Material, Part
from aim_jax.sim.objects.mechanism import Joint, Mechanism
from aim_jax.sim.pose import Pose, about

# SAPIEN's cylinders and capsules lie along x; ours stand along z.
_UPRIGHT = sapien.Pose(q=about("y", -np.pi / 2))
# SAPIEN's joints turn about or slide along x, ours about z.
_X_TO_Z = _UPRIGHT


def to_sapien(pose: Pose) -> sapien.Pose:
    """The simulator's form of a pose."""
    return sapien.Pose(pose.p, pose.q)


def from_sapien(pose: sapien.Pose) -> Pose:
    """Our form of a simulator pose."""
    return Pose.of(pose.p.tolist(), pose.q.tolist())


def spawn(scene: sapien.Scene, blueprint: Blueprint, pose: Pose, *, static: bool = False) -> sapien.Entity:
    """Adds a body to the scene; its visible shapes only if the scene can be rendered."""
    entity = sapien.Entity()
    entity.name = blueprint.name
    body: Any = physx.PhysxRigidStaticComponent() if static else physx.PhysxRigidDynamicComponent()
    friction = physx.PhysxMaterial(blueprint.friction, blueprint.friction, 0.0)
    fill(scene, entity, body, blueprint.parts, friction, blueprint.density)
    if blueprint.mass is not None and not static:
        body.inertia = body.inertia * (blueprint.mass / body.mass)
        body.mass = blueprint.mass
    if blueprint.damping is not None and not static:
        body.linear_damping = body.angular_damping = blueprint.damping
    entity.pose = to_sapien(pose)
    scene.add_entity(entity)
    return entity


def spawn_mechanism(scene: sapien.Scene, mechanism: Mechanism, pose: Pose) -> tuple[dict[str, sapien.Entity], Any]:
    """Adds a mechanism to the scene, its base fixed at `pose`; its entities and joints by the bodies' names."""
    links: dict[str, Any] = {}
    entities: dict[str, sapien.Entity] = {}
    base = mechanism.base
    for member in (None, *mechanism.links):
        body, joint = (base, None) if member is None else (member.body, member.joint)
        parent = None if member is None else links[member.parent or base.name]
        link: Any = physx.PhysxArticulationLinkComponent(parent)
        entity = sapien.Entity()
        entity.name = link.name = body.name
        friction = physx.PhysxMaterial(body.friction, body.friction, 0.0)
        fill(scene, entity, link, body.parts, friction, body.density)
        if body.mass is not None and joint is not None:
            link.inertia = link.inertia * (body.mass / link.mass)
            link.mass = body.mass
        link.disable_gravity = member is not None and member.balanced
        set_joint(link, joint)
        links[body.name], entities[body.name] = link, entity
    entities[base.name].pose = to_sapien(pose)
    for entity in entities.values():
        scene.add_entity(entity)
    joints = {name: link.joint for name, link in links.items()}
    starts = {member.body.name: member.start for member in mechanism.links}
    articulation = links[base.name].articulation
    active = articulation.get_active_joints()
    articulation.set_qpos(np.array([starts[joint.child_link.name] for joint in active], np.float32))
    return entities, joints


def set_joint(link: Any, joint: Joint | None) -> None:
    """Gives a link of an articulation its joint; None = fixed."""
    link.joint.name = link.name
    if joint is None:
        link.joint.type = "fixed"
        return
    link.joint.type = joint.kind
    link.joint.pose_in_parent = to_sapien(joint.origin) * _X_TO_Z
    link.joint.pose_in_child = _X_TO_Z
    link.joint.limit = np.array([joint.limits], np.float32)
    link.joint.friction = joint.friction
    if joint.damping:
        link.joint.set_drive_properties(0.0, joint.damping)


def fill(
    scene: sapien.Scene, entity: sapien.Entity, body: Any, parts: tuple[Part, ...], friction: Any, density: float
) -> None:
    """Gives an entity of `scene` its physics component `body` with the parts' shapes, and their looks."""
    for part in parts:
        if part.collides:
            shape = _collision_shape(part, friction)
            shape.local_pose = _shape_pose(part)
            shape.density = density if part.density is None else part.density
            body.attach(shape)
    entity.add_component(body)
    visible = [part for part in parts if part.material is not None]
    if visible and renders(scene):
        entity.add_component(_looks(visible))


def renders(scene: sapien.Scene) -> bool:
    """Whether the scene has a renderer."""
    try:
        return scene.render_system is not None
    except RuntimeError:  # how SAPIEN says that there is none
        return False


def _looks(parts: list[Part]) -> render.RenderBodyComponent:
    looks = render.RenderBodyComponent()
    for part in parts:
        assert part.material is not None
        shape = _render_shape(part, surface(part.material))
        shape.local_pose = _shape_pose(part)
        looks.attach(shape)
    return looks


def surface(material: Material) -> render.RenderMaterial:
    """The renderer's form of a material."""
    result = render.RenderMaterial()
    result.base_color = [*material.rgb, 1.0]
    result.roughness = material.roughness
    result.metallic = material.metallic
    result.specular = 0.3
    return result


def _shape_pose(part: Part) -> sapien.Pose:
    pose = to_sapien(part.pose)
    return pose * _UPRIGHT if part.kind in ("cylinder", "capsule") else pose


def _collision_shape(part: Part, friction: Any) -> Any:
    match part.kind:
        case "box":
            return physx.PhysxCollisionShapeBox(part.size, friction)
        case "sphere":
            return physx.PhysxCollisionShapeSphere(part.size[0], friction)
        case "capsule":
            return physx.PhysxCollisionShapeCapsule(part.size[0], part.size[1], friction)
        case "cylinder":
            return physx.PhysxCollisionShapeCylinder(part.size[0], part.size[1], friction)
        case _:
            assert part.mesh is not None
            return physx.PhysxCollisionShapeConvexMesh(
                vertices=part.mesh.vertices, scale=(1.0, 1.0, 1.0), material=friction
            )


def _render_shape(part: Part, look: render.RenderMaterial) -> Any:
    match part.kind:
        case "box":
            return render.RenderShapeBox(part.size, look)
        case "sphere":
            return render.RenderShapeSphere(part.size[0], look)
        case "capsule":
            return render.RenderShapeCapsule(part.size[0], part.size[1], look)
        case "cylinder":
            return render.RenderShapeCylinder(part.size[0], part.size[1], look)
        case _:
            assert part.mesh is not None
            mesh = part.mesh
            uvs = np.zeros((len(mesh.vertices), 2), np.float32)
            return render.RenderShapeTriangleMesh(
                mesh.vertices, mesh.triangles.astype(np.uint32), mesh.normals, uvs, look
            )
