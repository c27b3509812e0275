"""A real PostgreSQL that is only ever read, and whose silence is told from our own mistakes."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
import pytest

from fixtures.database import Database
from fixtures.observation import CannotObserve, NoAnswer
from reference.launch import postgres
from reference.launch.owner import unprivileged
from reference.launch.ports import free_ports
from reference.launch.processes import Processes
from tests.probes.servers import Server, free_port, response, serving, silent
from tests.probes.shop import PASSWORD as SHOP_PASSWORD
from tests.probes.shop import RELEASE, Shop, released, world

if TYPE_CHECKING:
    import socket

    from fixtures.identity import Identity
    from fixtures.release import Release
    from fixtures.run import Run

Reader: TypeAlias = "Callable[[Run, Identity], Database]"
Probe: TypeAlias = Callable[..., Database]
PASSWORD = "canary-of-the-reader"  # noqa: S105  of a role that lives as long as these tests


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Database]:
    directory = Path(tempfile.mkdtemp(prefix="gonogo-probes-"))
    directory.chmod(0o711)
    (directory / "log").mkdir()
    processes = Processes(directory)
    try:
        server = postgres.start(processes, free_ports(1)[0], unprivileged())
        with psycopg.connect(server.url("postgres"), autocommit=True) as session:
            session.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
            session.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0 PASSWORD 'canary-crowded'")
            session.execute("CREATE TABLE orders (id int, notes text, is_active bool)")
            session.execute("CREATE TABLE secrets (id int)")
            session.execute("INSERT INTO orders VALUES (1, 'a', true), (2, 'b', false)")
            session.execute("GRANT ALL ON orders TO reader")
        yield server
    finally:
        processes.end()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def probe(cluster: postgres.Database, run: Run) -> Iterator[Probe]:
    """``probe(**parts)`` is a session of the reader's, with parts of the connection string changed."""
    probes: list[Database] = []

    def make(*, statement_timeout_s: float = 2.0, **parts: object) -> Database:
        settings = {"host": "127.0.0.1", "port": cluster.port, "user": "reader", "password": PASSWORD}
        settings |= {"dbname": postgres.DATABASE, **parts}
        dsn = " ".join(f"{name}='{value}'" for name, value in settings.items())
        probes.append(
            Database(
                dsn,
                run=run,
                identity=Proven(),  # type: ignore[arg-type]  # the gate's own tests are elsewhere
                connect_timeout_s=1,
                statement_timeout_s=statement_timeout_s,
            )
        )
        return probes[-1]

    yield make
    for one in probes:
        one.close()


class Proven:
    """Stands for a target that is proven to be the right one."""

    def require(self) -> None:
        """Let pass."""


# ---------------------------------------------------------------- reading


def test_rows_and_values(probe: Probe) -> None:
    database = probe()

    assert database.rows("SELECT id, notes FROM orders WHERE id > %s ORDER BY id", [0]) == [
        (1, "a"),
        (2, "b"),
    ]
    assert database.value("SELECT count(*) FROM orders WHERE notes LIKE 'a%'") == 1
    assert database.value("SHOW statement_timeout") == "2s"
    assert database.value("SHOW default_transaction_read_only") == "on"
    assert database.value("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()") == (
        "gonogo-20261122T191500Z-3fa9"
    )
    with pytest.raises(CannotObserve, match="2 rows came instead of one value"):
        database.value("SELECT id FROM orders")


def test_no_transaction_stays_open(probe: Probe, cluster: postgres.Database) -> None:
    database = probe()
    database.rows("SELECT 1")

    with psycopg.connect(cluster.url("postgres"), autocommit=True) as session:
        states = session.execute("SELECT state FROM pg_stat_activity WHERE usename = 'reader'").fetchall()
    assert states == [("idle",)]


# ---------------------------------------------------------------- never writing


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO orders VALUES (3)",
        "  insert into orders values (3)",
        "-- harmless\nINSERT INTO orders VALUES (3)",
        "SET default_transaction_read_only = off",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "COMMIT; INSERT INTO orders VALUES (3)",
        "BEGIN READ WRITE",
        "DO $$ BEGIN INSERT INTO orders VALUES (3); END $$",
        "COPY orders FROM STDIN",
        "EXPLAIN ANALYZE INSERT INTO orders VALUES (3)",
        "SELECT 1; INSERT INTO orders VALUES (3)",
        "SELECT 1; COMMIT; INSERT INTO orders VALUES (3)",
        "SELECT 1; SET default_transaction_read_only = off; INSERT INTO orders VALUES (3)",
        "SELECT 1; SET default_transaction_read_only = off; COMMIT; INSERT INTO orders VALUES (3)",
        "WITH made AS (INSERT INTO orders VALUES (3) RETURNING id) SELECT * FROM made",
        "(WITH made AS (DELETE FROM orders RETURNING id) SELECT * FROM made)",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT id INTO copies FROM orders",
        "SELECT id FROM orders FOR UPDATE",
        "WITH a AS (SELECT set_config('transaction_read_only', 'off', true)) INSERT INTO orders SELECT 3",
    ],
)
def test_statement_that_would_write_is_refused(sql: str, probe: Probe, cluster: postgres.Database) -> None:
    database = probe()

    for _ in range(2):
        with pytest.raises(CannotObserve):
            database.rows(sql)
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as session:
        assert session.execute("SELECT count(*) FROM orders").fetchone() == (2,)
    assert database.value("SELECT 1") == 1


def test_taking_back_the_session_s_default_changes_nothing(probe: Probe) -> None:
    database = probe()
    database.rows("SELECT set_config('default_transaction_read_only', 'off', false)")

    with pytest.raises(CannotObserve, match="it would write"):
        database.rows("WITH made AS (INSERT INTO orders VALUES (3) RETURNING id) SELECT * FROM made")


# ---------------------------------------------------------------- whose fault


@pytest.mark.parametrize(
    ("parts", "got"),
    [
        ({"password": "canary-wrong"}, "password authentication failed"),
        ({"user": "nobody_here"}, "password authentication failed"),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"host": "nowhere.invalid"}, "nowhere.invalid"),
    ],
)
def test_our_side_is_the_reason(parts: dict[str, object], got: str, probe: Probe) -> None:
    with pytest.raises(CannotObserve) as raised:
        probe(**parts).rows("SELECT 1")

    assert got in raised.value.got
    assert "canary" not in str(raised.value)
    assert "127.0.0.1:" in raised.value.tried or "nowhere.invalid:" in raised.value.tried


@pytest.mark.parametrize(
    ("sql", "got"),
    [
        ("SELECT * FROM secrets", "permission denied for table secrets"),
        ("SELECT * FROM nowhere", 'relation "nowhere" does not exist'),
        ("SELECT", None),
        ("SELECT 1 +", "syntax error"),
    ],
)
def test_statement_that_cannot_be_run(sql: str, got: str | None, probe: Probe) -> None:
    database = probe()
    if got:
        with pytest.raises(CannotObserve, match=got):
            database.rows(sql)
    assert database.value("SELECT 1") == 1


def test_refused_connection_is_told_once_for_all_workers(probe: Probe) -> None:
    port = free_port()
    for _ in range(2):
        with pytest.raises(NoAnswer) as raised:
            probe(port=port).rows("SELECT 1")
        assert str(raised.value) == f"database at 127.0.0.1:{port}/erp_production refused the connection"


def test_server_that_is_silent(probe: Probe) -> None:
    with silent() as port, pytest.raises(NoAnswer, match="did not answer within 2 s"):
        probe(port=port).rows("SELECT 1")


def test_server_that_accepts_and_hangs(probe: Probe) -> None:
    def handle(server: Server, _connection: socket.socket) -> None:
        server.stopped.wait(30)

    with serving(handle) as server, pytest.raises(NoAnswer, match="did not answer within 2 s"):
        probe(port=server.port).rows("SELECT 1")


def test_server_that_breaks_off(probe: Probe) -> None:
    def handle(_server: Server, connection: socket.socket) -> None:
        connection.recv(100)

    with serving(handle) as server, pytest.raises(NoAnswer, match="broke off the connection"):
        probe(port=server.port).rows("SELECT 1")


def test_server_without_room_for_another_session(probe: Probe) -> None:
    with pytest.raises(NoAnswer, match="does not accept sessions: too many connections"):
        probe(user="crowded", password="canary-crowded").rows("SELECT 1")  # noqa: S106  as above


def test_slow_statement(probe: Probe) -> None:
    database = probe(statement_timeout_s=0.2)

    with pytest.raises(NoAnswer, match=r"did not finish a statement within 0\.2 s"):
        database.rows("SELECT pg_sleep(10)")
    assert database.value("SELECT 1") == 1


@contextmanager
def frozen(database: Database) -> Iterator[None]:
    """Stop the server's process of a session, as a machine that hangs does."""
    backend = database.value("SELECT pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(backend, signal.SIGCONT)


def test_server_that_falls_silent_during_a_statement(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own statement timeout is no use then."""
    monkeypatch.setattr("fixtures.database.GRACE_S", 0.2)
    database = probe(statement_timeout_s=0.2)

    with frozen(database), pytest.raises(NoAnswer, match=r"fell silent for 0\.4 s"):
        database.rows("SELECT 1")
    assert database.value("SELECT 1") == 1


def test_idle_session_that_the_server_has_ended_is_opened_again(
    probe: Probe, cluster: postgres.Database
) -> None:
    database = probe()
    backend = database.value("SELECT pg_backend_pid()")
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as session:
        session.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])

    assert database.value("SELECT pg_backend_pid()") != backend


def test_connection_string_that_is_none_is_not_quoted(run: Run) -> None:
    with pytest.raises(CannotObserve, match="no connection string") as raised:
        Database("canary nonsense", run=run, identity=Proven(), connect_timeout_s=1, statement_timeout_s=1)  # type: ignore[arg-type]  # as above
    assert "canary" not in str(raised.value)


# ---------------------------------------------------------------- records of the run's own


class StoredShop(Shop):
    """A shop whose orders are rows."""

    def __init__(self, session: psycopg.Connection[Any], *faults: str) -> None:
        super().__init__(faults=set(faults))
        self.session = session

    def add(self, notes: str) -> int:
        id_ = super().add(notes)
        self.session.execute("INSERT INTO stored VALUES (%s, %s, true)", [id_, notes])
        return id_

    def _delete(self, id_: int) -> bytes:
        if "delete 204 removes nothing" in self.faults:
            self.orders.pop(id_)  # as seen from outside it is gone
            return response(204)
        column = "UPDATE stored SET is_active = false" if "soft" in self.faults else "DELETE FROM stored"
        self.session.execute(f"{column} WHERE id = %s", [id_])
        return super()._delete(id_)


@pytest.fixture
def stored(cluster: postgres.Database) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as session:
        session.execute("DROP TABLE IF EXISTS stored")
        session.execute("CREATE TABLE stored (id int, notes text, is_active bool)")
        session.execute("GRANT SELECT ON stored TO reader")
        yield session


@pytest.fixture
def reader(cluster: postgres.Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.setenv("SHOP_PASSWORD", SHOP_PASSWORD)
    probes: list[Database] = []

    def make(run: Run, identity: Identity) -> Database:
        dsn = f"postgresql://reader:{PASSWORD}@127.0.0.1:{cluster.port}/{postgres.DATABASE}"
        probes.append(Database(dsn, run=run, identity=identity, connect_timeout_s=2, statement_timeout_s=2))
        return probes[-1]

    yield make
    for one in probes:
        one.close()


def with_table(**changes: object) -> Release:
    order = {**RELEASE["records"]["order"], "table": "public.stored", **changes}
    return released(records={"order": order})


def test_life_is_seen_in_the_database(
    tmp_path: Path, stored: psycopg.Connection[Any], reader: Reader
) -> None:
    with world(tmp_path, StoredShop(stored), release=with_table(), database=reader) as tried:
        life = tried.records.life("order")

    assert (life.rows("rows_after_create"), life.rows("rows_after_remove"), life.left) == (1, 0, "")


def test_soft_delete_leaves_no_living_row(
    tmp_path: Path, stored: psycopg.Connection[Any], reader: Reader
) -> None:
    soft = with_table(undo="soft delete", residue="an inactive order", alive="is_active")
    with world(tmp_path, StoredShop(stored, "soft"), release=soft, database=reader) as tried:
        life = tried.records.life("order")

    assert (life.rows("rows_after_create"), life.rows("rows_after_remove"), life.left) == (1, 0, "")
    assert stored.execute("SELECT is_active FROM stored").fetchall() == [(False,)]


def test_removal_that_only_looks_like_one_is_seen_in_the_database(
    tmp_path: Path, stored: psycopg.Connection[Any], reader: Reader
) -> None:
    shop = StoredShop(stored, "delete 204 removes nothing")
    with world(tmp_path, shop, release=with_table(), database=reader) as tried:
        life = tried.records.life("order")

    assert (life.step("removed").status, life.step("after").status) == (204, 404)
    assert life.left == "1 in the database; its removal answered 204"


def test_creation_that_persists_nothing_has_no_row(
    tmp_path: Path, stored: psycopg.Connection[Any], reader: Reader
) -> None:
    shop = StoredShop(stored, "create 201 persists nothing")
    with world(tmp_path, shop, release=with_table(), database=reader) as tried:
        assert tried.records.life("order").rows("rows_after_create") == 0


def test_order_that_no_list_shows_is_found_by_its_row(
    tmp_path: Path, stored: psycopg.Connection[Any], reader: Reader
) -> None:
    shop = StoredShop(stored, "create 500 commits", "list hides")
    with world(tmp_path, shop, release=with_table(), database=reader) as tried:
        life = tried.records.life("order")

    assert (life.created.status, life.id, life.listing().shown, life.left) == (500, "1", False, "")
    assert shop.orders == {}
    assert stored.execute("SELECT count(*) FROM stored").fetchone() == (0,)


def test_old_leftovers_are_found_by_their_rows(
    tmp_path: Path, stored: psycopg.Connection[Any], reader: Reader
) -> None:
    shop = StoredShop(stored, "list hides")
    for notes in ("gonogo-20261122T100000Z-0000-77aa", "gonogo-person", "somebody's order"):
        shop.add(notes)
    with world(tmp_path, shop, release=with_table(), database=reader) as tried:
        assert tried.records.replayed().removed == 1

    assert [order["notes"] for order in shop.orders.values()] == ["gonogo-person", "somebody's order"]
