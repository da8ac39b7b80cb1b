"""Stage II: GRPO of the action head on closed-loop rollouts (AIM §4.3, Eq 12, 13)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from aim_jax.array_typing import Array, Float, NDArray, PyTree
from aim_jax.config import ExperimentConfig
from aim_jax.config_io import write_resolved
from aim_jax.data.statistics import normalise
from aim_jax.errors import AimError
from aim_jax.models.aim.blocks import KeyValue
from aim_jax.models.aim.replay import Recording
from aim_jax.policy.agent import Agent, Plan, Situation
from aim_jax.policy.rollouts import FRAME_STRIDE, Episode, run_episodes
from aim_jax.policy.schedule import Planner
from aim_jax.sim.pool import EnvPool, Job
from aim_jax.training.best_round import BestRound, validation_successes
from aim_jax.training.checkpoint import Checkpoints, read_params, tree_hash
from aim_jax.training.continuity import check_rounds_continue, rounds_settings
from aim_jax.training.grpo_loss import episode_return, group_advantages
from aim_jax.training.metrics import MetricWriter
from aim_jax.training.rewards import dense_reward, passed_frames
from aim_jax.training.stage2_update import LEARNED, Sample, Transitions, Update, join, split

Progress = Callable[[int, int, dict[str, float]], None]


class _Kept(NamedTuple):
    """What is remembered of one planned chunk of one episode."""

    rgb: NDArray
    future: NDArray
    value: NDArray
    value_maps: NDArray
    sigma: NDArray
    following: NDArray
    before: NDArray
    after: NDArray


def improve(
    agent: Agent,
    experiment: ExperimentConfig,
    run: str | Path,
    bundle: dict[str, Any],
    *,
    progress: Progress = lambda step, total, metrics: None,
) -> dict[str, float]:
    """Improves the agent's action head for `experiment.grpo.iterations` rounds; goes on from `run` if it was begun.

    Args:
        agent: the Stage I policy; its parameters are replaced by the improved ones.
        experiment: the configuration.
        run: folder for `checkpoints`, `metrics` and the resolved `config.json`.
        bundle: of the Stage I checkpoint, stored again.
        progress: told the round, the number of rounds and the latest metrics.

    Returns:
        The last round's metrics.

    Raises:
        AimError: the configuration contradicts itself, or the checkpoints in `run` do not fit, or began from another
            policy or with other settings.
    """
    config = _checked(experiment)
    action, rest = split(agent.params)
    rollout, null = agent.settings.rollout, jnp.asarray(agent.settings.norm.null)
    update = Update(agent.graph, config, rollout.stop_sigma, null, agent.placement)
    reference = update.trained(action, agent.config)
    state = {"action": reference, "opt": update.begin(reference), "round": jnp.zeros((), jnp.int32)}
    if config.val_episodes:
        state["best"] = reference
    origin, settings = {"frozen": tree_hash(rest), "reference": tree_hash(action)}, rounds_settings(experiment)
    checkpoints = Checkpoints(Path(run) / "checkpoints", keep=2)
    metrics: dict[str, float] = {}
    best: BestRound | None = None
    if (latest := checkpoints.latest()) is not None:
        position = checkpoints.iterator(latest)
        _check_origin(position, origin, Path(run))
        # Before the state is read: other settings may have given it other shapes.
        check_rounds_continue(position.get("settings", {}), settings, Path(run))
        state, _ = checkpoints.restore(latest, state=state)
        metrics, best = position.get("metrics", {}), BestRound.of(position)
    write_resolved(experiment, run)
    writer = MetricWriter(Path(run) / "metrics", "grpo")
    writer.truncate(int(state["round"]) + 1)
    slots = max(config.group * config.groups, experiment.eval.envs if config.val_episodes else 0)
    with EnvPool(slots, experiment.eval.workers, experiment.canvas) as pool:
        if best is None and config.validates(0):
            best = BestRound(0, validation_successes(agent, pool, experiment))
        for number in range(int(state["round"]), config.iterations):
            agent.params = join(state["action"], rest)
            explore = functools.partial(
                agent.explore,
                exploration=update.exploration,
                learned=state["action"].get(LEARNED),
                group=config.group if config.share_noise else 1,
            )
            episodes = _rollouts(agent, explore, pool, experiment, number)
            state, metrics = _round(update, agent, experiment, state, rest, reference, episodes, number)
            if best is not None and config.validates(number + 1):
                agent.params = join(state["action"], rest)
                successes = validation_successes(agent, pool, experiment)
                if successes > best.successes:
                    best, state["best"] = BestRound(number + 1, successes), state["action"]
                metrics |= {
                    "grpo/val_success": successes / config.val_episodes,
                    "grpo/val_best": best.successes / config.val_episodes,
                    "grpo/best_round": best.number,
                }
            writer.write(number + 1, metrics)
            checkpoints.save(
                number + 1,
                params=join(_chosen(state), rest),
                state=state,
                iterator={
                    "round": number + 1,
                    "origin": origin,
                    "settings": settings,
                    "metrics": metrics,
                    "best": None if best is None else asdict(best),
                },
                bundle=bundle,
            )
            progress(number + 1, config.iterations, metrics)
    agent.params = join(_chosen(state), rest)
    checkpoints.close()
    writer.close()
    _check_frozen(run, agent.params, origin["frozen"])
    return metrics


def _chosen(state: dict[str, PyTree]) -> PyTree:
    """The head that is handed on."""
    return state.get("best", state["action"])


def _check_origin(position: dict[str, Any], origin: dict[str, str], run: Path) -> None:
    """Refuses to go on with the head of one policy on the towers of another."""
    begun = position.get("origin", {})  # rounds of an older version do not say
    if begun != origin:
        raise AimError(
            f"The rounds in {run} began from another policy",
            wanted="the Stage I checkpoint that they began from",
            got=", ".join(f"other {name} parameters" for name in origin if begun.get(name) != origin[name]),
            remedy="choose another --out, or the first checkpoint",
        )


def _check_frozen(run: str | Path, params: nnx.State, frozen: str) -> None:
    """Reads the newest checkpoint back: all but the action head must be what Stage I left."""
    stored = read_params(Path(run) / "checkpoints", jax.tree.map(_stand_in, params))
    if tree_hash(split(stored)[1]) != frozen:
        raise RuntimeError("Stage II changed parameters outside the action head")


def _stand_in(leaf: Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding)


def _checked(experiment: ExperimentConfig):
    config = experiment.grpo
    if (config.group * config.groups) % config.minibatch or config.group < 2:
        raise AimError(
            "The rollouts of a round do not divide into minibatches of groups",
            wanted="group of at least 2, and minibatch to divide group * groups",
            got=f"group {config.group}, groups {config.groups}, minibatch {config.minibatch}",
        )
    if config.lambda_dense >= config.lambda_sparse:
        raise AimError(
            "A failed episode could beat a success by its dense reward alone",
            wanted="lambda_dense < lambda_sparse",
            got=f"{config.lambda_dense} and {config.lambda_sparse}",
        )
    if config.val_episodes < 0 or config.val_every < 1:
        raise AimError(
            "Stage II cannot be validated like this",
            wanted="grpo.val_episodes of at least 0 (0: no validation), and grpo.val_every of at least 1",
            got=f"{config.val_episodes} and {config.val_every}",
        )
    if not 0 <= config.correlation < 1:
        raise AimError(
            "Noise cannot be correlated like this", wanted="grpo.correlation in [0, 1)", got=config.correlation
        )
    if config.share_noise and config.exploration == "fpo":
        raise AimError(
            "Every rollout of a group would be the same: fpo explores by its starting noise alone",
            wanted="grpo.share_noise False with fpo",
            got=True,
        )
    return config


def _rollouts(
    agent: Agent, explore: Planner, pool: EnvPool, experiment: ExperimentConfig, number: int
) -> list[Episode]:
    config = experiment.grpo
    first = config.seed_start + config.val_episodes + number * config.groups
    jobs = [
        Job(experiment.tasks[(number * config.groups + g) % len(experiment.tasks)], first + g, experiment.setting)
        for g in range(config.groups)
        for _ in range(config.group)
    ]
    return run_episodes(
        agent,
        pool,
        jobs,
        batch=len(jobs),
        key=jax.random.fold_in(jax.random.key(config.seed), number),
        planner=explore,
        keep=lambda situation, plan: _keep(agent, situation, plan),
        max_chunks=config.max_chunks,
    )


def _keep(agent: Agent, situation: Situation, plan: Plan) -> list[_Kept]:
    assert plan.chain is not None
    maps = agent.decode_map(plan.world)
    latent, future, value = jax.device_get((situation.latent, plan.world.rgb, plan.world.value))
    chain = jax.device_get(plan.chain)
    return [
        _Kept(
            latent[i],
            future[i],
            value[i],
            maps[i],
            chain.sigma[i],
            chain.following[i],
            chain.before[i],
            chain.after[i],
        )
        for i in range(len(plan.actions))
    ]


def _rewards(episode: Episode, experiment: ExperimentConfig) -> float:
    """Mean over time of the map's value at the hand, r_dense of Eq 12."""
    start = episode.start
    values = [
        dense_reward(
            chunk.extras.value_maps[frame],
            chunk.outcome.tcp[step],
            start.intrinsics,
            start.extrinsics,
            experiment.canvas,
            start.native_hw,
        )
        for chunk in episode.chunks
        for frame, step in passed_frames(chunk.outcome.executed, FRAME_STRIDE, len(chunk.extras.value_maps))
    ]
    return float(np.mean(values))


def _record(
    episodes: list[Episode], agent: Agent, experiment: ExperimentConfig, texts: Float[NDArray, "b t e"]
) -> tuple[Recording, Transitions]:
    """Stacks episodes, padded to the same number of chunks by repeating the last one with mask 0."""
    chunks = experiment.grpo.max_chunks
    c = agent.config
    rows = [[e.chunks[min(i, len(e.chunks) - 1)] for i in range(chunks)] for e in episodes]

    def stacked(name: str, frames: int = 0) -> Array:
        """Values [b, ...] of all chunks of each episode, one after the other along the dimension of their frames."""
        return jnp.asarray(
            np.stack([np.concatenate([getattr(chunk.extras, name) for chunk in row], axis=frames) for row in rows])
        )

    def levels(name: str) -> Array:
        return jnp.asarray(np.stack([[getattr(chunk.extras, name) for chunk in row] for row in rows]))

    rgb = [
        np.concatenate([row[0].extras.rgb] + [_k_frames(chunk.extras.rgb, c.latents_per_chunk) for chunk in row[1:]])
        for row in rows
    ]
    actions = np.stack([np.concatenate([chunk.carried_out for chunk in row]) for row in rows])
    if c.start_actions:
        stood = np.stack([e.start.state for e in episodes])[:, None]
        actions = np.concatenate([np.repeat(stood, c.actions_per_latent, axis=1), actions], axis=1)
    executed = normalise(actions, agent.settings.statistics.action).astype(np.float32)
    shape = (len(rows), -1, c.actions_per_latent, c.action_dim)
    recording = Recording(
        jnp.asarray(np.stack(rgb)),
        stacked("future"),
        stacked("value"),
        jnp.asarray(executed.reshape(shape)),
        jnp.asarray(texts),
    )
    transitions = Transitions(
        levels("sigma"),
        levels("following"),
        stacked("before", frames=1),
        stacked("after", frames=1),
        jnp.array([[i < len(e.chunks) for i in range(chunks)] for e in episodes], jnp.float32),
    )
    return recording, transitions


def _k_frames(latents: NDArray, k: int) -> NDArray:
    """Padding may repeat an episode's very first observation, which is one frame instead of K."""
    return np.repeat(latents, k, axis=0) if len(latents) == 1 else latents


def _round(
    update: Update,
    agent: Agent,
    experiment: ExperimentConfig,
    state: dict[str, PyTree],
    rest: nnx.State,
    reference: PyTree,
    episodes: list[Episode],
    number: int,
) -> tuple[dict[str, PyTree], dict[str, float]]:
    config = experiment.grpo
    success = np.array([e.success for e in episodes], np.float64)
    dense = np.array([_rewards(e, experiment) for e in episodes])
    returns = episode_return(success, dense, config.lambda_sparse, config.lambda_dense)
    advantages = group_advantages(returns.reshape(config.groups, config.group), config.std_floor).ravel()
    texts = agent.embed_text([e.start.instruction for e in episodes])
    recording, transitions = _record(episodes, agent, experiment, texts)
    batches = _minibatches(len(episodes), config.minibatch)
    parts = [jax.tree.map(lambda x, r=rows: x[r], (recording, transitions)) for rows in batches]

    def context(part_recording: Recording) -> KeyValue:
        # Computed again for every use: those of all episodes of a round together would not fit a chip.
        return update.context(join(state["action"], rest), part_recording)

    samples = []
    for rows, (part_recording, part) in zip(batches, parts, strict=True):
        known, actions = context(part_recording), part_recording.actions
        old = update.transition(state["action"], rest, known, actions, part)
        ref = update.transition(reference, rest, known, actions, part)
        samples.append(
            functools.partial(
                Sample,
                executed=actions,
                transitions=part,
                old=update.log_prob(old, part),
                reference=ref,
                advantage=jnp.asarray(advantages[rows], jnp.float32),
            )
        )
    action, opt, rows = state["action"], state["opt"], []
    first_ratio = 0.0
    for epoch in range(config.epochs):
        order = np.random.default_rng((config.seed, number, epoch)).permutation(len(samples))
        for place, index in enumerate(order):
            sample = samples[index](context=context(parts[index][0]))
            action, opt, metrics = update.apply(action, opt, rest, sample)
            if epoch == 0 and place == 0:
                first_ratio = float(metrics["ratio_deviation"])
            rows.append({name: float(value) for name, value in metrics.items()})
    summary = {f"grpo/{name}": float(np.mean([row[name] for row in rows])) for name in rows[0]}
    summary |= {
        "grpo/success": float(success.mean()),
        "grpo/dense_reward": float(dense.mean()),
        "grpo/return": float(returns.mean()),
        "grpo/dense_success_correlation": _correlation(dense, success),
        "grpo/informative_groups": float((advantages.reshape(config.groups, -1) != 0).any(1).mean()),
        "grpo/first_ratio_deviation": first_ratio,
    }
    return {**state, "action": action, "opt": opt, "round": jnp.asarray(number + 1, jnp.int32)}, summary


def _minibatches(count: int, size: int) -> list[NDArray]:
    """Rows of each minibatch. Interleaved, so that each holds members of every group."""
    return [np.arange(count)[start :: count // size] for start in range(count // size)]


def _correlation(a: NDArray, b: NDArray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-9 and b.std() > 1e-9 else 0.0
