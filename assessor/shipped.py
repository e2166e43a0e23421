"""Where the files that travel with the tool lie: the T-SQL and the demo estate.

In a checkout they are at the top of the tree, where a DBA looks for them first; in a wheel they are inside the
package (``pyproject.toml`` puts them there), so that an installed tool needs no checkout.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def queries_dir() -> Path:
    """The folder of the bundled queries, one ``.sql`` file each. Raises ``FileNotFoundError``."""
    return _shipped("queries")


def sample_data_dir() -> Path:
    """The folder of the demo estate. Raises ``FileNotFoundError``."""
    return _shipped("sample_data")


def _shipped(name: str) -> Path:
    for folder in (_PACKAGE / "_shipped" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"this installation of assessor is incomplete: its folder {name} is missing")
