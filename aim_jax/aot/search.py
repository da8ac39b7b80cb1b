"""Looks for the fastest setting of a stage on a topology: mesh, batch and rematerialisation.

A compile takes minutes, so the space is walked greedily from what is known of it: first everything sharded over all
chips with full recomputation, which needs least memory; then, as long as it fits and the modelled samples per second
rise, less recomputation, more samples a chip, and a tensor axis.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from aim_jax.aot.request import Request, answer
from aim_jax.errors import AimError
from aim_jax.parallel.config import MeshConfig

Answer = dict[str, Any]
KEEPS = ("nothing", "attention", "outputs", "dots", "all")
BATCHES = (1, 2, 4, 8)
TENSORS = (1, 2, 4, 8)


def search(request: Request, compile_one: Callable[[Request], Answer] = answer) -> Answer:
    """The best setting found; its report holds a list `tried`.

    Args:
        request: where to start; its mesh, batch and remat are overridden.
        compile_one: compiles one request.

    Raises:
        AimError: the topology's generation has no public clock, so that nothing can be ranked.
    """
    if request.topology.chip.name == "7x":
        raise AimError("Settings cannot be ranked", got="no public clock of 7x", wanted="v4, v5e, v5p or v6e")
    tried: list[dict[str, Any]] = []

    def attempt(candidate: Request) -> Answer:
        result = compile_one(candidate)
        tried.append(_summary(result))
        return result

    best_request = _with(request, tensor=1, per_chip=1, keep="nothing")
    best = attempt(best_request)
    for better in (_keeps, _batches, _tensors):
        for candidate in better(best_request):
            result = attempt(candidate)
            if _rate(result) <= _rate(best):
                break
            best, best_request = result, candidate
    best["tried"] = tried
    return best


def _keeps(request: Request) -> Iterator[Request]:
    if request.stage in ("stage1", "wan_train"):
        for keep in KEEPS[1:]:
            yield _with(request, keep=keep)


def _batches(request: Request) -> Iterator[Request]:
    for per_chip in BATCHES[1:]:
        yield _with(request, per_chip=per_chip)


def _tensors(request: Request) -> Iterator[Request]:
    chips, batch = request.topology.chips, request.batch
    for tensor in TENSORS[1:]:
        if chips % tensor == 0 and request.experiment.model.dit.num_heads % tensor == 0:
            yield _with(request, tensor=tensor, per_chip=max(1, batch * tensor // chips))


def _with(request: Request, *, tensor: int = 0, per_chip: int = 0, keep: str = "") -> Request:
    experiment = request.experiment
    tensor = tensor or experiment.parallel.mesh.tensor
    shares = request.topology.chips // tensor
    mesh = MeshConfig(data=1, fsdp=0, tensor=tensor)
    train = experiment.train
    if keep:
        train = dataclasses.replace(train, remat=True, remat_keep=keep)  # pyright: ignore[reportArgumentType]
    parallel = dataclasses.replace(experiment.parallel, mesh=mesh)
    return request._replace(
        experiment=dataclasses.replace(experiment, train=train, parallel=parallel),
        batch=per_chip * shares if per_chip else request.batch,
    )


def _rate(report: dict[str, Any]) -> float:
    """Modelled samples per second and chip; 0 where it does not fit."""
    modelled = [program["modelled"] for program in report["programs"]]
    if not report["fits"] or any(part is None for part in modelled):
        return 0.0
    return min(part["samples_per_second_per_chip"] for part in modelled)


def _summary(report: dict[str, Any]) -> dict[str, Any]:
    return {
        "mesh": report["mesh"],
        "batch": report["batch"],
        "remat": report["remat"],
        "fits": report["fits"],
        "samples_per_second_per_chip": _rate(report),
        "peak_gib": max(program["hbm_gib"]["peak"] for program in report["programs"]),
    }
