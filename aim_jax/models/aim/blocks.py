"""The mixture of transformers: per-stream projections around one shared attention (AIM Eq 7, 8, 11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from einops import rearrange
from flax import nnx

from aim_jax.array_typing import Array, Float
from aim_jax.core.attention import attend
from aim_jax.core.blocks import STREAMS
from aim_jax.models.aim.action import ActionBlock
from aim_jax.models.aim.low_rank import Adapted, LowRankAttention
from aim_jax.models.aim.model import AIM, Stream
from aim_jax.models.attention import AttentionFunction
from aim_jax.models.dit import SelfAttention, WanBlock
from aim_jax.models.placement import constrain, gathered
from aim_jax.models.remat import Keep, rematerialised

Streams = dict[str, Stream]
KeyValue = tuple[Array, Array]
"""Keys and values, each [b, l, heads, head_dim], or with a leading layer dimension."""

Attention = Callable[[Array, Array, Array, Any], Array]
"""(q, k, v, memory of the layer) -> attended; sees the present tokens' q, k, v in the order of `STREAMS`."""


class Layer(NamedTuple):
    """One layer of all branches; absent branches are None."""

    video: WanBlock | None
    value_attn: SelfAttention | LowRankAttention | None
    action: ActionBlock | None


class Output(NamedTuple):
    """What a pass returns.

    Attributes:
        tokens: final hidden states of each stream, [b, frames, n, d].
        kv: keys and values of all present tokens per layer, [layers, b, l, heads, head_dim], or None.
    """

    tokens: dict[str, Array]
    kv: KeyValue | None


def text_keys(model: AIM, text: Float[Array, "b t e"]) -> KeyValue:
    """Keys and values of the text in every layer, [layers, b, t, heads, head_dim]: computed once per instruction."""
    embedded = model.wan.embed_text(text)
    graph, params = nnx.split(model.wan.blocks.cross_attn)
    return jax.lax.map(lambda layer: nnx.merge(graph, layer).text_kv(embedded), params)


def run(
    model: AIM,
    streams: Streams,
    *,
    attention: Attention,
    text_attention: AttentionFunction = attend,
    text_kv: KeyValue | None = None,
    text: Float[Array, "b t e"] | None = None,
    memory: Any = None,
    collect: bool = False,
    remat: bool = False,
    keep: Keep = "nothing",
) -> Output:
    """Runs the streams through all layers.

    Args:
        model: the parameters.
        streams: the tokens present in this pass, by stream name; any subset.
        attention: the shared masked attention.
        text_attention: the attention to the text, without mask.
        text_kv: what `text_keys` returned; or give `text`, and each layer computes its own.
        text: text embeddings; needed where a stream reads the text.
        memory: pytree with a leading layer dimension handed to `attention` layer by layer (cached keys and values).
        collect: also return the keys and values of every layer.
        remat: recompute each layer in the backward pass.
        keep: what of a layer is not recomputed.
    """
    names = [name for name in STREAMS if name in streams]
    video = any(name != "action" for name in names)
    layers = Layer(
        model.wan.blocks if video else None,
        model.value.self_attn if "value" in names else None,
        model.action.blocks if "action" in names else None,
    )
    embedded = model.wan.embed_text(text) if text is not None and text_kv is None else None
    graph, params = nnx.split(layers)

    def step(hidden: dict[str, Array], xs: Any) -> tuple[dict[str, Array], KeyValue | None]:
        layer_params, layer_text, layer_memory = xs
        layer = nnx.merge(graph, gathered(layer_params, model.config.dit.compute_dtype))
        if embedded is not None and layer.video is not None:
            layer_text = layer.video.cross_attn.text_kv(embedded)
        shared = lambda q, k, v: attention(q, k, v, layer_memory)  # noqa: E731
        hidden, kv = _layer(model, layer, hidden, streams, layer_text, shared, text_attention)
        return hidden, kv if collect else None

    start = {name: _placed(streams[name].tokens) for name in names}
    hidden, kv = jax.lax.scan(rematerialised(step, keep) if remat else step, start, (params, text_kv, memory))
    return Output(hidden, kv)


def _layer(
    model: AIM,
    layer: Layer,
    hidden: dict[str, Array],
    streams: Streams,
    text_kv: KeyValue | None,
    attention: AttentionFunction,
    text_attention: AttentionFunction,
) -> tuple[dict[str, Array], KeyValue]:
    hidden = {name: hidden[name] for name in STREAMS if name in hidden}  # a scan returns its carry in another order
    modulations = {name: _block(layer, name).modulation(streams[name].projected) for name in hidden}
    projected = []
    for name, x in hidden.items():
        flat = rearrange(_block(layer, name).attention_input(x, modulations[name]), "b g n d -> b (g n) d")
        projected.append(_projections(layer, name).qkv(flat, streams[name].rope))
    q, k, v = (jnp.concatenate(parts, axis=1) for parts in zip(*projected, strict=True))
    q = constrain(q, "batch", "queries", "heads", None)
    k, v = (constrain(x, "batch", None, "heads", None) for x in (k, v))
    attended = attention(q, k, v)
    result, offset = {}, 0
    for name, x in hidden.items():
        length = x.shape[1] * x.shape[2]
        update = _projections(layer, name).output(attended[:, offset : offset + length]).reshape(x.shape)
        offset += length
        x = _block(layer, name).add_attention(x, update, modulations[name])
        if text_kv is not None and layer.video is not None and _reads_text(model, name):
            x = layer.video.add_text(x, text_kv, text_attention)
        result[name] = _placed(_block(layer, name).add_ffn(x, modulations[name]))
    return result, (k, v)


def _placed(tokens: Float[Array, "b g n d"]) -> Float[Array, "b g n d"]:
    return constrain(tokens, "batch", "frames", "tokens", None)


def _block(layer: Layer, name: str) -> Any:
    return layer.action if name == "action" else layer.video


def _projections(layer: Layer, name: str) -> SelfAttention | Adapted:
    if name != "value" or layer.value_attn is None:
        return _block(layer, name).self_attn
    if isinstance(layer.value_attn, SelfAttention):
        return layer.value_attn
    assert layer.video is not None
    return Adapted(layer.video.self_attn, layer.value_attn)


def _reads_text(model: AIM, name: str) -> bool:
    return name == "rgb" or (name == "value" and model.config.value_text)
