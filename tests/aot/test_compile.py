"""Names of topologies, and the compiler's complaint about memory."""

from __future__ import annotations

import pytest

from aim_jax.aot.compiler import _exhausted
from aim_jax.aot.topology import parse_topology
from aim_jax.errors import AimError


@pytest.mark.parametrize("name", ["v5e", "v5e:", "4x4", "v5e:4", "v5e:axb", "v9:4x4"])
def test_no_topology(name):
    with pytest.raises(AimError):
        parse_topology(name)


def test_names_of_topologies():
    assert str(parse_topology("2*v5e:4x4")) == "2*v5e:4x4"
    assert parse_topology("2*v5e:4x4").chips == 32
    assert parse_topology("tpu7x:2x2x1").name == "tpu7x:2x2x1"


def test_the_compilers_complaint_about_memory_is_understood():
    message = (
        "RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm. "
        "Used 25.88G of 15.75G hbm. Exceeded hbm capacity by 10.13G."
    )
    assert _exhausted(message) == (25.88 * 2**30, 15.75 * 2**30)
    other = "RESOURCE_EXHAUSTED: CompileTimeHbmOom: program requires (25.88G) exceeds available HBM (15.75G)"
    assert _exhausted(other) == (25.88 * 2**30, 15.75 * 2**30)
    assert _exhausted("INVALID_ARGUMENT: something else") is None
