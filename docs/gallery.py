"""Render the pictures of the README, by running its examples."""

import doctest
import os
import shutil
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
PICTURES = (".svg", ".gif", ".png")


def main() -> None:
    """Run the README where its examples may save what they like, and keep the pictures."""
    kept = Path(__file__).with_name("pictures")
    kept.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        failed, _ = doctest.testfile(str(README), module_relative=False)
        for path in Path(folder).iterdir():
            if path.suffix in PICTURES:
                shutil.copy(path, kept)
        os.chdir(kept)  # a folder that somebody is in cannot be removed everywhere
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
