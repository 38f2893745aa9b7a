"""Random programs (see `fuzz.py`), compiled: the same numbers as without, for values and gradients."""

import sys
import traceback
import warnings
from typing import Any

import fuzz
import numpy as np

from autograd_core import Value, grad
from autograd_core import stop_gradient as plain_data
from autograd_core.compiler import jit


def run(seed: int, backend: str | None) -> None:
    """Compare the program of a seed, and its gradient, eager and compiled, at two points of the same shapes."""
    program = fuzz.make(seed)
    point = list(program.variables.values())
    function = program.function()
    rng = np.random.default_rng([seed, 2])
    near = [fuzz.like(x, x * 0.97 + 0.01 * rng.standard_normal(np.shape(x))) for x in point]

    def total(*variables: Any) -> Any:
        return sum(np.sum(y) for y in function(*variables))

    gradient = grad(total, range(len(point)))
    eps = max(float(np.finfo(np.asarray(x).dtype).eps) for x in point)  # a result may have gone through the coarsest
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        for plain in (function, gradient):
            compiled = jit(plain, backend=backend)
            for at in (point, near):
                try:
                    wanted = gradient(*at) if plain is gradient else map(plain_data, function(*map(Value, at)))
                    found = compiled(*at)
                    for a, b in zip(wanted, found, strict=True):
                        alike(a, b, eps)
                except Exception as error:
                    what = "gradient" if plain is gradient else "value"
                    raise AssertionError(f"seed {seed}, {what}: {error}\n\n{program.source()}") from error


def alike(a: Any, b: Any, eps: float) -> None:
    """The same type, dtype and shape, and the same numbers to some roundings."""
    assert np.shape(a) == np.shape(b), (np.shape(a), np.shape(b))
    weak = type(a) is float  # np.where of numbers, not compiled, takes the branch as it is: a Python float
    assert weak or np.asarray(a).dtype == np.asarray(b).dtype, (np.asarray(a).dtype, np.asarray(b).dtype)
    scale = float(np.max(np.abs(np.nan_to_num(a)), initial=1.0))
    np.testing.assert_allclose(b, a, rtol=2e4 * eps, atol=2e4 * eps * scale)


if __name__ == "__main__":
    count, first, backend = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    failures = 0
    for seed in range(first, first + count):
        try:
            run(seed, backend)
        except Exception as error:
            failures += 1
            print(str(error)[:1500] if "-v" in sys.argv else f"{seed}: {str(error).splitlines()[0][:200]}")
            if "-t" in sys.argv:
                traceback.print_exception(error.__cause__)
    print(f"{count} programs, {failures} disagreements")
    sys.exit(failures > 0)
