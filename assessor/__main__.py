"""``python -m assessor`` is ``assessor``."""

from assessor.start import main

main()
