"""Counts the operations of a traced program: matmuls and convolutions, two operations per multiply-add."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.core


def counted_flops(function: Callable[..., Any], *args: Any) -> int:
    """Operations of `function` on arguments of these shapes, for programs that have no analytic formula."""
    return _count(jax.make_jaxpr(function)(*args).jaxpr)


def _count(jaxpr: Any) -> int:
    total = 0
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name == "dot_general":
            total += _matmul(equation)
        elif name == "conv_general_dilated":
            kernel = equation.invars[1].aval.shape
            outputs = equation.params["dimension_numbers"].rhs_spec[0]
            total += 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(kernel) // kernel[outputs]
        inner = [_count(part) for part in jax.core.jaxprs_in_params(equation.params)]
        # Of a branch per platform or condition one runs.
        total += max(inner, default=0) if name == "cond" else equation.params.get("length", 1) * sum(inner)
    return total


def _matmul(equation: Any) -> int:
    (contracted, _), (shared, _) = equation.params["dimension_numbers"]
    left, right = (variable.aval.shape for variable in equation.invars)
    inner = math.prod(left[i] for i in contracted)
    return 2 * math.prod(left) * math.prod(right) // (inner * math.prod(left[i] for i in shared))
