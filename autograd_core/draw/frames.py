"""The backward pass step by step: the same picture once for each step, with what is known by then.

A frame is a scene like any other. It has room for what stands in all the others, so that nothing moves between them.
"""

from ..explain.digits import Summary
from .scene import Card, Edge, Row, Scene

DASH, PART, SO_FAR = "–", "…", "so far"
"""What stands for a gradient that has not been reached, for a part that is not known, and beside a part of a sum."""


def last_step(scene: Scene) -> int:
    """How many steps the backward pass of a scene has.

    Raises
    ------
    ValueError
        If none has run.
    """
    first = [card for card in scene.cards if card.badge == 1]
    if not any(is_gradient(row) and row.numbers.lines != ((DASH,),) for card in first for row in card.rows):
        raise ValueError("there is no backward pass to step through: call backward() of the result, then draw it")
    return max(card.badge or 0 for card in scene.cards)


def frames(scene: Scene) -> list[Scene]:
    """The scene before the backward pass, and after each of its steps.

    Raises
    ------
    ValueError
        If no backward pass has run.
    """
    last = last_step(scene)
    cards = [card._replace(rows=tuple(row for row in card.rows if row.label != ".grad")) for card in scene.cards]
    steps = {card.id: card.badge for card in cards}
    leaving: dict[str, list[Edge]] = {card.id: [] for card in cards}
    for edge in scene.edges:
        if edge.pill is not None and steps.get(edge.target) is not None:
            leaving.setdefault(edge.source, []).append(edge)
    states = [states_of(card, leaving[card.id], steps, last) for card in cards]
    subtitles = tuple(subtitle(scene, steps, k, last) for k in range(last + 1))
    notes = (*(note for note in scene.notes if note[0][0] != ".grad"), MARKS)
    return [
        scene._replace(
            subtitle=subtitles[k],
            cards=tuple(each[k] for each in states),
            edges=tuple(edge if edge.pill is None else marked(edge, steps.get(edge.target), k) for edge in scene.edges),
            notes=notes,
            room=subtitles,
        )
        for k in range(last + 1)
    ]


MARKS = (("► and a bold arrow = this step; outlined badge and dotted arrow = still to come; – = not reached", ""),)


def states_of(card: Card, leaving: list[Edge], steps: dict[str, int | None], last: int) -> list[Card]:
    """A card after each number of steps."""
    rows = [states_of_row(row, card, leaving, steps, last) for row in card.rows]
    return [
        card._replace(rows=tuple(each[k] for each in rows), mark=mark(card.badge, k) if card.badge else "")
        for k in range(last + 1)
    ]


def states_of_row(row: Row, card: Card, leaving: list[Edge], steps: dict[str, int | None], last: int) -> list[Row]:
    """A row after each number of steps: of a gradient, the sum of the parts that have arrived."""
    if not is_gradient(row):
        return [row] * (last + 1)
    times = sorted({steps[edge.target] or 0 for edge in leaving}) or [card.badge or 0]
    sums = {steps[edge.target] or 0: edge.total for edge in leaving}
    found = []
    for k in range(last + 1):
        passed = [time for time in times if time <= k]
        if not passed:
            found.append((row.label, filled(row.numbers, DASH)))
        elif len(passed) == len(times):
            found.append((row.label, row.numbers))
        else:
            found.append((SO_FAR, sums.get(passed[-1]) or filled(row.numbers, PART)))
    lines = max(len(numbers.details) for _, numbers in found)
    found = [(label, padded(numbers, lines)) for label, numbers in found]
    room = tuple(dict.fromkeys(numbers for _, numbers in found))
    return [row._replace(label=label, numbers=numbers, role="grad", room=room) for label, numbers in found]


def is_gradient(row: Row) -> bool:
    """Whether a row is filled in the backward pass."""
    return (row.role or row.label) == "grad"


def filled(numbers: Summary, sign: str) -> Summary:
    """A sign in place of each number."""
    return Summary(tuple(tuple(sign for _ in line) for line in numbers.lines))


def padded(numbers: Summary, details: int) -> Summary:
    """The same with so many lines of details."""
    return Summary(numbers.lines, numbers.details + ("\xa0",) * (details - len(numbers.details)))


def mark(step: int, k: int) -> str:
    """What an operation does after k steps."""
    return "now" if step == k else "done" if step < k else "waiting"


def marked(edge: Edge, step: int | None, k: int) -> Edge:
    """An arrow after k steps."""
    return edge if step is None else edge._replace(mark=mark(step, k))


def subtitle(scene: Scene, steps: dict[str, int | None], k: int, last: int) -> str:
    """What happens in a step."""
    if k == 0:
        return f"step 0 of {last}: before the backward pass"
    names = {card.id: card.name for card in scene.cards}
    sources = [names[e.source] for e in scene.edges if steps.get(e.target) == k and e.pill is not None]
    here = " and ".join(name for key, name in names.items() if steps[key] == k)
    some = [*sources[:2], f"{len(sources) - 2} more"] if len(sources) > 3 else sources
    to = " and ".join(filter(None, [", ".join(some[:-1]), *some[-1:]]))
    return f"step {k} of {last}: {here} passes its gradient on" + (f" to {to}" if to else "")
