"""Backward passes: what a gradient mode makes of the upstream gradient. The forward values never depend on it.

Each row of `spec/tables/gradient_modes.py` that passes a gradient on has one transfer here, registered under its name. The row
says where the upstream gradient goes on, the transfer what becomes of it on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Mode
from dlspec.spec.tables.gradient_modes import GRADIENT_MODES

from ..registry import Registry
from .elementwise import as_number
from .lowering import Lowering

Transfer = Callable[[Any, Any], Any]
"""From an upstream gradient (a real tensor of any shape) and the mode's number, of Python or a tensor [], None where the mode takes none, to
the gradient that is passed on, of the same shape and dtype."""
TRANSFERS: Registry[Transfer] = Registry("gradient mode", "transfer")
"""As a decorator: `@TRANSFERS("name")`."""


@TRANSFERS("exact")
@TRANSFERS("freeze")
@TRANSFERS("forward_only")
@TRANSFERS("surrogate")
def unchanged(upstream: Any, _: Any) -> Any:
    """The upstream gradient as it is (along the carrier: equation 5 of arXiv:1703.07950)."""
    return upstream


@TRANSFERS("scale")
def scaled(upstream: Any, factor: Any) -> Any:
    """The upstream gradient times a number."""
    return upstream * as_number(factor, upstream.dtype)


@TRANSFERS("clip")
def clipped(upstream: Any, limit: Any) -> Any:
    """Each entry of the upstream gradient, kept within ± a number; an undefined one stays undefined."""
    assert limit is not None
    limit = tf.cast(limit, upstream.dtype) if tf.is_tensor(limit) else limit
    return tf.clip_by_value(upstream, -limit, limit)


def with_backward_mode(mode: Mode, value: Any, context: Lowering, carrier: Any = None) -> Any:
    """The value forwards; backwards, what the mode makes of the upstream gradient.

    Args:
        mode: The gradient mode, with its number.
        value: What a function, network or layer gives: a real tensor.
        context: Where it stands, which has the step that the number may change with.
        carrier: What the upstream gradient goes on to in the place of `value`, of the same shape. Modes whose route is
            `body` or `nowhere` ignore it; None where a function has no argument that depends on weights.

    Returns:
        A tensor equal to `value` to the bit.
    """
    row = GRADIENT_MODES[mode.name]
    if row.route == "nowhere":
        return tf.stop_gradient(value)
    transfer = TRANSFERS[mode.name]
    if row.route == "body":
        return value if transfer is unchanged else _transferred(transfer, _number(mode, context), value)
    return value if carrier is None else _redirected(transfer, _number(mode, context), value, carrier)


def _number(mode: Mode, context: Lowering) -> Any:
    """A mode's number, of Python or a tensor []; None where it takes none."""
    return context.outermost()(mode.value).tensor if isinstance(mode.value, t.Term) else mode.value


def _transferred(transfer: Transfer, constant: Any, value: Any) -> Any:
    """The value; its upstream gradient goes through a transfer."""

    @tf.custom_gradient
    def same(x: Any) -> Any:
        return tf.identity(x), lambda upstream: transfer(upstream, constant)

    return same(value)


def _redirected(transfer: Transfer, constant: Any, value: Any, carrier: Any) -> Any:
    """The value; its upstream gradient goes through a transfer to the carrier, and none to the value."""

    @tf.custom_gradient
    def same(to: Any, x: Any) -> Any:
        return tf.identity(x), lambda upstream: (transfer(upstream, constant), None)

    return same(carrier, value)
