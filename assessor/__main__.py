"""``python -m assessor`` is ``assessor``."""

from assessor.cli import main

main()
