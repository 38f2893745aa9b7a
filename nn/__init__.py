"""Small neural networks on `autograd_core`: layers, losses, optimizers and a training loop.

>>> import numpy as np
>>> model = MLP([2, 3, 1], activation="tanh", output="identity", rng=0)
>>> optimizer = SGD(model.parameters(), lr=0.1)
>>> x, y = np.ones((4, 2)), np.zeros((4, 1))
>>> history = fit(model, x, y, optimizer=optimizer, epochs=3, rng=0, progress=False)
>>> history.loss[0] > history.loss[-1]
True
"""

from typing import TYPE_CHECKING

from .activations import ELU, GELU, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .adaptive import Adam, AdamW, RMSprop
from .binary import binary_cross_entropy, binary_cross_entropy_with_logits
from .callbacks import Callback, EarlyStopping
from .clip import clip_grad_norm, clip_grad_value
from .cycle import OneCycleLR
from .data import Standardize, batches, one_hot, split
from .datasets import load_dataset, load_mnist, read_idx
from .dropout import Dropout
from .full_batch import minimize_loss
from .history import History
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
from .layers import MLP, Flatten, Linear, Residual, Sequential
from .losses import cross_entropy, half_mse_loss, huber_loss, l1_loss, mse_loss, nll_loss
from .metrics import accuracy
from .module import Module
from .normalization import BatchNorm1d
from .optim import Optimizer
from .penalties import l1_penalty, l2_penalty
from .plateau import ReduceLROnPlateau
from .plots import plot_confusion_matrix, plot_decision_boundary
from .schedules import CosineAnnealingLR, LinearLR, Schedule, SequentialLR, StepLR
from .sgd import SGD
from .teach import explain_training_step
from .torch_weights import load_torch, save_torch
from .train import evaluate, fit

if not TYPE_CHECKING:  # which would believe that there is everything
    from .elsewhere import missing as __getattr__  # noqa: F401

__all__ = [
    "ELU",
    "GELU",
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "BatchNorm1d",
    "Callback",
    "CosineAnnealingLR",
    "Dropout",
    "EarlyStopping",
    "Flatten",
    "History",
    "Identity",
    "LeakyReLU",
    "Linear",
    "LinearLR",
    "Module",
    "OneCycleLR",
    "Optimizer",
    "RMSprop",
    "ReLU",
    "ReduceLROnPlateau",
    "Residual",
    "Schedule",
    "Sequential",
    "SequentialLR",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Standardize",
    "StepLR",
    "Tanh",
    "accuracy",
    "batches",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "clip_grad_norm",
    "clip_grad_value",
    "cross_entropy",
    "evaluate",
    "explain_training_step",
    "fit",
    "glorot_normal",
    "glorot_uniform",
    "half_mse_loss",
    "he_normal",
    "he_uniform",
    "huber_loss",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "lecun_normal",
    "lecun_uniform",
    "load",
    "load_dataset",
    "load_mnist",
    "load_torch",
    "minimize_loss",
    "mse_loss",
    "nll_loss",
    "normal",
    "one_hot",
    "plot_confusion_matrix",
    "plot_decision_boundary",
    "read_idx",
    "save",
    "save_torch",
    "split",
    "uniform",
    "zeros",
]
