"""The UMT5 encoder against `transformers`, on random weights at odd sizes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from aim_jax.models.umt5 import UMT5Config, UMT5Encoder, relative_buckets
from aim_jax.weights import umt5_keys
from aim_jax.weights.params import abstract, from_state_dict
from tests.closeness import assert_close

SIZES = {
    "square": UMT5Config(vocab_size=61, dim=24, head_dim=8, num_heads=3, ffn_dim=40, num_layers=2),
    "wide attention": UMT5Config(vocab_size=50, dim=20, head_dim=6, num_heads=5, ffn_dim=17, num_layers=3),
    "few buckets": UMT5Config(
        vocab_size=33, dim=16, head_dim=4, num_heads=2, ffn_dim=24, num_layers=1, num_buckets=12, max_distance=20
    ),
}


def load_torch_umt5(config: UMT5Config):
    """A random `transformers` encoder as a function of (ids, mask), and ours with the same weights."""
    torch = pytest.importorskip("torch")
    import transformers

    torch.manual_seed(0)
    oracle = transformers.UMT5EncoderModel(
        transformers.UMT5Config(
            vocab_size=config.vocab_size,
            d_model=config.dim,
            d_kv=config.head_dim,
            d_ff=config.ffn_dim,
            num_layers=config.num_layers,
            num_heads=config.num_heads,
            relative_attention_num_buckets=config.num_buckets,
            relative_attention_max_distance=config.max_distance,
        )
    ).eval()
    with torch.no_grad():
        for parameter in oracle.parameters():
            parameter.normal_(std=0.3)
    state = {name: tensor.numpy() for name, tensor in oracle.state_dict().items()}
    encoder = from_state_dict(abstract(lambda rngs: UMT5Encoder(config, rngs)), umt5_keys.TRANSFORMERS, state)

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            out = oracle(input_ids=torch.tensor(ids).long(), attention_mask=torch.tensor(mask).long())
        return out.last_hidden_state.numpy()

    return run, encoder


def tokens(config: UMT5Config, lengths: list[int], width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    mask = np.arange(width)[None] < np.array(lengths)[:, None]
    return np.where(mask, rng.integers(2, config.vocab_size, mask.shape), 0).astype(np.int32), mask


@pytest.mark.oracle
@pytest.mark.parametrize("name", SIZES)
def test_encoder_equals_transformers_on_padded_text(name):
    config = SIZES[name]
    oracle, encoder = load_torch_umt5(config)
    ids, mask = tokens(config, [5, 37, 150], 150)
    ours = np.asarray(nnx.jit(encoder)(jnp.asarray(ids), jnp.asarray(mask)))
    theirs = oracle(ids, mask)
    assert_close("embeddings", ours[mask], theirs[mask], 1e-4)
    assert not ours[~mask].any()


@pytest.mark.oracle
def test_bf16_stays_close_to_transformers():
    config = SIZES["square"]
    oracle, encoder = load_torch_umt5(config)
    half = UMT5Encoder(UMT5Config(**{**vars(config), "compute_dtype": "bfloat16"}), nnx.Rngs(0))
    nnx.update(half, nnx.state(encoder))
    ids, mask = tokens(config, [9, 21], 21)
    theirs = oracle(ids, mask)[mask]
    ours = np.asarray(nnx.jit(half)(jnp.asarray(ids), jnp.asarray(mask)))[mask]
    assert np.linalg.norm(ours - theirs) <= 2e-2 * np.linalg.norm(theirs)


@pytest.mark.oracle
@pytest.mark.parametrize(("buckets", "distance"), [(32, 128), (12, 20), (16, 64), (32, 100)])
def test_buckets_equal_transformers_at_every_distance(buckets, distance):
    torch = pytest.importorskip("torch")
    from transformers import UMT5Config as Config
    from transformers.models.umt5.modeling_umt5 import UMT5Attention

    config = Config(d_model=8, d_kv=4, num_heads=2)
    config.relative_attention_num_buckets, config.relative_attention_max_distance = buckets, distance
    attention = UMT5Attention(config, has_relative_attention_bias=True)
    offset = torch.arange(600)[None] - torch.arange(600)[:, None]
    theirs = attention._relative_position_bucket(offset).numpy()
    np.testing.assert_array_equal(relative_buckets(600, buckets, distance), theirs)


def test_padding_does_not_change_the_text():
    config = SIZES["square"]
    encoder = UMT5Encoder(config, nnx.Rngs(1))
    ids, mask = tokens(config, [7], 7)
    long_ids, long_mask = tokens(config, [7], 19)
    long_ids[:, :7] = ids
    short = encoder(jnp.asarray(ids), jnp.asarray(mask))
    long = encoder(jnp.asarray(long_ids), jnp.asarray(long_mask))
    np.testing.assert_allclose(np.asarray(long)[:, :7], np.asarray(short), rtol=2e-5, atol=2e-6)


def test_full_size_has_the_published_parameter_count():
    shapes = nnx.eval_shape(lambda: UMT5Encoder(UMT5Config(), nnx.Rngs(0)))
    count = sum(x.size for x in jax.tree.leaves(nnx.state(shapes, nnx.Param)))
    assert count == 5_680_910_336
