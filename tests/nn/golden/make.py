"""Write the golden numbers of this folder with PyTorch: `python tests/nn/golden/make.py`, with torch==2.13.0.

Each file holds cases: what to call and with what, in PyTorch's names, and what PyTorch gave, in float64. The tests call
this project's functions of the same names.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

HERE = Path(__file__).parent
RNG = np.random.default_rng(20)
STEPS = 10

assert torch.__version__.startswith("2.13.0"), f"made with torch 2.13.0, not {torch.__version__}"
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def array(*shape: int) -> list[Any]:
    return RNG.normal(size=shape).round(3).tolist()


# Optimizers -----------------------------------------------------------------------------------------------------------

DATA = {"x": array(6, 2), "y": array(6, 1), "start": [array(2, 3), array(3), array(3, 1), array(1)]}
"""A network 2-3-1 with tanh: its parameters are w¹, b¹, w², b²."""

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"name": "SGD", "settings": {"lr": 0.1}},
    "sgd momentum": {"name": "SGD", "settings": {"lr": 0.1, "momentum": 0.9}},
    "sgd nesterov": {"name": "SGD", "settings": {"lr": 0.1, "momentum": 0.9, "nesterov": True}},
    "sgd decay": {"name": "SGD", "settings": {"lr": 0.1, "weight_decay": 0.3}},
    "sgd all": {"name": "SGD", "settings": {"lr": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.3}},
    "adam": {"name": "Adam", "settings": {"lr": 0.1}},
    "adam settings": {"name": "Adam", "settings": {"lr": 0.05, "betas": [0.7, 0.9], "eps": 0.01}},
    "adam decay": {"name": "Adam", "settings": {"lr": 0.1, "weight_decay": 0.3}},
    "adamw": {"name": "AdamW", "settings": {"lr": 0.1}},
    "adamw settings": {"name": "AdamW", "settings": {"lr": 0.1, "betas": [0.8, 0.95], "weight_decay": 0.5}},
    "rmsprop": {"name": "RMSprop", "settings": {"lr": 0.02}},
    "rmsprop momentum": {"name": "RMSprop", "settings": {"lr": 0.02, "momentum": 0.8, "alpha": 0.9}},
    "rmsprop centered": {"name": "RMSprop", "settings": {"lr": 0.02, "centered": True}},
    "rmsprop all": {
        "name": "RMSprop",
        "settings": {
            "lr": 0.02, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1, "momentum": 0.5, "centered": True,
        },
    },
    "sgd groups": {
        "name": "SGD", "settings": {"lr": 0.1, "momentum": 0.9},
        "groups": [{"params": [0, 2], "weight_decay": 0.3}, {"params": [1, 3], "lr": 0.05, "momentum": 0.5}],
    },
    "adam groups": {
        "name": "Adam", "settings": {"lr": 0.1},
        "groups": [{"params": [2], "betas": [0.5, 0.9]}, {"params": [0, 1, 3], "weight_decay": 0.1, "eps": 0.1}],
    },
    "sgd without some gradients": {"name": "SGD", "settings": {"lr": 0.1, "momentum": 0.9}, "idle": {"1": [0, 1, 4]}},
    "adam without some gradients": {"name": "Adam", "settings": {"lr": 0.1}, "idle": {"0": [3], "3": [0, 1, 2, 8]}},
    "sgd clip norm": {"name": "SGD", "settings": {"lr": 0.1}, "clip_grad_norm": {"max_norm": 0.5}},
    "sgd clip largest": {
        "name": "SGD", "settings": {"lr": 0.1}, "clip_grad_norm": {"max_norm": 0.1, "norm_type": float("inf")},
    },
    "adam clip value": {"name": "Adam", "settings": {"lr": 0.1}, "clip_grad_value": {"clip_value": 0.05}},
    "sgd accumulated": {"name": "SGD", "settings": {"lr": 0.1, "momentum": 0.9}, "parts": 3},
}  # fmt: skip


def trajectory(case: dict[str, Any]) -> list[list[float]]:
    """All parameters as one list, after each step."""
    x, y = torch.tensor(DATA["x"]), torch.tensor(DATA["y"])
    w1, b1, w2, b2 = parameters = [torch.tensor(p, requires_grad=True) for p in DATA["start"]]
    groups = [group | {"params": [parameters[k] for k in group["params"]]} for group in case.get("groups", [])]
    optimizer = getattr(torch.optim, case["name"])(groups or parameters, **case["settings"])
    found = []
    for step in range(STEPS):
        optimizer.zero_grad()
        parts = case.get("parts", 1)
        for x_part, y_part in zip(x.chunk(parts), y.chunk(parts), strict=True):
            (functional.mse_loss(torch.tanh(x_part @ w1 + b1) @ w2 + b2, y_part) / parts).backward()
        for k, idle in case.get("idle", {}).items():
            if step in idle:
                parameters[int(k)].grad = None
        if "clip_grad_norm" in case:
            torch.nn.utils.clip_grad_norm_(parameters, **case["clip_grad_norm"])
        if "clip_grad_value" in case:
            torch.nn.utils.clip_grad_value_(parameters, **case["clip_grad_value"])
        optimizer.step()
        found.append(torch.cat([p.detach().ravel() for p in parameters]).tolist())
    return found


# Schedules ------------------------------------------------------------------------------------------------------------

METRICS = [5.0, 4.0, 4.0, 3.9999, 4.1, float("nan"), 3.0, 3.0, 3.0, 2.999, 2.9, 2.9, 2.95, 2.9, 2.9, 2.9, 2.9, 2.9, 2.9]
SCHEDULES: dict[str, dict[str, Any]] = {
    "step": {"parts": [["StepLR", {"step_size": 3, "gamma": 0.5}]]},
    "cosine": {"parts": [["CosineAnnealingLR", {"T_max": 7}]]},
    "cosine with a floor": {"parts": [["CosineAnnealingLR", {"T_max": 5, "eta_min": 0.01}]]},
    "linear": {"parts": [["LinearLR", {}]]},
    "linear down": {"parts": [["LinearLR", {"start_factor": 1.0, "end_factor": 0.25, "total_iters": 9}]]},
    "warm-up, then cosine": {
        "parts": [["LinearLR", {"start_factor": 0.1, "total_iters": 4}], ["CosineAnnealingLR", {"T_max": 12}]],
        "milestones": [4],
    },
    "three in a row": {
        "parts": [["LinearLR", {"total_iters": 3}], ["StepLR", {"step_size": 2}], ["CosineAnnealingLR", {"T_max": 4}]],
        "milestones": [3, 9],
    },
    "one cycle": {"parts": [["OneCycleLR", {"max_lr": 1.5, "total_steps": 20}]]},
    "one cycle, straight": {
        "parts": [["OneCycleLR", {"max_lr": 2.0, "total_steps": 21, "pct_start": 0.4, "anneal_strategy": "linear"}]],
    },
    "one cycle, all": {
        "parts": [["OneCycleLR", {"max_lr": [1.0, 3.0], "total_steps": 20, "pct_start": 0.25, "base_momentum": 0.5,
                                  "max_momentum": 0.9, "div_factor": 10.0, "final_div_factor": 100.0}]],
    },
    "one cycle of rates only": {
        "parts": [["OneCycleLR", {"max_lr": 1.5, "total_steps": 20, "cycle_momentum": False}]],
    },
    "one cycle of Adam": {"optimizer": "Adam", "parts": [["OneCycleLR", {"max_lr": 0.1, "total_steps": 20}]]},
    "plateau": {"parts": [["ReduceLROnPlateau", {"patience": 1}]], "metrics": METRICS},
    "plateau, absolute": {
        "parts": [["ReduceLROnPlateau", {"patience": 0, "factor": 0.5, "threshold": 0.05, "threshold_mode": "abs",
                                         "min_lr": 0.02}]],
        "metrics": METRICS,
    },
    "plateau, with pauses": {
        "parts": [["ReduceLROnPlateau", {"patience": 1, "factor": 0.3, "cooldown": 2, "threshold": 0.01}]],
        "metrics": METRICS,
    },
    "plateau of what grows": {
        "parts": [["ReduceLROnPlateau", {"mode": "max", "patience": 2, "factor": 0.5, "eps": 0.02}]],
        "metrics": METRICS[::-1],
    },
}  # fmt: skip


def rates(case: dict[str, Any]) -> dict[str, list[Any]]:
    """The rate, and what there is of momentum, of two groups: at the beginning and after each step."""
    tensors = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    groups = [{"params": tensors[:1]}, {"params": tensors[1:], "lr": 0.4}]
    kind = getattr(torch.optim, case.get("optimizer", "SGD"))
    optimizer = kind(groups, lr=0.1, **({} if kind is torch.optim.Adam else {"momentum": 0.6}))
    library = torch.optim.lr_scheduler
    schedules = [getattr(library, name)(optimizer, **settings) for name, settings in case["parts"]]
    if "milestones" in case:
        schedules = [library.SequentialLR(optimizer, schedules, case["milestones"])]
    found: dict[str, list[Any]] = {"lr": [], "momentum": []}
    optimizer.step()  # PyTorch warns where no step of the optimizer went before
    for k in range(20):
        found["lr"].append([group["lr"] for group in optimizer.param_groups])
        found["momentum"].append([group["betas"][0] if "betas" in group else group["momentum"] for group in
                                  optimizer.param_groups])  # fmt: skip
        if k < len(case.get("metrics", METRICS)):
            schedules[0].step(*case.get("metrics", [])[k : k + 1])
    return found


# Layers ---------------------------------------------------------------------------------------------------------------

X = [-30.0, -3.0, -1.0, -0.25, 0.0, 0.125, 1.0, 2.5, 18.0]
ACTIVATIONS: dict[str, dict[str, Any]] = {
    "Sigmoid": {}, "Tanh": {}, "ReLU": {}, "LeakyReLU": {"negative_slope": 0.2}, "ELU": {"alpha": 1.5}, "GELU": {},
    "SiLU": {}, "Softplus": {},
}  # fmt: skip


def activation(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    x = torch.tensor(X, requires_grad=True)
    out = getattr(torch.nn, name)(**settings)(x)
    out.sum().backward()
    return {"name": name, "settings": settings, "x": X, "out": out.tolist(), "grad": x.grad.tolist()}


def batch_norm(settings: dict[str, Any]) -> dict[str, Any]:
    """Three batches in training, and one in use; each with its gradients, for a sum of the outputs with weights."""
    layer = torch.nn.BatchNorm1d(3, **settings)
    weight, bias, passes = array(3), array(3), []
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))
    for n, mode in ((4, True), (2, True), (7, True), (1, False), (5, False)):
        layer.train(mode).zero_grad()
        given, factors = array(n, 3), array(n, 3)
        x = torch.tensor(given, requires_grad=True)
        out = layer(x)
        (out * torch.tensor(factors)).sum().backward()
        passes.append(
            {
                "training": mode, "x": given, "factors": factors, "out": out.tolist(), "x_grad": x.grad.tolist(),
                "weight_grad": layer.weight.grad.tolist(), "bias_grad": layer.bias.grad.tolist(),
                "running_mean": layer.running_mean.tolist(), "running_var": layer.running_var.tolist(),
            }
        )  # fmt: skip
    return {"settings": settings, "weight": weight, "bias": bias, "passes": passes}


# Losses ---------------------------------------------------------------------------------------------------------------

LOGITS, SOFT = array(5, 4), torch.softmax(torch.tensor(array(5, 4)), 1).tolist()
LOG_P = torch.log_softmax(torch.tensor(array(5, 4)), 1).tolist()
LABELS, WEIGHTS = [3, 0, 1, 1, 2], [0.5, 2.0, 1.0, 0.25]
CHANCES = [[0.0, 0.3], [0.999999, 0.999], [0.5, 1.0]]
TARGETS = [[0.0, 0.25], [0.0, 1.0], [1.0, 1.0]]
LOSSES: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("mse_loss", LOGITS, SOFT, {}),
    ("l1_loss", LOGITS, SOFT, {}),
    ("huber_loss", LOGITS, SOFT, {}),
    ("huber_loss", LOGITS, SOFT, {"delta": 0.4}),
    ("binary_cross_entropy", CHANCES, TARGETS, {}),
    ("binary_cross_entropy_with_logits", [[-800.0, 0.3], [40.0, 1.5], [-2.5, 900.0]], TARGETS, {}),
    ("cross_entropy", LOGITS, LABELS, {}),
    ("cross_entropy", LOGITS, LABELS, {"label_smoothing": 0.1}),
    ("cross_entropy", LOGITS, LABELS, {"weight": WEIGHTS}),
    ("cross_entropy", LOGITS, LABELS, {"weight": WEIGHTS, "label_smoothing": 0.3}),
    ("cross_entropy", LOGITS, SOFT, {}),
    ("cross_entropy", LOGITS, SOFT, {"label_smoothing": 0.2}),
    ("nll_loss", LOG_P, LABELS, {}),
    ("nll_loss", LOG_P, LABELS, {"weight": WEIGHTS}),
]


def loss(name: str, prediction: Any, target: Any, settings: dict[str, Any]) -> dict[str, Any]:
    p = torch.tensor(prediction, requires_grad=True)
    tensors = {k: torch.tensor(v) if isinstance(v, list) else v for k, v in settings.items()}
    value = getattr(functional, name)(p, torch.tensor(target), **tensors)
    value.backward()
    return {
        "name": name, "prediction": prediction, "target": target, "settings": settings, "value": value.item(),
        "grad": p.grad.tolist(),
    }  # fmt: skip


def write(name: str, content: Any) -> None:
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(item)}" for key, item in content.items())
    (HERE / f"{name}.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write("optimizers", DATA | {name: case | {"after": trajectory(case)} for name, case in OPTIMIZERS.items()})
    write("schedules", {name: case | rates(case) for name, case in SCHEDULES.items()})
    layers = {name: activation(name, settings) for name, settings in ACTIVATIONS.items()}
    layers["GELU by tanh"] = activation("GELU", {"approximate": "tanh"})
    layers["BatchNorm1d"] = batch_norm({})
    layers["BatchNorm1d settings"] = batch_norm({"eps": 0.1, "momentum": 0.3})
    write("layers", layers)
    write("losses", {f"{k}: {case[0]}": loss(*case) for k, case in enumerate(LOSSES)})
