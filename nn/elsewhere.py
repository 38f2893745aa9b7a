"""What users of PyTorch and Keras look for by another name, and what to write here."""

from typing import Any, NoReturn

DTYPE = "all is on the processor, and a dtype is chosen when a layer is made: Linear(2, 3, dtype=np.float32)"
PARTS = "write for name, part in model.named_modules()"

OF_MODULES = {
    **dict.fromkeys(("to", "cpu", "cuda", "float", "double", "half"), DTYPE),
    **dict.fromkeys(("modules", "children", "named_children", "apply"), PARTS),
    **dict.fromkeys(("buffers", "named_buffers", "get_weights"), "state_dict() has all arrays"),
    **dict.fromkeys(("append", "add"), "the layers of a Sequential are a list: model.layers.append(layer)"),
    "requires_grad_": "a parameter is frozen by making it plain data: layer.weight = layer.weight.data",
    "register_buffer": "assign an array: self.running_mean = np.zeros(3)",
    "register_parameter": "assign a Value: self.weight = Value(np.zeros(3))",
    "add_module": "assign a Module, or a list or dict of them",
    "set_weights": "write load_state_dict(saved)",
    "compile": "nn.fit takes the optimizer and the loss",
    "fit": "write nn.fit(model, x, y, optimizer=nn.SGD(model.parameters(), lr=0.1), epochs=10)",
    "evaluate": "write nn.evaluate(model, x, y)",
    "predict": "write model.eval()(x)",
    "save": "write nn.save(model, path)",
    "summary": "write print(model)",
}

OF_PACKAGE = {
    "Parameter": "assign a Value to an attribute of a Module",
    "ModuleList": "assign a list to an attribute of a Module",
    "ModuleDict": "assign a dict to an attribute of a Module",
    "Dense": "write Linear(n_in, n_out), and an activation after it",
    "CrossEntropyLoss": "write cross_entropy(logits, target)",
    "NLLLoss": "write nll_loss(log_probability, target)",
    "MSELoss": "write mse_loss(prediction, target)",
    "L1Loss": "write l1_loss(prediction, target)",
    "HuberLoss": "write huber_loss(prediction, target, delta=1.0)",
    "SmoothL1Loss": "write huber_loss(prediction, target, delta=beta) / beta",
    "BCELoss": "write binary_cross_entropy(probability, target)",
    "BCEWithLogitsLoss": "write binary_cross_entropy_with_logits(logits, target)",
    "functional": "the functions of this package, such as cross_entropy, and of autograd_core, such as relu",
    "clip_grad_norm_": "write clip_grad_norm(parameters, max_norm)",
    "clip_grad_value_": "write clip_grad_value(parameters, clip_value)",
    "DataLoader": "write batches(x, y, batch_size=32), or fit with x and y",
    "LBFGS": "write minimize_loss(lambda: mse_loss(model(x), y), model.parameters())",
    "ChainedScheduler": "step each of its schedules: those of one optimizer multiply",
    "ExponentialLR": "write StepLR(optimizer, step_size=1, gamma=0.9)",
    "to_categorical": "write one_hot(labels, n_classes)",
    "train_test_split": "write split(x, y, fraction=0.2)",
    "manual_seed": "the layers, fit, batches and split take rng=0",
    **{name: f"write autograd_core.{name}" for name in ("relu", "sigmoid", "softmax", "log_softmax", "softplus")},
    "LogSoftmax": "write autograd_core.log_softmax; any function of Values serves as a layer",
    "Swish": "write SiLU()",
    "Embedding": "assign a Value of shape (n, d) to an attribute of a Module, and write self.weight[indices]",
    "LayerNorm": "write (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)",
    "Conv1d": "write np.einsum('ncti,oci->not', sliding_window_view(x, k, axis=2), weight)",
    "Conv2d": "write np.einsum('nchwij,ocij->nohw', sliding_window_view(x, (k, k), axis=(2, 3)), weight)",
    "MaxPool2d": "write x.reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))",
    "MultiheadAttention": "write autograd_core.softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(d)) @ v",
    **dict.fromkeys(("RNN", "LSTM", "GRU"), "write a loop over its steps, or autograd_core.scan(step, state, xs)"),
    **dict.fromkeys(("LambdaLR", "MultiStepLR"), "set optimizer.lr after an epoch, as in a Callback"),
    **dict.fromkeys(("kaiming_normal_", "xavier_uniform_"), "layers take init=he_normal, init=glorot_uniform, ..."),
    "ModelCheckpoint": "write fit(..., checkpoint=directory), and EarlyStopping for the best weights",
    **dict.fromkeys(("TensorDataset", "Subset"), "arrays are data: fit and batches take x and y"),
    "random_split": "write split(x, y, fraction=0.2)",
    **dict.fromkeys(("mean_squared_error", "categorical_crossentropy"), "write mse_loss or cross_entropy"),
    "confusion_matrix": "write plot_confusion_matrix, or scikit-learn's",
}


def missing(name: str) -> NoReturn:
    """An AttributeError for what `nn` has not, with what to write instead, if that is known.

    >>> missing("MSELoss")
    Traceback (most recent call last):
        ...
    AttributeError: module 'nn' has no attribute 'MSELoss' (write mse_loss(prediction, target))
    """
    raise AttributeError(f"module 'nn' has no attribute {name!r}" + hint(OF_PACKAGE, name), name=name)


class Missing:
    """An attribute that a class does not have, nor has what it is mixed with: who asks is told what to write instead.

    It may be assigned, and defined by a subclass. A `__getattr__` would slow down all other attributes.
    """

    def __init__(self, owner: type, name: str) -> None:
        self.owner = owner
        self.name = name

    def __get__(self, module: Any, cls: type) -> Any:
        try:
            return getattr(super(self.owner, cls if module is None else module), self.name)
        except AttributeError as error:
            what = f"{cls.__name__!r} object has no attribute {self.name!r}{hint(OF_MODULES, self.name)}"
            raise AttributeError(what, name=self.name, obj=module) from error.__cause__


def hint(table: dict[str, str], name: str) -> str:
    """What a table says of a name."""
    return f" ({table[name]})" if name in table else ""
