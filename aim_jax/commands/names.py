"""Tasks and settings as flags name them."""

from __future__ import annotations


def named_tasks(text: str) -> tuple[str, ...]:
    """The tasks that a flag names: separated by commas, or `all`.

    Raises:
        AimError: a task that there is not.
    """
    from aim_jax.sim.registry import get_task, task_names

    names = task_names() if text == "all" else _split(text)
    for name in names:
        get_task(name)
    return names


def named_settings(text: str) -> tuple[str, ...]:
    """The settings that a flag names, separated by commas.

    Raises:
        AimError: a setting that there is not.
    """
    from aim_jax.errors import AimError
    from aim_jax.sim.env import SETTINGS

    names = _split(text)
    for name in names:
        if name not in SETTINGS:
            raise AimError(f"There is no setting {name!r}", wanted=f"{' or '.join(SETTINGS)}, or both with a comma")
    return names


def _split(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))
