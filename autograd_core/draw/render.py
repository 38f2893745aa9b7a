"""From DOT to a picture: the program that lays it out, where it is found, and how it is called.

The wheel `graphviz-pure` comes with this package where there is one. It has no Python code, only a program that takes
the flags of Graphviz's `dot`; the system's own `dot` does as well.
"""

from collections.abc import Sequence

PROGRAMS = ("graphviz-pure", "dot")
"""The renderers, the preferred one first."""

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


def render(dot: str, form: str, program: str | None = None) -> bytes:
    """The picture, as the bytes of an `svg` or `png` file.

    Raises
    ------
    MissingRendererError
        If there is no program to draw with.
    RuntimeError
        If it fails, or takes longer than a minute.
    """
    import subprocess

    command = [program or find(), "-Kdot", f"-T{form}", *(["-Gdpi=144"] if form == "png" else [])]
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
