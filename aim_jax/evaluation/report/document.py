"""What every page of the project is put into: head, style and body in one file that refers to no other."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable
from html import escape


def document(title: str, sections: Iterable[str]) -> str:
    """A whole HTML page.

    Args:
        title: plain text, shown after the project's name.
        sections: HTML; empty ones are left out.
    """
    style = importlib.resources.files("aim_jax").joinpath("assets", "report.css").read_text()
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>AIM · {escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(filter(None, sections))
        + "\n</main>\n</body>\n</html>\n"
    )


def header(title: str, summary: str, tiles: Iterable[tuple[str, str]]) -> str:
    """The top of a page: its title, what it is, and figures with their meaning, all plain text."""
    cards = "".join(f'<div class="card tile"><b>{escape(b)}</b><span>{escape(s)}</span></div>' for b, s in tiles)
    return f'<header><h1>AIM · {escape(title)}</h1><p>{escape(summary)}</p><div class="tiles">{cards}</div></header>'
