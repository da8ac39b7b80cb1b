"""The policy that comes with the package."""

from pathlib import Path

import jax
import numpy as np

from aim_jax.evaluation.load import PACKAGED, checkpoint_folder, load_policy


def test_the_packaged_policy_is_whole_and_small() -> None:
    policy = load_policy(PACKAGED)
    assert policy.experiment.tasks == ("click_bell", "beat_block_hammer", "lift_pot", "stack_blocks_two")
    leaves = jax.tree.leaves(policy.agent.params)
    assert all(np.isfinite(leaf).all() for leaf in leaves)
    assert float(np.abs(np.asarray(policy.agent.params["action"]["out"]["kernel"][...])).max()) > 0, "never trained"
    folder = Path(checkpoint_folder(PACKAGED))
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 20e6
