"""Damaged and hostile model files: `python tests/fuzz_files.py 10000 [seed]`.

Three ways to spoil a file: bytes at random; the header of the format, with a length that is right; the architecture and
the arrays, with a checksum that is right. What `load` makes of it is a ValueError or a model. In the first two the
checksum stands guard, so a model that is loaded is the one that was saved.
"""

import copy
import faulthandler
import json
import struct
import sys
import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

import nn
from nn.io import digest

SECONDS, MEGABYTES = 60, 64
NASTY = [
    None,
    True,
    -1,
    0,
    1,
    1e308,
    float("nan"),
    10**400,
    2**63,
    "",
    "Linear",
    "os.system",
    "__class__",
    "same",
    [],
    {},
]
SHAPES = [[], [0], [1], [2**40, 2**40], [2**62], [1] * 70, [-1], [3, 2, 1], [10**9, 1]]


def model():
    """One with everything that a file can say."""
    rng = np.random.default_rng(0)
    shared = nn.Linear(3, 3, rng=rng)
    frozen = nn.Linear(3, 2, bias=False, rng=rng)
    frozen.weight = frozen.weight.data
    standardize = nn.Standardize(rng.normal(size=(5, 4)))
    layers = [getattr(nn, name)() for name in ("LeakyReLU", "ELU", "GELU", "Dropout", "ReLU", "Flatten")]
    inner = nn.Residual(nn.BatchNorm1d(3), shared, *layers)
    return nn.Sequential(standardize, nn.MLP([4, 3], activation="tanh", rng=rng), shared, inner, shared, frozen).eval()


def spoil_bytes(rng, data):
    """Change, insert, remove or cut some; the header, where most of the meaning is, twice as often."""
    data = bytearray(data)
    end = len(data) if rng.integers(2) else 8 + struct.unpack("<Q", data[:8])[0]
    for _ in range(rng.integers(1, 5)):
        k, kind = int(rng.integers(end)), rng.integers(5)
        if kind == 0:
            data[k : k + 1] = rng.bytes(1)
        elif kind == 1:
            data[k:k] = rng.bytes(int(rng.integers(1, 9)))
        elif kind == 2:
            del data[k : k + int(rng.integers(1, 9))]
        elif kind == 3:
            del data[k:]
        else:
            data[k : k + 1] = bytes([data[k % len(data)] ^ (1 << int(rng.integers(8)))]) if data else b""
        end = max(1, min(end, len(data)))
    return bytes(data)


def any_node(rng, tree):
    """A container somewhere in a tree of JSON that is not empty, or None."""
    nodes, pending = [], [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, (dict, list)) and node:
            nodes.append(node)
            pending += node.values() if isinstance(node, dict) else node
    return nodes[rng.integers(len(nodes))] if nodes else None


def spoil_tree(rng, tree, pool):
    """Replace, remove, copy or wrap a member somewhere, in place."""
    node = any_node(rng, tree)
    if node is None:
        return
    keys = list(node) if isinstance(node, dict) else range(len(node))
    key, other = keys[rng.integers(len(keys))], any_node(rng, tree)
    kind = rng.integers(6)
    if kind <= 1:
        node[key] = copy.deepcopy(pool[rng.integers(len(pool))])
    elif kind == 2:
        del node[key]
    elif kind == 3:
        node[key] = copy.deepcopy(other)
    elif kind == 4 and isinstance(node, dict):
        node[str(pool[rng.integers(len(pool))])] = node[key]
    else:
        for _ in range(rng.choice([1, 3, 70])):
            node[key] = {"class": "Sequential", "settings": {}, "arrays": {}, "parts": [node[key]]}


def spoil_header(rng, data):
    """Another header, in front of the same numbers."""
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + n])
    for _ in range(rng.integers(1, 3)):
        spoil_tree(rng, header, [*NASTY, *SHAPES, "BF16", "I64", "F32", [0, 2**63]])
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + n :]


def spoil_model(rng, data):
    """Another architecture, or other arrays, with the checksum that they ought to have."""
    tensors = safetensors.numpy.load(data)
    n = struct.unpack("<Q", data[:8])[0]
    metadata = json.loads(data[8 : 8 + n])["__metadata__"]
    tree = json.loads(metadata["architecture"])
    for _ in range(rng.integers(0, 4)):
        spoil_tree(rng, tree, NASTY)
    for _ in range(rng.integers(0, 3)):
        name = str(rng.choice(sorted(tensors))) if tensors else "x"
        array = tensors.pop(name, np.ones(1))
        kind = rng.integers(4)
        if kind == 0:
            tensors[name + "x"] = array
        elif kind == 1:
            tensors[name] = array.astype(rng.choice(["f4", "i8", "u1", "?", "f2", "c8"]))
        elif kind == 2:
            tensors[name] = array[..., None] if rng.integers(2) else array.ravel()[: rng.integers(3)]
    text = json.dumps(tree)
    return safetensors.numpy.save(tensors, {"nn": "1", "architecture": text, "sha256": digest(text, tensors)})


def same(a, b):
    """Whether two models are the same, to the last bit."""
    one, two = a.state_dict(), b.state_dict()
    return repr(a) == repr(b) and one.keys() == two.keys() and all(one[k].tobytes() == two[k].tobytes() for k in one)


def loaded(path):
    """The model in a file, or None if it is refused by an error that names the file."""
    try:
        found = nn.load(path)
    except ValueError as error:
        if str(path) not in str(error):
            raise
        return None
    assert isinstance(found, nn.Module)
    return found


def fuzz(folder, count, seed):
    """How often each way ended how. Anything but a ValueError or a sound model ends the run."""
    path = Path(folder) / "model.safetensors"
    nn.save(original := model(), path)
    good, rng, ends = path.read_bytes(), np.random.default_rng(seed), Counter()
    assert same(nn.load(path), original)
    tracemalloc.start()
    for k in range(count):
        spoil = (spoil_bytes, spoil_header, spoil_model)[k % 3]
        path.write_bytes(data := spoil(rng, good))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        faulthandler.dump_traceback_later(SECONDS, exit=True)  # where it hangs, if it does
        found = loaded(path)
        faulthandler.cancel_dump_traceback_later()
        assert found is None or spoil is spoil_model or same(found, original), data
        ends[spoil.__name__, "refused" if found is None else "loaded"] += 1
        assert tracemalloc.get_traced_memory()[1] - before < MEGABYTES * 1e6
        assert path.read_bytes() == data
        assert list(Path(folder).iterdir()) == [path]
    tracemalloc.stop()
    return ends


if __name__ == "__main__":
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        for (spoil, end), times in sorted(fuzz(folder, count, seed).items()):
            print(f"{spoil:>12}: {times:6,} {end}")
    print(f"{count:,} files, seed {seed}: no crash, no write, less than {MEGABYTES} MB at a time")
