"""How the probe behaves: where it dials, how long it waits, how much it does at a time."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from assessor.routes import Routes

BROWSER_PORT = 1434


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """All times are in seconds. ``total_seconds`` bounds one endpoint, whatever its phases would add up to."""

    routes: Routes = field(default_factory=Routes)
    vantage: str = field(default_factory=socket.gethostname)  #: host name of the machine that probes
    concurrency: int = 16  #: endpoints at a time; one has at most one TCP connection and one look-up open
    total_seconds: float = 30.0
    resolve_seconds: float = 8.0  #: more than the 5 s after which a resolver tries its second server
    browser_seconds: float = 4.0  #: for all tries together; SqlClient waits 1 s for one
    browser_tries: int = 3
    connect_seconds: float = 8.0
    answer_seconds: float = 8.0  #: for PRELOGIN, and for each TLS handshake
    browser_port: int = BROWSER_PORT

    def __post_init__(self) -> None:
        """Refuse what can't be meant.

        Raises:
            ValueError: a time or a count is not positive, or a port is none.

        """
        for name in (
            "concurrency",
            "total_seconds",
            "resolve_seconds",
            "browser_seconds",
            "browser_tries",
            "connect_seconds",
            "answer_seconds",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0, not {getattr(self, name)}")
        if not 1 <= self.browser_port <= 65535:
            raise ValueError(f"browser_port must be between 1 and 65535, not {self.browser_port}")
