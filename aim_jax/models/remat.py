"""What the backward pass recomputes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import jax

from aim_jax.core.attention import ATTENDED

Keep = Literal["nothing", "attention", "outputs", "dots", "all"]
"""What of a recomputed layer is kept: nothing; the results of its attentions; those and the result of the video
tower's feed-forward layer, the largest share of the recomputation for one array of the hidden width; the results of all
matmuls whose operands have no batch dimension in common (projections and feed-forward, not attention scores); or these
and the attentions, so that only elementwise work is done again."""

UPDATED = "updated"
"""Name of the feed-forward layer's result among a layer's intermediates."""


def rematerialised(step: Callable[..., Any], keep: Keep) -> Callable[..., Any]:
    """A scan's body whose intermediates are recomputed going backward, except what `keep` names."""
    policies = {
        "nothing": jax.checkpoint_policies.nothing_saveable,
        "attention": jax.checkpoint_policies.save_only_these_names(ATTENDED),
        "outputs": jax.checkpoint_policies.save_only_these_names(ATTENDED, UPDATED),
        "dots": jax.checkpoint_policies.dots_with_no_batch_dims_saveable,
        "all": jax.checkpoint_policies.save_from_both_policies(
            jax.checkpoint_policies.dots_with_no_batch_dims_saveable,
            jax.checkpoint_policies.save_only_these_names(ATTENDED),
        ),
    }
    # A scan keeps the body apart already; barriers against common subexpressions would only cost.
    return jax.checkpoint(step, policy=policies[keep], prevent_cse=False)
