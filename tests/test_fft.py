"""Fourier transforms: NumPy's numbers, real gradients of real arrays, every length, axis and norm."""

from typing import Any

import numpy as np
import pytest

from autograd_core import Value, check_gradients, grad, hessian, jvp, vjp

RNG = np.random.default_rng(8)
X = RNG.standard_normal((4, 5))
NORMS = [None, "backward", "ortho", "forward"]
OF_ONE_AXIS = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
OF_SEVERAL = ["fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"]


def power(z: Any) -> Any:
    """A real number for each complex one that depends on both of its parts."""
    return np.abs(z + 0.5) ** 2 + np.real(z) * np.imag(z)


def check(function: Any, x: np.ndarray[Any, Any]) -> None:
    """Values, and both modes as adjoints, of real and complex arguments; gradients of order 1 against differences."""
    np.testing.assert_array_equal(function(Value(x)).data, function(x))
    assert function(Value(x)).dtype == function(x).dtype
    check_gradients(lambda x: power(function(x)), x)
    t = RNG.standard_normal(x.shape)
    value, tangent = jvp(lambda x: power(function(x)), (x,), (t,))
    _, pullback = vjp(lambda x: power(function(x)), x)
    g = RNG.standard_normal(value.shape)
    (found,) = pullback(g)
    assert found.dtype == x.dtype
    np.testing.assert_allclose(np.sum(found * t), np.sum(g * tangent), rtol=1e-10)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 3, 7, 8])
@pytest.mark.parametrize("name", OF_ONE_AXIS)
def test_transforms_of_one_axis(name: str, n: int | None, norm: str | None) -> None:
    function = getattr(np.fft, name)
    check(lambda x: function(x, n, 0, norm), X)
    if name not in ("rfft", "ihfft"):
        y = RNG.standard_normal(X.shape)
        check_gradients(lambda a, b: power(function(a + 1j * b, n, norm=norm)), X, y)


@pytest.mark.parametrize(("s", "axes"), [(None, (0, 1)), ((3, 6), (0, 1)), ((6, 3), (1, 0)), ((3, -1), (-1, 0))])
@pytest.mark.parametrize("name", OF_SEVERAL)
def test_transforms_of_several_axes(name: str, s: Any, axes: Any) -> None:
    function = getattr(np.fft, name)
    check(lambda x: function(x, s=s, axes=axes, norm="ortho"), X)
    np.testing.assert_array_equal(function(Value(X)).data, function(X))


@pytest.mark.parametrize("axes", [None, 0, -1, (0, 1), (1,)])
def test_shifts(axes: Any) -> None:
    for function in (np.fft.fftshift, np.fft.ifftshift):
        np.testing.assert_array_equal(function(Value(X), axes).data, function(X, axes))
    np.testing.assert_array_equal(np.fft.ifftshift(np.fft.fftshift(Value(X), axes), axes).data, X)
    check_gradients(lambda x: np.fft.fftshift(x, axes) * np.fft.ifftshift(x) ** 2, X)


def test_parsevals_theorem_has_exact_derivatives() -> None:
    """Σ|F x|² = n Σ x²: the gradient is 2 n x, the Hessian 2 n I, both real."""
    x = RNG.standard_normal(6)
    energy = lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2)
    gradient = grad(energy)(x)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, 12 * x)
    np.testing.assert_allclose(hessian(energy)(x), 12 * np.eye(6), atol=1e-12)
    np.testing.assert_allclose(jvp(grad(energy), (x,), (np.ones(6),))[1], np.full(6, 12.0))
    halved = lambda x: np.sum(np.array([1, 2, 2, 1]) * np.abs(np.fft.rfft(x)) ** 2)
    np.testing.assert_allclose(hessian(halved)(x), 12 * np.eye(6), atol=1e-12)


@pytest.mark.parametrize("n", [5, 6])
def test_the_way_there_and_back_is_the_identity(n: int) -> None:
    x = RNG.standard_normal(n)
    for there_and_back in (
        lambda x: np.real(np.fft.ifft(np.fft.fft(x))),
        lambda x: np.fft.irfft(np.fft.rfft(x), n),
        lambda x: np.fft.hfft(np.fft.ihfft(x), n),
    ):
        g = RNG.standard_normal(n)
        np.testing.assert_allclose(grad(lambda x, f=there_and_back, g=g: np.sum(g * f(x)))(x), g, atol=1e-14)
        np.testing.assert_allclose(jvp(there_and_back, (x,), (g,))[1], g, atol=1e-14)


def test_a_convolution_by_transforms() -> None:
    x, y = RNG.standard_normal(5), RNG.standard_normal(3)
    by_transforms = lambda x, y: np.fft.irfft(np.fft.rfft(x, 8) * np.fft.rfft(y, 8), 8)[:7]
    for k in range(2):
        expected, found = (grad(lambda *xy, f=f: np.sum(np.sin(f(*xy))), k)(x, y) for f in (np.convolve, by_transforms))
        np.testing.assert_allclose(found, expected, atol=1e-14)


def test_dtypes_and_errors() -> None:
    x = Value(X.astype(np.float32))
    out = np.fft.rfft(x)
    assert out.dtype == np.complex64
    np.abs(out).sum().backward()
    assert x.grad.dtype == np.float32
    with pytest.raises(TypeError, match="rfft"):
        np.fft.rfft(Value(X + 1j))
    with pytest.raises(ValueError, match="data points"):
        np.fft.fft(x, n=0)
    with pytest.raises(ValueError, match="as many lengths"):
        np.fft.fftn(x, s=(2, 3), axes=(0,))
