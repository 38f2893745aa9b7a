"""Recompute instead of store: a function whose intermediates are not kept for the way back.

Griewank and Walther, *Algorithm 799: revolve*, ACM TOMS 26, 2000; Chen et al., *Training deep nets with sublinear
memory cost*, 2016.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .apply import record
from .data import dtype_of, is_foreign
from .exact import Mask, added, pull_back_masked, renewed
from .graph import ancestors
from .op import Op
from .ops.several import picked
from .recording import always_recording, thread
from .trees import flatten
from .value import Value, leaf, plain


def checkpoint(fun: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which keeps nothing of its graph: on the way back, gx = Jᵀ g, it is computed again.

    It trades time for memory: a chain of n equal stages, each checkpointed, stores n results instead of all that is
    computed within them. The function must return the same when it is called again. Values that it closes over get
    their gradients, too.

    Arguments, results, shapes and errors are those of the function; the arguments and results may be containers. There
    is a RuntimeError on the way back if it then gives other results, as it does if it draws random numbers.

    Griewank and Walther, *Algorithm 799: revolve*, ACM TOMS 26, 2000.

    >>> from autograd_core import grad
    >>> grad(checkpoint(lambda x: np.sin(np.cos(x))))(0.0)
    -0.0
    """

    @functools.wraps(fun, updated=())
    def recomputed(*args: Any, **settings: Any) -> Any:
        if thread.pauses:
            return fun(*args, **settings)
        leaves, rebuild = flatten(list(args))
        variables = [leaf(x._held) if type(x) is Value else x for x in leaves]
        own = frozenset(v for v in variables if type(v) is Value)
        since = thread.since
        thread.since = since or min((v.stamp for v in own), default=0)
        try:
            results, pack = flatten(fun(*rebuild(variables), **settings))
        finally:
            thread.since = since
        outer = outside(results, own)
        inputs = (*leaves, *outer)
        if not any(type(y) is Value for y in results) or not any(type(x) is Value for x in inputs):
            return pack([plain(y) for y in results])

        def within(g: Any, live: Mask, out: Any, *given: Any) -> list[Any]:
            with always_recording():
                again = [renewed(x) if type(old) is Value else x for x, old in zip(given, leaves, strict=False)]
                computed, _ = flatten(fun(*rebuild(again), **settings))
            check_same(out if isinstance(out, tuple) else (out,), computed, fun)
            wanted = [*again, *outer]
            ends = frozenset([x for x in wanted if type(x) is Value])
            gradients = g if isinstance(g, list) else [g]
            recorded = any(type(x) is Value for x in (*given, *gradients))
            sums: list[Any] = [None] * len(wanted)
            for y, part in zip(computed, gradients, strict=True):
                if type(y) is not Value or part is None:
                    continue
                found = pull_back_masked({y: part}, live=live, record=recorded, ends=ends)
                for k, x in enumerate(wanted):
                    if type(x) is Value and x in found:
                        sums[k] = found[x] if sums[k] is None else added(sums[k], found[x])
            return sums

        def joint(g: Any, out: Any, *given: Any) -> list[Any]:
            return [part if part is None else part[0] for part in within(g, None, out, *given)]

        op = Op("checkpoint", "primitive", fun, (None,) * len(inputs), joint=joint, within=within, registered=False)
        if len(results) == 1:
            return pack([record(op, plain(results[0]), inputs)])
        return pack(list(picked(record(op, tuple(map(plain, results)), inputs))))

    return recomputed


def check_same(before: tuple[Any, ...], computed: list[Any], fun: Any) -> None:
    """The results are those of the first time, but for roundings."""
    for a, b in zip(map(plain, before), map(plain, computed), strict=True):
        if is_foreign(a) or is_foreign(b):
            continue
        near = np.sqrt(np.finfo(dtype_of(a)).eps) if dtype_of(a).kind in "fc" else 0.0
        near = near * np.max(np.abs(a), where=np.isfinite(a), initial=0.0)
        if not np.allclose(a, b, rtol=0.0, atol=near, equal_nan=True):
            raise RuntimeError(
                f"checkpoint: {getattr(fun, '__name__', 'the function')} gave other results when it was computed again "
                "for the way back, so its gradient would be wrong. It must do the same whenever it is called: draw "
                "random numbers, also those of a Dropout, outside of it"
            )


def outside(results: list[Any], variables: frozenset[Value]) -> list[Value]:
    """The leaves, beside its variables, that the results of a function depend on."""
    return [x for x in ancestors(results) if x.op is None and x not in variables]
