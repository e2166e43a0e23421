"""Ask every instance of the estate the bundled queries, many at a time, and lose nothing but what failed.

A query that is refused or fails costs its own facts; an instance that can't be reached costs itself; a stop costs
what was not yet asked. Each loss is recorded as a :class:`Gap`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from assessor.clients.options import Encrypt
from assessor.collect.connection import AnswerTooLarge, Conversation, connect, trusting
from assessor.collect.driver import Driver, load_pyodbc
from assessor.collect.failures import Failure, classify_connection, classify_query, scrub
from assessor.collect.inventory import GapKind, Inventory
from assessor.collect.ledger import Ledger, unreached
from assessor.collect.plan import Catalogue, Step
from assessor.collect.queries import load_queries
from assessor.collect.rows import BadAnswer
from assessor.concurrency import run_bounded
from assessor.estate import Estate, EstateInstance
from assessor.passwords import Password, PasswordUnavailable, PasswordVault, ask_for_passwords
from assessor.probe.wire import ProbeError
from assessor.routes import Routes

CONCURRENCY: Final = 8  #: instances at a time
_RECONNECTS: Final = 2  #: in one instance's run, after a connection was lost
_POLL_SECONDS: Final = 0.1
#: Beyond a timeout of the driver's own: for SQL Browser, name resolution and the cancelling of a query.
_GRACE_SECONDS: Final = 45.0
#: No instance holds up the run for longer, whatever it answers.
_TOTAL_SECONDS: Final = 1800.0

#: Opens our connection to one instance.
Opener = Callable[[EstateInstance, Driver, Routes, Password | None], Conversation]


def collect_all(
    estate: Estate,
    driver: Driver,
    stop: threading.Event,
    on_done: Callable[[Inventory], None] | None = None,
    *,
    vault: PasswordVault | None = None,
    limit: int = CONCURRENCY,
    open_connection: Opener = connect,
) -> tuple[Inventory, ...]:
    """One inventory for each instance, in the estate's order, however far each got.

    ``on_done`` is called in this thread as each instance ends. When ``stop`` is set, what has been learnt so far is
    returned. Passwords that are to be asked for are asked first, unless a ``vault`` holds them already.

    Raises:
        PasswordUnavailable: a password is to be asked for and nobody can be asked.

    """
    if vault is None:
        vault = ask_for_passwords(
            instance.login.password for instance in estate.instances if instance.login.password is not None
        )
    catalogue = Catalogue(load_queries())
    done: dict[str, Inventory] = {}

    def work(instance: EstateInstance) -> Inventory:
        return _Collection(instance, driver, estate.routes, vault, catalogue, stop, open_connection).run()

    with trusting(estate.connect_trust_store):
        for instance, inventory in run_bounded(estate.instances, work, limit, stop):
            done[instance.address] = inventory
            if on_done is not None:
                on_done(inventory)
    return tuple(
        done.get(instance.address)
        or unreached(instance.address, GapKind.INTERRUPTED, "the run was stopped before this instance was asked")
        for instance in estate.instances
    )


class _Collection:
    """The run of one instance. The conversation has a thread of its own, which can be left behind if it hangs."""

    def __init__(
        self,
        instance: EstateInstance,
        driver: Driver,
        routes: Routes,
        vault: PasswordVault,
        catalogue: Catalogue,
        stop: threading.Event,
        open_connection: Opener,
    ) -> None:
        self._instance = instance
        self._driver = driver
        self._routes = routes
        self._vault = vault
        self._stop = stop
        self._open = open_connection
        self._abandoned = threading.Event()
        self._ledger = Ledger(catalogue)
        self._started = datetime.now(UTC)
        self._errors: tuple[type[Exception], ...] = (
            load_pyodbc().Error,
            AnswerTooLarge,
            BadAnswer,
            UnicodeError,  # text that is no UTF-16
            OverflowError,
        )

    def run(self) -> Inventory:
        """Converse until it ends, hangs or is stopped; then make the best of what was learnt."""
        ended: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

        def converse() -> None:
            try:
                self._converse()
            except Exception as error:  # noqa: BLE001 - a bug; raised again where it is seen
                ended.put(error)
            else:
                ended.put(None)

        threading.Thread(target=converse, daemon=True, name=f"collect {self._instance.address}").start()
        began = time.monotonic()
        reason: tuple[GapKind, str] | None = None
        while True:
            try:
                error = ended.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                reason = self._reason_to_leave(began)
                if reason is None:
                    continue
                self._abandoned.set()
                break
            if error is not None:
                raise error
            break
        return self._inventory(reason or (GapKind.INTERRUPTED, "the run was stopped before this was asked"))

    def _reason_to_leave(self, began: float) -> tuple[GapKind, str] | None:
        if self._stop.is_set():
            return GapKind.INTERRUPTED, "the run was stopped before this was answered"
        policy = self._instance.connection
        patience = max(policy.login_timeout_seconds, policy.query_timeout_seconds) + _GRACE_SECONDS
        if time.monotonic() - self._ledger.progress > patience:
            return GapKind.TIMED_OUT, f"the instance was silent for {patience:.0f} s and was given up"
        if time.monotonic() - began > _TOTAL_SECONDS:
            return GapKind.TIMED_OUT, f"the instance took longer than {_TOTAL_SECONDS:.0f} s and was given up"
        return None

    def _inventory(self, unasked: tuple[GapKind, str]) -> Inventory:
        policy = self._instance.connection
        return self._ledger.close(
            self._instance.address,
            lambda step: unasked,
            collected_at=self._started,
            connection_validated=policy.validate and policy.encrypt is not Encrypt.OPTIONAL,
        )

    # --- the conversation's own thread ----------------------------------------------------------------------

    def _converse(self) -> None:
        source = self._instance.login.password
        try:
            password = self._vault.of(source) if source is not None else None
        except PasswordUnavailable as error:
            self._ledger.enter_unreached(GapKind.UNREACHABLE, scrub(str(error)))
            return
        secrets = (password.reveal(),) if password is not None else ()
        reconnects = _RECONNECTS
        troublesome: Step | None = None
        while True:
            conversation = self._connect(password, secrets)
            if conversation is None:
                return
            try:
                lost = self._ask_on(conversation, secrets)
            finally:
                conversation.close()
            if lost is None:
                return
            step, failure = lost
            if step == troublesome or reconnects == 0:
                # It broke the connection twice: its fault, and the others may still be answered.
                self._ledger.enter_failure(step, failure)
            if reconnects == 0:
                self._ledger.enter_unreached(GapKind.FAILED, failure.message)
                return
            troublesome = step
            reconnects -= 1

    def _connect(self, password: Password | None, secrets: tuple[str, ...]) -> Conversation | None:
        if self._is_over():
            return None
        self._ledger.progress = time.monotonic()
        try:
            conversation = self._open(self._instance, self._driver, self._routes, password)
        except ProbeError as error:
            self._ledger.enter_unreached(
                GapKind.UNREACHABLE, scrub(f"SQL Browser, for the port: {error.detail}", secrets)
            )
            return None
        except self._errors as error:
            failure = classify_connection(error, secrets)
            self._ledger.enter_unreached(failure.kind, failure.message)
            return None
        self._ledger.progress = time.monotonic()
        return conversation

    def _ask_on(self, conversation: Conversation, secrets: tuple[str, ...]) -> tuple[Step, Failure] | None:
        """Ask whatever is open; a step and its failure when the connection was lost there."""
        while True:
            open_steps = self._ledger.open_steps()
            if not open_steps:
                return None
            for step in open_steps:
                if self._is_over():
                    return None
                failure = self._ask(conversation, step, secrets)
                self._ledger.progress = time.monotonic()
                if failure is not None and failure.lost:
                    return step, failure
                if failure is not None:
                    self._ledger.enter_failure(step, failure)

    def _ask(self, conversation: Conversation, step: Step, secrets: tuple[str, ...]) -> Failure | None:
        try:
            answer = conversation.ask(self._ledger.query_of(step).render(step.database))
            self._ledger.enter(step, answer)
        except AnswerTooLarge as error:
            return Failure(GapKind.FAILED, None, str(error), lost=True)
        except BadAnswer as error:
            return Failure(GapKind.FAILED, None, scrub(str(error), secrets))
        except self._errors as error:
            return classify_query(error, secrets)
        return None

    def _is_over(self) -> bool:
        return self._stop.is_set() or self._abandoned.is_set()
