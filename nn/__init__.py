"""Small neural networks on `autograd_core`: layers, losses, optimizers and a training loop.

>>> import numpy as np
>>> model = MLP([2, 3, 1], activation="tanh", output="identity", rng=0)
>>> optimizer = SGD(model.parameters(), lr=0.1)
>>> x, y = np.ones((4, 2)), np.zeros((4, 1))
>>> history = fit(model, x, y, optimizer=optimizer, epochs=3, rng=0, progress=False)
>>> history.loss[0] > history.loss[-1]
True
"""

from .activations import Identity, ReLU, Sigmoid, Softmax, Softplus, Tanh
from .data import Standardize, batches, one_hot, split
from .datasets import load_dataset, load_mnist, read_idx
from .init import (
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    normal,
    uniform,
    zeros,
)
from .io import load, save
from .layers import MLP, Linear, Sequential
from .losses import cross_entropy, half_mse_loss, mse_loss
from .metrics import accuracy
from .module import Module
from .optim import SGD, Optimizer
from .train import History, evaluate, fit

__all__ = [
    "MLP",
    "SGD",
    "History",
    "Identity",
    "Linear",
    "Module",
    "Optimizer",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Standardize",
    "Tanh",
    "accuracy",
    "batches",
    "cross_entropy",
    "evaluate",
    "fit",
    "glorot_normal",
    "glorot_uniform",
    "half_mse_loss",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "load",
    "load_dataset",
    "load_mnist",
    "mse_loss",
    "normal",
    "one_hot",
    "read_idx",
    "save",
    "split",
    "uniform",
    "zeros",
]
