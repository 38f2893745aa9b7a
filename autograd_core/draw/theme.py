"""Light and dark: a picture's source is written in the colours of the day, and each has its counterpart at night."""

import re

DARK = {
    "#FFFFFF": "#15181D",  # paper
    "#000000": "#F3F4F6",  # text
    "#444444": "#C6CBD2",
    "#5F5F5F": "#B3BAC4",
    "#005A8C": "#8CCBFF",  # value
    "#A63A00": "#FFAF85",  # gradient
    "#A53A00": "#A8410A",  # badge, and what stands on it
    "#FFFEFE": "#FFFFFF",
    "#0072B2": "#4FA8E0",  # parameter
    "#DCEBF7": "#12304A",
    "#7A7A7A": "#8F969F",  # input
    "#EFEFEF": "#2C3036",
    "#8A8A8A": "#8B939E",  # operation
    "#FEFEFE": "#1F242B",
    "#D55E00": "#F0823A",  # output
    "#FBE6D4": "#47260F",
    "#8B8B8B": "#8C949F",  # arrow
    "#E3B899": "#8A5D41",  # pill
    "#FDFDFD": "#1A1D22",
    "#FFE9A8": "#4A3D0C",  # what happens in this step
    "#FFF3E6": "#2A1E16",  # gradients in a table, from small to large, and what is written on each
    "#222222": "#F4E9E0",
    "#FBD9B5": "#4A2C17",
    "#222221": "#F6EAE0",
    "#F5B27A": "#7A4119",
    "#222220": "#FFF1E4",
    "#E8883F": "#D98038",
    "#22221F": "#1A0F06",
    "#B04A0C": "#FFB98F",
    "#FFFFFC": "#1B0F05",
}
"""The colours of dark pictures, by those of light ones."""

THEMES = ("auto", "light", "dark")

COLOUR = re.compile(r'(?<=color=")#[0-9A-F]{6}(?=")')
"""A colour in the source of a picture; what a user writes has its quotation marks escaped, and is none."""


def dark(dot: str) -> str:
    """The source of a picture in dark colours."""
    return COLOUR.sub(lambda found: DARK.get(found[0], found[0]), dot)


def style() -> str:
    """The rules with which an SVG in light colours follows what its reader prefers."""
    rules = "".join(
        f'.drawing [{what}="{light.lower()}"]{{{what}:{night}}}'
        for light, night in DARK.items()
        for what in ("fill", "stroke")
    )
    return f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
