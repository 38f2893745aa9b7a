"""From a program to machine code that can be called: one LLVM context a program, freed with it."""

import ctypes
import functools
import threading
import weakref
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from ..ir import Node, Program, as_recorded, evaluate
from .code import BAD_COUNT, BAD_INDEX, FAILED, Code
from .emit import Shared, Writer
from .layout import LINE, Layout, lay_out
from .place import whole
from .target import target
from .text import I8, I32, POINTER, Value, constant
from .views import views_first

HOST = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)
RUN = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)

ITEMS = tuple.__basicsize__
"""Where the items of a tuple begin, in bytes; and where an array keeps the address of its data."""
DATA = object.__basicsize__


@functools.cache
def memory_is_as_expected() -> bool:
    """Whether tuples and arrays lie in memory as machine code here reads them: in CPython they do."""
    array = np.arange(3.0)
    pair = (None, array)
    found = ctypes.c_void_p.from_address(id(pair) + ITEMS + 8).value
    return found == id(array) and ctypes.c_void_p.from_address(id(array) + DATA).value == array.ctypes.data


def parsed(text: str, context: Any) -> tuple[Any, Any]:
    """A module of the given source, and the machine it is for.

    LLVM's passes are not run: the kernels are vectors and registers already, and measured no quicker after them. The
    code generator itself schedules, allocates registers, and moves what is constant out of loops.
    """
    cpu = target()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=cpu.name, features=cpu.features, opt=2, jit=True
    )
    return llvm.parse_assembly(text, context=context), machine


class Machine:
    """A program as machine code."""

    def __init__(self, program: Program) -> None:
        if not memory_is_as_expected():
            raise NotImplementedError
        program = self.program = views_first(program)
        self.layout: Layout = lay_out(program, set(program.inputs) | set(program.outputs))
        self.failures = threading.local()
        self.host = Host(self.failures)
        text, shared = written(program, self.layout, self.host.address)
        self.host.calls.extend(shared.calls)
        self.size = shared.size
        self.constants = tuple(np.ascontiguousarray(node.settings[0]) for node in shared.numbers)
        module, machine = parsed(text, llvm.create_context())
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        self.run = RUN(engine.get_function_address("run"))
        self.arenas: list[Any] = []
        self.fresh = [(y.shape, y.dtype) for y in program.outputs]
        weakref.finalize(self, closed, engine).atexit = False

    def __call__(self, leaves: list[Any]) -> list[Any]:
        inputs = [
            x if type(x) is np.ndarray and x.dtype is node.dtype and x.flags.c_contiguous
            else np.ascontiguousarray(x, node.dtype)
            for x, node in zip(leaves, self.program.inputs, strict=True)
        ]  # fmt: skip
        outputs = [np.empty(shape, dtype) for shape, dtype in self.fresh]
        try:
            arena = self.arenas.pop()
        except IndexError:
            block = np.empty(self.size + LINE, np.uint8)
            arena = block[-block.ctypes.data % LINE :]
        table = (*inputs, *outputs, arena, *self.constants)
        if self.host.calls:
            with np.errstate(all="ignore"):
                outcome = self.run(id(table))
        else:
            outcome = self.run(id(table))
        self.arenas.append(arena)
        if outcome:
            self.fail(outcome)
        return outputs

    def fail(self, outcome: int) -> None:
        if outcome == BAD_INDEX:
            raise IndexError("x[index], compiled: an index is out of range")
        if outcome == BAD_COUNT:
            raise IndexError("scan: a count out of range")
        assert outcome == FAILED
        error, self.failures.error = getattr(self.failures, "error", None), None
        raise error or KeyboardInterrupt  # which came ahead of the first line of a call, where nobody can keep it

    def assembly(self) -> str:
        """The machine code as text, written once more."""
        text, _ = written(self.program, self.layout, self.host.address)
        module, machine = parsed(text, llvm.create_context())
        return str(machine.emit_assembly(module))


def closed(engine: Any) -> None:
    engine.close()


class Host:
    """NumPy, called by machine code for what that cannot do itself."""

    def __init__(self, failures: Any) -> None:
        calls: list[Any] = []
        self.calls = calls
        known = functools.lru_cache(maxsize=4096)(array_at)  # of a program that runs again most addresses are the same

        def call(number: int, table: int) -> None:
            try:
                node, inputs, results = calls[number]
                perform(node, inputs, results, table, known)
            except BaseException as error:  # also Ctrl-C: it is raised where the program was called
                failures.error = error

        self.function = HOST(call)
        self.address = ctypes.cast(self.function, ctypes.c_void_p).value or 0


def array_at(address: int, node: Node, writeable: bool) -> Any:
    """An array of a node's shape and dtype in memory that is there."""
    buffer: Any = (ctypes.c_char * max(node.nbytes, 1)).from_address(address)
    array = np.ndarray(node.shape, node.dtype, buffer)
    array.flags.writeable = writeable
    return array


def perform(node: Node, inputs: list[Node], results: list[Node], table: int, array_at: Callable[..., Any]) -> None:
    """Compute a node by NumPy; what goes in may not be changed, and what comes out must be what was recorded."""
    count = len(inputs) + len(results)
    addresses = (ctypes.c_void_p * (count + 1)).from_address(table)
    args = [array_at(address or 0, x, False) for address, x in zip(addresses, inputs, strict=False)]
    found = evaluate(node, [x if x.shape else x[()] for x in args])
    for address, y in zip(addresses[len(inputs) : count], results, strict=True):
        array_at(address or 0, y, True)[...] = as_recorded(found[y.settings[0]] if y is not node else found, y)
    addresses[count] = 1


def written(program: Program, layout: Layout, host: int) -> tuple[str, Shared]:
    """The program in LLVM's language."""
    declared: dict[str, str] = {}
    code = Code(target(), declared)
    table = Value(POINTER, "%table")

    def data(k: int) -> Any:
        with code.b.in_entry():
            item = code.b.load(POINTER, code.at(table, ITEMS + 8 * k, I8))
            return code.b.load(POINTER, code.at(item, DATA, I8))

    inputs, outputs = program.inputs, program.outputs
    places = {x: whole(data(k), x) for k, x in enumerate(inputs)}
    count = len(inputs) + len(outputs)
    targets = [whole(data(len(inputs) + k), y) for k, y in enumerate(outputs)]
    arena = data(count)
    shared = Shared(code, lambda k: data(count + 1 + k), arena, layout.total, host)
    Writer(code, layout, places, arena, shared).run(outputs, targets)
    code.b.ret(constant(I32, 0))
    functions = [f"define internal void @{name}{text}" for text, name in shared.functions.items()]
    run = f"define i32 @run{code.b.text([table])}"
    triple = f'target triple = "{llvm.get_default_triple()}"'
    return "\n".join([triple, *declared.values(), *functions, run]), shared
