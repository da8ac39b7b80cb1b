"""AIM's first parameters: copied, resampled or drawn, each as its name says."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from flax import nnx

from aim_jax.errors import AimError
from aim_jax.models.aim.config import AIMConfig
from aim_jax.models.aim.model import AIM, abstract_parameters
from aim_jax.models.converted import load_dit, load_params
from aim_jax.weights.aim_init import Additions, resample, start_value, write_aim
from aim_jax.weights.convert import convert
from aim_jax.weights.params import flatten
from aim_jax.weights.synthetic import SMALL
from tests.weights.synthetic_checkpoints import plan_of

HIDDEN = 20


def leaves(module: nnx.Module) -> dict[str, np.ndarray]:
    return flatten(jax.tree.map(np.asarray, nnx.to_pure_dict(nnx.state(module, nnx.Param))))


@pytest.fixture
def converted(write, tmp_path):
    convert(plan_of(write("dit", "diffusers", "float32"), "dit"), tmp_path)
    return tmp_path / "dit"


def test_every_parameter_of_aim_is_there_and_began_as_stated(converted, tmp_path):
    how = write_aim(converted, tmp_path / "aim", Additions(HIDDEN), 3, lambda _: None)
    config = AIMConfig(dit=SMALL["dit"], action_hidden=HIDDEN, action_ffn=4 * HIDDEN)
    model = jax.jit(lambda: nnx.state(AIM(config, nnx.Rngs(3)), nnx.Param))()
    fresh = flatten(jax.tree.map(np.asarray, nnx.to_pure_dict(model)))
    aim = flatten(load_params(tmp_path / "aim", nnx.to_pure_dict(model)))
    tower = leaves(load_dit(converted))
    assert aim.keys() == fresh.keys() == how.keys()
    for path, value in aim.items():
        assert value.shape == fresh[path].shape, path
        kind, _, source = how[path].partition(" from ")
        if kind == "drawn":
            np.testing.assert_allclose(value, fresh[path], rtol=1e-6, err_msg=path)
        elif kind == "copied":
            np.testing.assert_array_equal(value, tower[source], err_msg=path)
        else:
            assert kind == "resampled"
            assert path.startswith("action/")
    drawn = {path.split("/")[0] + "/" + path.split("/")[1] for path, text in how.items() if text == "drawn"}
    assert drawn == {
        "value/stream_embedding",
        "value/noise_token",
        "action/embed",
        "action/position",
        "action/out_modulation",
        "action/out",
    }
    for name in ("q", "k", "v", "o"):
        np.testing.assert_array_equal(aim[f"value/self_attn/{name}/kernel"], tower[f"blocks/self_attn/{name}/kernel"])


@pytest.mark.parametrize("value_qkv", ["lora", "shared"])
def test_value_projections_that_lean_on_the_towers(converted, tmp_path, value_qkv):
    how = write_aim(converted, tmp_path / "aim", Additions(HIDDEN, value_qkv, 3), 3, lambda _: None)
    own = {path: text for path, text in how.items() if path.startswith("value/self_attn/")}
    assert set(own.values()) == ({"drawn"} if value_qkv == "lora" else set())
    abstract = abstract_parameters(Additions(HIDDEN, value_qkv, 3).config(SMALL["dit"]))
    aim = flatten(load_params(tmp_path / "aim", nnx.to_pure_dict(abstract)))
    for path in own:
        assert aim[path].any() == ("/down/" in path), path


def test_other_options_do_not_overwrite(converted, tmp_path):
    write_aim(converted, tmp_path / "aim", Additions(HIDDEN), 3, lambda _: None)
    write_aim(converted, tmp_path / "aim", Additions(HIDDEN), 3, lambda _: None)
    with pytest.raises(AimError, match="with other options"):
        write_aim(converted, tmp_path / "aim", Additions(HIDDEN), 4, lambda _: None)


def test_resampling_keeps_ends_and_straight_lines():
    line = np.linspace(-1, 3, 12, dtype=np.float32)
    np.testing.assert_allclose(resample(line, (5,)), np.linspace(-1, 3, 5), rtol=1e-6)
    np.testing.assert_allclose(resample(line, (30,)), np.linspace(-1, 3, 30), rtol=1e-5, atol=1e-6)
    plane = line[:, None] * np.linspace(1, 2, 7, dtype=np.float32)
    np.testing.assert_allclose(resample(plane, (4, 3))[0, 0], plane[0, 0], rtol=1e-6)
    np.testing.assert_allclose(resample(plane, (4, 3))[-1, -1], plane[-1, -1], rtol=1e-6)


@pytest.mark.oracle
def test_resampling_equals_torch_with_aligned_corners():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal((5, 31)).astype(np.float32)
    theirs = torch.nn.functional.interpolate(torch.tensor(x)[None], size=12, mode="linear", align_corners=True)[0]
    np.testing.assert_allclose(resample(x, (5, 12)), theirs.numpy(), rtol=1e-4, atol=1e-5)


def test_modulation_parts_are_not_mixed():
    source = np.repeat(np.arange(6, dtype=np.float32), 8)
    out = start_value("action/time_projection/bias", source, (18,))
    np.testing.assert_array_equal(out, np.repeat(np.arange(6, dtype=np.float32), 3))


def test_kernels_are_scaled_by_the_root_of_the_inputs_lost():
    source = np.ones((48, 16), np.float32)
    np.testing.assert_allclose(start_value("action/blocks/self_attn/q/kernel", source, (12, 16)), 2.0)
    np.testing.assert_allclose(start_value("action/blocks/self_attn/o/kernel", source, (48, 4)), 1.0)
