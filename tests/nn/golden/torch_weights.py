"""Makes `torch_weights.safetensors` and `.json` with torch 2.13.0, or checks that PyTorch reads what we write.

python tests/nn/golden/torch_weights.py             # with torch and safetensors
python tests/nn/golden/torch_weights.py check       # with this project as well
"""

import json
import sys
import tempfile
from pathlib import Path

import safetensors.torch
import torch

HERE = Path(__file__).parent


def model():
    """A network with all kinds of layers that hold weights."""
    return torch.nn.Sequential(
        torch.nn.Linear(3, 5),
        torch.nn.BatchNorm1d(5),
        torch.nn.Tanh(),
        torch.nn.Sequential(torch.nn.Linear(5, 4, bias=False), torch.nn.Sigmoid()),
        torch.nn.Linear(4, 2),
    ).double()


def make():
    """Train a little, so that no number is what it began as; write the weights, an input and its output."""
    torch.manual_seed(0)
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    for _ in range(5):
        x = torch.randn(16, 3, dtype=torch.float64)
        optimizer.zero_grad()
        (net(x) ** 2).mean().backward()
        optimizer.step()
    safetensors.torch.save_file(net.state_dict(), HERE / "torch_weights.safetensors")
    x = torch.randn(4, 3, dtype=torch.float64)
    out = net.eval()(x)
    found = {"torch": torch.__version__, "x": x.tolist(), "out": out.tolist()}
    (HERE / "torch_weights.json").write_text(json.dumps(found) + "\n")


def check():
    """Weights made here, read by PyTorch: the outputs are the same."""
    import numpy as np

    import nn

    rng = np.random.default_rng(0)
    ours = nn.Sequential(
        nn.Linear(3, 5, rng=rng),
        nn.BatchNorm1d(5),
        nn.Tanh(),
        nn.Sequential(nn.Linear(5, 4, bias=False, rng=rng), nn.Sigmoid()),
        nn.Linear(4, 2, bias="folded", rng=rng),
    )
    for p in ours.parameters():
        p.data = rng.normal(size=p.shape)
    ours(rng.normal(size=(9, 3)))  # the running averages move
    ours.eval()
    x = rng.normal(size=(7, 3))
    with tempfile.TemporaryDirectory() as folder:
        nn.save_torch(ours, Path(folder) / "ours")
        theirs = model()
        theirs.load_state_dict(safetensors.torch.load_file(Path(folder) / "ours"), strict=True)
    difference = np.abs(theirs.eval()(torch.from_numpy(x)).detach().numpy() - ours(x).data).max()
    print(f"the outputs differ by {difference:.1e}")
    assert difference <= 1e-12


if __name__ == "__main__":
    check() if sys.argv[1:] == ["check"] else make()
