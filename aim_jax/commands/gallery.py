"""`aim gallery`: a page that shows every task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aim_jax.commands.names import named_settings, named_tasks
from aim_jax.commands.output import emit
from aim_jax.commands.progress import progress

if TYPE_CHECKING:
    from aim_jax.evaluation.wilson import SuccessRate


@dataclass(frozen=True)
class Args:
    """Records an expert's episode of every task and writes one HTML page with their videos, value maps laid over.

    Run it again to go on after an interruption; delete a clip's JSON file to have it made again.
    """

    tasks: str = "all"
    """Tasks separated by commas, or `all`."""
    settings: str = "easy,hard"
    """Scene settings separated by commas."""
    seed_start: int = 0
    """First seed tried for each; the first success is shown."""
    success: tuple[Path, ...] = ()
    """Reports that `aim collect --dry-run --json FILE` wrote: the success of the experts is taken from them."""
    workers: int = 2
    """Simulator processes; one per core is best."""
    out: Path = Path("runs/gallery")
    """Folder for index.html, the clips and their episodes."""
    json: str | None = None
    """Also writes what is on the page as JSON into this file; `-` writes JSON to stdout instead of the text."""


def main(args: Args) -> int:
    """Makes the clips and the page; 1 when some task has no successful episode to show."""
    import dataclasses

    from aim_jax.evaluation.gallery.make import make_clips
    from aim_jax.evaluation.gallery.page import write_gallery

    tasks, settings = named_tasks(args.tasks), named_settings(args.settings)
    success = {key: rate for path in args.success for key, rate in _success(path).items()}
    with progress("clips") as told:
        clips = make_clips(tasks, settings, args.seed_start, args.out / "clips", args.workers, told)
    page = args.out / "index.html"
    write_gallery(page, clips, success)
    missing = [clip.stem for clip in clips if clip.seed is None]
    data = {"page": page, "clips": [dataclasses.asdict(clip) for clip in clips], "missing": missing}
    lost = f"; no success to show: {', '.join(missing)}" if missing else ""
    emit(args.json, data, f"gallery of {len(tasks)} tasks: {page}{lost}")
    return 1 if missing else 0


def _success(path: Path) -> dict[tuple[str, str], SuccessRate]:
    """(task, setting) → success, out of a report of `aim collect`."""
    from aim_jax.errors import AimError
    from aim_jax.evaluation.wilson import wilson
    from aim_jax.files import read_json

    report = read_json(path)
    try:
        parts = report["settings"] if "settings" in report else {report["setting"]: report["tasks"]}
        return {
            (task, setting): wilson(entry["successes"], entry["episodes"])
            for setting, tasks in parts.items()
            for task, entry in tasks.items()
            if entry["episodes"]
        }
    except (KeyError, TypeError) as error:
        raise AimError(f"{path} is no report of `aim collect`", wanted="what --json FILE writes") from error
