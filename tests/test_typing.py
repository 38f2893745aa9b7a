"""A type checker accepts what users write."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import numpy as np
from autograd_core import Value, grad, sigmoid, value_and_grad
from nn import MLP, SGD, mse_loss

v = Value(1.0) + 2
w = 2 * v - np.ones(3) @ Value(np.ones(3))
x = Value([1.0, 2.0], name="x")
loss = (x @ x).sum() + np.exp(w) + sigmoid(x)[..., 0].mean()
loss.backward()
slope = grad(lambda t: t**2)(3.0)
value, gradient = value_and_grad(lambda t: t**2)(3.0)
model = MLP([2, 3, 1], rng=0)
optimizer = SGD(model.parameters(), lr=0.1)
mse_loss(model(np.ones((4, 2))), np.zeros((4, 1))).backward()
optimizer.step()
"""


def test_user_code_passes_the_type_checker(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(program)]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout
    subprocess.run([sys.executable, str(program)], cwd=root, check=True, timeout=60)
