"""Render the pictures of the README, by running its examples where the pictures belong."""

import doctest
import os
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def main() -> None:
    """Run the README; its examples save into the current folder."""
    pictures = Path(__file__).with_name("pictures")
    pictures.mkdir(exist_ok=True)
    os.chdir(pictures)
    failed, _ = doctest.testfile(str(README), module_relative=False)
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
