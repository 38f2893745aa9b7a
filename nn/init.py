"""Initial weights: random arrays whose scale keeps signals alive through many layers.

For z = x @ w with w of shape (n_in, n_out) and independent entries of variance s², Var z = n_in s² Var x on the way
forward, and the gradient's variance grows by n_out s² on the way back. The initialisers differ in which of the two
they hold near 1, and for which activation:

=======  ===================  ========================================================================================
LeCun    s² = 1 / n_in        forward. LeCun, Bottou, Orr, Müller, *Efficient BackProp*, 1998, section 4.6
Glorot   s² = 2 / (in + out)  a compromise between both. Glorot, Bengio, *Understanding the difficulty of training deep
                              feedforward neural networks*, AISTATS 2010, equations 12 and 16
He       s² = 2 / n_in        forward through ReLU, which lets half of the signal through. He, Zhang, Ren, Sun, *Delving
                              Deep into Rectifiers*, ICCV 2015, equation 10
=======  ===================  ========================================================================================

Each comes with normal and with uniform entries; U(-a, a) has the variance a² / 3, so a = s √3.
"""

import math

import numpy as np

from .aliases import Array, Seed

Shape = tuple[int, ...]


def uniform(shape: Shape, rng: Seed = None, *, low: float = -1.0, high: float = 1.0) -> Array:
    """Independent entries from U(low, high)."""
    return np.random.default_rng(rng).uniform(low, high, shape)


def normal(shape: Shape, rng: Seed = None, *, mean: float = 0.0, std: float = 1.0) -> Array:
    """Independent entries from N(mean, std²)."""
    return np.random.default_rng(rng).normal(mean, std, shape)


def zeros(shape: Shape, rng: Seed = None) -> Array:
    """All zeros, for biases: weights that start equal would stay equal. `rng` is not used."""
    return np.zeros(shape)


def lecun_uniform(shape: Shape, rng: Seed = None) -> Array:
    """U(-a, a) with a = √(3 / n_in)."""
    n_in, _ = fans(shape)
    return symmetric(shape, rng, math.sqrt(3 / n_in))


def lecun_normal(shape: Shape, rng: Seed = None) -> Array:
    """N(0, s²) with s = √(1 / n_in)."""
    n_in, _ = fans(shape)
    return normal(shape, rng, std=math.sqrt(1 / n_in))


def glorot_uniform(shape: Shape, rng: Seed = None) -> Array:
    """U(-a, a) with a = √(6 / (n_in + n_out)).

    >>> w = glorot_uniform((3, 3), rng=0)
    >>> w.shape, bool(abs(w).max() <= 1.0)
    ((3, 3), True)
    """
    return symmetric(shape, rng, math.sqrt(6 / sum(fans(shape))))


def glorot_normal(shape: Shape, rng: Seed = None) -> Array:
    """N(0, s²) with s = √(2 / (n_in + n_out))."""
    return normal(shape, rng, std=math.sqrt(2 / sum(fans(shape))))


def he_uniform(shape: Shape, rng: Seed = None) -> Array:
    """U(-a, a) with a = √(6 / n_in)."""
    n_in, _ = fans(shape)
    return symmetric(shape, rng, math.sqrt(6 / n_in))


def he_normal(shape: Shape, rng: Seed = None) -> Array:
    """N(0, s²) with s = √(2 / n_in)."""
    n_in, _ = fans(shape)
    return normal(shape, rng, std=math.sqrt(2 / n_in))


def symmetric(shape: Shape, rng: Seed, a: float) -> Array:
    """U(-a, a)."""
    return uniform(shape, rng, low=-a, high=a)


def fans(shape: Shape) -> tuple[int, int]:
    """How many inputs an output has and how many outputs an input has, from the shape of the weight."""
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"the scale follows from a weight's shape (n_in, n_out), and {tuple(shape)} is none")
    return shape[0], shape[1]
