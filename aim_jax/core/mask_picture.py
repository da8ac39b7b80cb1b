"""The static mask as a picture: queries downwards, keys to the right, one pixel a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aim_jax.array_typing import Bool, NDArray
from aim_jax.core.blocks import Kind, Layout

if TYPE_CHECKING:
    from PIL.Image import Image

COLOURS = {
    Kind.OBS: (68, 119, 170),
    Kind.RGB: (102, 204, 238),
    Kind.NULL: (120, 120, 120),
    Kind.VALUE: (238, 102, 119),
    Kind.CLEAN_VALUE: (170, 51, 119),
    Kind.ACTION: (204, 187, 68),
    Kind.PAST_ACTION: (34, 136, 51),
}
"""Colour of the keys of each kind (Paul Tol's bright palette, told apart by colour-blind eyes too)."""

MEANING = {
    Kind.OBS: "observed RGB latents",
    Kind.RGB: "future RGB being denoised",
    Kind.NULL: "black value map of the current frame",
    Kind.VALUE: "future value map being denoised",
    Kind.CLEAN_VALUE: "finished value map, which the actions read",
    Kind.ACTION: "future actions being denoised",
    Kind.PAST_ACTION: "executed actions",
}

EDGE = 225
"""Grey of the lines between streams, of 255."""


def draw(layout: Layout, mask: Bool[NDArray, "q k"]) -> Image:
    """The mask between blocks, drawn token by token; a visible pair has the colour of the key's kind."""
    from PIL import Image

    tokens = layout.block_tokens
    colours = np.array([COLOURS[block.kind] for block in layout.blocks], np.uint8)
    blocks = np.where(mask[..., None], colours[None], np.uint8(255))
    pixels = np.repeat(np.repeat(blocks, tokens, axis=0), tokens, axis=1)
    starts = layout.starts
    for i in range(1, len(layout.blocks)):
        if layout.blocks[i].kind is not layout.blocks[i - 1].kind:
            row, column = pixels[starts[i]], pixels[:, starts[i]]
            row[(row == 255).all(-1)] = EDGE
            column[(column == 255).all(-1)] = EDGE
    return Image.fromarray(pixels)


def legend(layout: Layout) -> list[str]:
    """One line for each kind in the layout: symbol, latent frames, meaning."""
    kinds = [kind for kind in Kind if layout.frames(kind)]
    return [f"{kind.value:<2}  {len(layout.frames(kind)):>3} blocks  {MEANING[kind]}" for kind in kinds]
