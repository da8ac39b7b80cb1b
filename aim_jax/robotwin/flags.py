"""Option dataclasses as flags and back, with argparse alone: RoboTwin's Python has no tyro."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def parse(options: type[T], argv: Sequence[str], prog: str) -> T:
    """The options that the flags `--some-name VALUE` give."""
    parser = argparse.ArgumentParser(prog=prog, description=options.__doc__)
    hints = get_type_hints(options)
    for field in dataclasses.fields(options):  # pyright: ignore[reportArgumentType]
        required = field.default is dataclasses.MISSING
        kind: dict[str, Any] = {"type": hints[field.name]}
        if get_origin(hints[field.name]) is Literal:
            kind = {"choices": get_args(hints[field.name])}
        elif type(None) in get_args(hints[field.name]):  # some type, or nothing unless given
            kind = {"type": next(one for one in get_args(hints[field.name]) if one is not type(None))}
        default = None if required else field.default
        parser.add_argument(_flag(field.name), required=required, default=default, **kind)
    return options(**vars(parser.parse_args(list(argv))))


def unparse(options: Any) -> list[str]:
    """The flags that give these options."""
    given = ((field.name, getattr(options, field.name)) for field in dataclasses.fields(options))
    return [f"{_flag(name)}={value}" for name, value in given if value is not None]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
