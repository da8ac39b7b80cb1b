"""`aim dataset encode` with the user's text encoder and tokenizer: converted, run, and kept on disk."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from aim_jax.cli import main
from aim_jax.commands import dataset_encode
from aim_jax.data.build import build_dataset
from aim_jax.data.encoded import open_encoded
from aim_jax.models import text
from tests.data.synthetic import ENCODERS, write_episodes
from tests.models.tokenizer_folder import write_tokenizer

pytestmark = pytest.mark.oracle


def transformers_embedding(source, words: str) -> np.ndarray:
    """What the library makes of a text, without padding."""
    import torch
    from transformers import AutoTokenizer, UMT5EncoderModel

    given = AutoTokenizer.from_pretrained(source / "tokenizer")(words, return_tensors="pt")
    model = UMT5EncoderModel.from_pretrained(source / "text_encoder", dtype=torch.float32).eval()
    with torch.no_grad():
        return model(input_ids=given["input_ids"]).last_hidden_state[0].numpy()


def test_instructions_are_embedded_by_the_converted_encoder_once(write, tmp_path, monkeypatch, capsys):
    source = write("text_encoder", "diffusers", "float32")
    write_tokenizer(source / "tokenizer")
    assert main(["convert", "--source", str(source), "--out", str(tmp_path / "wan")]) == 0
    build_dataset(write_episodes(tmp_path / "episodes", range(2), steps=(20,)), tmp_path / "dataset")

    def models(args):
        encoder = dataset_encode.text_encoder(args)
        return dataclasses.replace(ENCODERS, text=encoder.embed, text_hash=encoder.content_hash)

    monkeypatch.setattr(dataset_encode, "models", models)
    flags = ["--text-checkpoint", str(tmp_path / "wan" / "text_encoder"), "--text-length", "24"]
    encode = ["dataset", "encode", "--dataset", str(tmp_path / "dataset"), *flags, "--json", "-"]
    capsys.readouterr()
    assert main([*encode, "--out", str(tmp_path / "first")]) == 0
    result = json.loads(capsys.readouterr().out)
    table = open_encoded(tmp_path / "first").texts()
    assert result["texts"] == len(table.strings) == 5
    for words, values, length in zip(table.strings, table.values, table.lengths, strict=True):
        theirs = transformers_embedding(source, words)
        assert length == len(theirs)
        assert np.abs(values[:length] - theirs).max() <= 2e-3 * np.abs(theirs).max()  # stored as float16
        assert not values[length:].any()

    (kept,) = (tmp_path / "wan" / "text_cache").iterdir()
    assert result["identity"]["text"].startswith(kept.name)
    assert len(list(kept.glob("*.npy"))) == len(table.strings)

    def no_encoder(_):
        def run(ids, mask):
            raise AssertionError("a text was encoded again")

        return run

    monkeypatch.setattr(text, "_compiled", no_encoder)
    assert main([*encode, "--out", str(tmp_path / "second")]) == 0
    again = open_encoded(tmp_path / "second").texts()
    np.testing.assert_array_equal(again.values, table.values)
