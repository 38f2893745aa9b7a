"""From DOT to a picture: the program that lays it out, where it is found, and how it is called.

The wheel `graphviz-pure` comes with this package where there is one. It has no Python code, only a program that takes
the flags of Graphviz's `dot`; the system's own `dot` does as well.
"""

from collections.abc import Sequence

PROGRAMS = ("graphviz-pure", "dot")
"""The renderers, the preferred one first. Only `dot` writes PDF."""

LONGEST = 60
"""Seconds after which a renderer is stopped."""


class MissingRendererError(RuntimeError):
    """There is no program to draw with."""


def find(programs: Sequence[str] = PROGRAMS) -> str:
    """The path of the first renderer that there is: among this Python's scripts, or on the PATH."""
    import shutil
    import sysconfig

    for program in programs:
        path = shutil.which(program, path=sysconfig.get_path("scripts")) or shutil.which(program)
        if path:
            return path
    raise MissingRendererError(
        "no program to draw with: `pip install graphviz-pure`, or install the system's package graphviz (its `dot`). "
        "Without one, the drawing's source is still there: `drawing.dot`, or `drawing.save('graph.dot')`"
    )


def program_for(form: str, renderer: str = "auto") -> str:
    """The path of the renderer to use for a format.

    Raises
    ------
    MissingRendererError
        If it is not there, or there is none.
    ValueError
        If there is no renderer of that name, or it cannot write that format.
    """
    if renderer not in ("auto", *PROGRAMS):
        raise ValueError(f"renderer={renderer!r}: it is 'auto', {' or '.join(map(repr, PROGRAMS))}")
    if form == "pdf":
        if renderer == "graphviz-pure":
            raise ValueError("graphviz-pure writes no PDF: renderer='dot' does, or save as .svg")
        try:
            return find(["dot"])
        except MissingRendererError:
            raise MissingRendererError(
                "a PDF is written by the system's Graphviz, and there is no program `dot` on the PATH: install the "
                "package graphviz, or save as .svg, which every browser prints as PDF"
            ) from None
    if renderer == "auto":
        return find()
    try:
        return find([renderer])
    except MissingRendererError:
        raise MissingRendererError(f"renderer={renderer!r}: there is no such program, 'auto' takes any other") from None


def render(dot: str, form: str, program: str | None = None, dpi: int = 144) -> bytes:
    """The picture, as the bytes of an `svg`, `png` or `pdf` file.

    Raises
    ------
    MissingRendererError
        If there is no program to draw with.
    RuntimeError
        If it fails, or takes longer than a minute.
    """
    import subprocess

    command = [program or find(), "-Kdot", f"-T{form}", *([f"-Gdpi={dpi}"] if form == "png" else [])]
    try:
        done = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError(
            f"{command[0]} was stopped after {LONGEST} s: draw a part of the graph, such as an intermediate Value"
        ) from None
    if done.returncode or not done.stdout:
        reason = done.stderr.decode(errors="replace").strip()[-500:]
        raise RuntimeError(f"{command[0]} failed with exit code {done.returncode}: {reason}")
    return done.stdout
