"""Formulas of what operations compute and of what their rules say, as text and LaTeX; and what went wrong with them."""
