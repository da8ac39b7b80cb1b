"""What may change between two starts of a run, and what may not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aim_jax.config import ExperimentConfig
from aim_jax.data.latent_norm import LatentNorm
from aim_jax.errors import AimError
from aim_jax.policy.untrained import plain_norm, plain_statistics
from aim_jax.training.bundle import make_bundle
from aim_jax.training.config import GRPOConfig
from aim_jax.training.continuity import check_continues, check_rounds_continue, rounds_settings
from aim_jax.training.optimiser import OptimiserConfig
from tests.training.small import experiment

RUN = Path("runs/stage1")


def bundle(config: ExperimentConfig, scale: float = 1.0) -> dict[str, Any]:
    """As it is read back from a checkpoint."""
    norm = LatentNorm(*(x * scale for x in plain_norm(config.model)))
    made = make_bundle(config, plain_statistics(config.model.action_dim), norm, "v" * 64)
    return json.loads(json.dumps(made))


def test_length_place_and_pace_may_change():
    old = experiment()
    new = experiment(steps=40, log_every=1, microbatches=2, remat=True)
    new = replace(new, parallel=replace(new.parallel, mode="pmap"), name="longer")
    check_continues(bundle(old), bundle(new), RUN)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"seed": 1}, "train.seed 0 -> 1"),
        ({"batch": 16}, "train.batch 8 -> 16"),
        ({"text_dropout": 0.5}, "train.text_dropout 0.1 -> 0.5"),
    ],
)
def test_what_is_learnt_may_not(change: dict[str, Any], shown: str):
    with pytest.raises(AimError, match=shown):
        check_continues(bundle(experiment()), bundle(experiment(**change)), RUN)


def test_nor_the_normalisation_of_the_data():
    with pytest.raises(AimError, match="norm"):
        check_continues(bundle(experiment()), bundle(experiment(), scale=2.0), RUN)


def test_settings_newer_than_the_checkpoint_count_with_their_defaults():
    old = bundle(experiment())
    del old["experiment"]["train"]["noise"]["own_map_prob"]
    check_continues(old, bundle(experiment()), RUN)


def rounds(**grpo: Any) -> dict[str, Any]:
    return json.loads(json.dumps(rounds_settings(replace(experiment(), grpo=GRPOConfig(**grpo)))))


def test_more_rounds_of_stage2_may_follow():
    check_rounds_continue(rounds(iterations=2), rounds(iterations=5), RUN)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"exploration": "fpo"}, "grpo.exploration flow_sde -> fpo"),
        ({"optimiser": OptimiserConfig(lr=1.0)}, "grpo.optimiser.lr"),
    ],
)
def test_other_rounds_of_stage2_may_not(change: dict[str, Any], shown: str):
    with pytest.raises(AimError, match=shown):
        check_rounds_continue(rounds(), rounds(**change), RUN)


def test_rounds_that_do_not_say_their_settings_are_not_gone_on_with():
    with pytest.raises(AimError, match="rounds in runs/stage1"):
        check_rounds_continue({}, rounds(), RUN)
