"""Stage I: flow matching of RGB, value maps and actions on demonstrations (AIM §4.2, Eq 9)."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx

from aim_jax.config import ExperimentConfig
from aim_jax.data.dataset import open_dataset
from aim_jax.data.encoded import open_encoded
from aim_jax.data.latent_norm import LatentNorm
from aim_jax.data.loader import LoaderConfig, make_loader
from aim_jax.data.statistics import Statistics
from aim_jax.data.windows import WindowConfig
from aim_jax.models.aim.model import AIM, initialise
from aim_jax.parallel.local import DataParallel
from aim_jax.training.bundle import make_bundle
from aim_jax.training.checkpoint import Checkpoints
from aim_jax.training.inputs import host_batch
from aim_jax.training.metrics import MetricWriter
from aim_jax.training.step import Constants, evaluated_params, initial_state, make_loss, make_step

Progress = Callable[[int, int, dict[str, float]], None]


def train(
    experiment: ExperimentConfig,
    dataset: str | Path,
    run: str | Path,
    *,
    vae_hash: str,
    progress: Progress = lambda step, total, metrics: None,
) -> dict[str, float]:
    """Trains until `experiment.train.steps`, going on from the newest checkpoint of `run` if there is one.

    A run that was killed and started again ends with the same parameters as one that was not.

    Args:
        experiment: the configuration.
        dataset: folder of the encoded dataset.
        run: folder for `checkpoints` and `metrics`.
        vae_hash: content hash of the VAE; the latents must be its.
        progress: told the step, the number of steps and the latest metrics.

    Returns:
        The last metrics.

    Raises:
        AimError: the dataset or an existing checkpoint does not fit the configuration.
    """
    config, run = experiment.train, Path(run)
    loader_config = _loader_config(experiment, config.batch, config.seed, "train")
    iterator = make_loader(dataset, loader_config, vae_hash=vae_hash)
    constants, bundle = _constants(experiment, dataset)
    graph, params = nnx.split(initialise(experiment.model, config.seed))
    parallel = DataParallel(config.batch)
    state, constants = parallel.replicate((initial_state(params, config), constants))
    checkpoints = Checkpoints(run / "checkpoints", config.keep)
    if (latest := checkpoints.latest()) is not None:
        state, position = checkpoints.restore(latest, state=state)
        iterator.set_state(position)
    writer = MetricWriter(run / "metrics", "train")
    writer.truncate(int(state.step))
    validation = _Validation(graph, experiment, dataset, vae_hash, constants)
    step = jax.jit(make_step(graph, experiment.model, config), donate_argnums=0)
    metrics: dict[str, float] = {}
    clock = _Clock(config.batch)
    while (number := int(state.step)) < config.steps:
        batch = clock.waiting(lambda: parallel.shard(host_batch(next(iterator))))
        state, values = step(state, batch, constants)
        done = number + 1
        if done % config.log_every == 0 or done == config.steps:
            metrics = {f"train/{k}": float(v) for k, v in values.items()} | clock.read()
            if config.val_batches and (done % config.val_every == 0 or done == config.steps):
                metrics |= clock.paused(functools.partial(validation, evaluated_params(state)))
            writer.write(done, metrics)
            progress(done, config.steps, metrics)
        if done % config.save_every == 0 or done == config.steps:
            checkpoints.save(
                done, params=evaluated_params(state), state=state, iterator=_json(iterator.get_state()), bundle=bundle
            )
    checkpoints.close()
    writer.close()
    return metrics


def _loader_config(experiment: ExperimentConfig, batch: int, seed: int, split: str) -> LoaderConfig:
    window = WindowConfig(
        chunks=experiment.train.chunks,
        chunk_latents=experiment.model.latents_per_chunk,
        balance_tasks=experiment.train.balance_tasks,
    )
    return LoaderConfig(window=window, batch=batch, seed=seed, split=split, text_length=experiment.text.max_len)


def _constants(experiment: ExperimentConfig, dataset: str | Path) -> tuple[Constants, dict[str, Any]]:
    opened = open_dataset(dataset)
    encoded = open_encoded(opened.latents_path)
    norm = LatentNorm.of(encoded.latent_statistics(), experiment.centre_latents)
    empty = np.zeros((experiment.text.max_len, experiment.text.dim), np.float32)
    values = encoded.texts().values[0]
    empty[: min(len(values), len(empty))] = values[: len(empty)]
    bundle = make_bundle(experiment, Statistics.load(opened.statistics_path), norm, encoded.identity.vae)
    return Constants(LatentNorm(*map(jax.numpy.asarray, norm)), jax.numpy.asarray(empty)), bundle


class _Validation:
    """Losses on held-out windows with the same noise each time."""

    def __init__(
        self, graph: Any, experiment: ExperimentConfig, dataset: str | Path, vae_hash: str, constants: Constants
    ) -> None:
        self._loss = jax.jit(make_loss(graph, experiment.model, experiment.train))
        self._constants = constants
        self._count = experiment.train.val_batches
        self._make = lambda: make_loader(
            dataset, _loader_config(experiment, experiment.train.batch, 0, "val"), vae_hash=vae_hash
        )

    def __call__(self, params: Any) -> dict[str, float]:
        iterator: Iterator[Any] = self._make()
        rows = []
        for number in range(self._count):
            _, metrics = self._loss(params, jax.random.key(number), host_batch(next(iterator)), self._constants)
            rows.append({name: float(value) for name, value in metrics.items()})
        return {f"val/{name}": float(np.mean([row[name] for row in rows])) for name in rows[0]}


class _Clock:
    """Step time, and the share of it that was spent waiting for data."""

    def __init__(self, batch: int) -> None:
        self._batch, self._steps, self._waited, self._start = batch, 0, 0.0, time.perf_counter()

    def waiting(self, fetch: Callable[[], Any]) -> Any:
        """Calls `fetch` and counts the time as waiting for input."""
        start = time.perf_counter()
        value = fetch()
        self._waited += time.perf_counter() - start
        self._steps += 1
        return value

    def paused(self, work: Callable[[], Any]) -> Any:
        """Calls `work` without counting its time."""
        start = time.perf_counter()
        value = work()
        self._start += time.perf_counter() - start
        return value

    def read(self) -> dict[str, float]:
        """Averages since the last call."""
        elapsed = time.perf_counter() - self._start
        steps, waited = max(self._steps, 1), self._waited
        self._steps, self._waited, self._start = 0, 0.0, time.perf_counter()
        return {
            "perf/step_time": elapsed / steps,
            "perf/samples_per_second": self._batch * steps / elapsed,
            "perf/input_bound": waited / elapsed,
        }


def load_model(experiment: ExperimentConfig) -> tuple[Any, Any]:
    """Graph and abstract parameters of the experiment's model."""
    return nnx.split(nnx.eval_shape(lambda: AIM(experiment.model, nnx.Rngs(0))))


def _json(state: Any) -> dict[str, Any]:
    return state if isinstance(state, dict) else {"state": state}
