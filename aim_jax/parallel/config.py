"""How a program is spread over devices: the mesh, the mode and the rules, in one configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from aim_jax.parallel.rules import ShardingRules


@dataclass(frozen=True)
class MeshConfig:
    """Devices along each axis of the mesh; 0 stands for all that the other axes leave, on one axis only.

    Attributes:
        data: replicas of the parameters; the batch is divided among them.
        fsdp: devices that share parameters, gradients and optimiser state; the batch is divided among them too.
        tensor: devices that share heads and feed-forward columns of one layer.
        context: devices that share the tokens of one window.
    """

    data: int = 0
    fsdp: int = 1
    tensor: int = 1
    context: int = 1


@dataclass(frozen=True)
class ParallelConfig:
    """Execution on several devices. It changes where numbers are computed, not which.

    Attributes:
        mode: "pjit" – one program over a mesh, everything sharded by rules; "pmap" – a whole copy of the state on
            every device, the mode of AIM's design card.
        mesh: devices along each axis; `pmap` uses `data` alone.
        rules: from logical axes to mesh axes.
        hbm_gib: memory of a device in GiB; 0 asks the device, and checks nothing where it does not know (CPU).
    """

    mode: Literal["pjit", "pmap"] = "pjit"
    mesh: MeshConfig = field(default_factory=MeshConfig)
    rules: ShardingRules = field(default_factory=ShardingRules)
    hbm_gib: float = 0.0
