"""The state before the first step: drawn, or with parameters from a conversion."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from aim_jax.config import ExperimentConfig
from aim_jax.models.converted import load_params
from aim_jax.parallel.modes import Mode
from aim_jax.training.checkpoint import check_shapes, plain, unplain
from aim_jax.training.program import Program
from aim_jax.training.step import TrainState, initial_state


def first_state(program: Program, experiment: ExperimentConfig, mode: Mode) -> TrainState:
    """The running state of a new run; every array is made or read as the shards that it will be.

    Raises:
        AimError: `train.init` names no converted parameters, or those of another model.
    """
    config = experiment.train
    if not config.init:
        return mode.create(program.start)
    wanted = program.state.params
    params = unplain(wanted, _converted(config.init, wanted))
    places = jax.tree.map(lambda x: x.sharding, program.state)
    begin = jax.jit(lambda given: initial_state(given, config), out_shardings=places, donate_argnums=0)
    return mode.running(begin(params))


def _converted(folder: str, wanted: nnx.State) -> Any:
    from pathlib import Path

    import orbax.checkpoint as ocp

    from aim_jax.models.converted import step_folder

    tree = plain(wanted)
    with ocp.StandardCheckpointer() as checkpointer:
        stored: Any = checkpointer.metadata(step_folder(folder) / "params").item_metadata.tree
    check_shapes(stored, tree, Path(folder))
    return load_params(folder, tree, jnp.float32)
