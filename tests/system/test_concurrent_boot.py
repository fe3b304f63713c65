"""Three containers boot at once on one fresh database: every revision is applied exactly once and all become ready."""
import sqlite3

from harness import wait_until
from ledger import REVISIONS, Ledger
from postgres_server import PostgresServer
from programs import IDLE, Gate, sh

PASSWORD = "p@ss:/%# \"'word"


def boot_three(container, config):
    return [container(config, name=f"replica{number}").start() for number in range(3)]


def applied_by(one):
    return one.output.count("Running upgrade")


def check_all_ready_and_stop(containers):
    for one in containers:
        one.wait_ready(120)
        assert one.marker("migrate.done")
    counts = [applied_by(one) for one in containers]
    assert sum(counts) == len(REVISIONS), counts
    assert sorted(counts) == [0, 0, len(REVISIONS)], counts
    for one in containers:
        assert one.stop() == 0, one.output
        assert not [line for line in one.output.splitlines() if "migrate |" in line and "already exists" in line]


def test_three_containers_on_one_fresh_postgres_database(container, tmp_path):
    server = PostgresServer(tmp_path / "server").start()
    try:
        server.create("ledger", "ledger", PASSWORD)
        ledger = Ledger(
            tmp_path,
            {
                "backend": "postgres",
                "postgres": {
                    "host": "127.0.0.1",
                    "port": server.port,
                    "name": "ledger",
                    "user": "ledger",
                    "password": PASSWORD,
                    "schema": "Led-ger",
                },
            },
        )
        check_all_ready_and_stop(boot_three(container, ledger.config()))
        rows = server.sql('SELECT revision FROM "Led-ger".applied', database="ledger").split()
        assert rows == REVISIONS
    finally:
        server.stop()


def test_three_containers_on_one_fresh_sqlite_file(container, tmp_path):
    path = tmp_path / "data" / "ledger.db"
    ledger = Ledger(tmp_path, {"backend": "sqlite", "sqlite": {"path": str(path)}})
    check_all_ready_and_stop(boot_three(container, ledger.config()))
    with sqlite3.connect(path) as database:
        assert [row[0] for row in database.execute("SELECT revision FROM applied")] == REVISIONS


def test_a_replica_that_dies_with_the_lock_does_not_block_the_others(container, module_server, tmp_path):
    """The lock belongs to a connection: the server frees it when its holder's machine dies."""
    module_server.create("dying", "dying", PASSWORD)
    gate = Gate(tmp_path / "gate")
    database = {
        "backend": "postgres",
        "postgres": {
            "host": "127.0.0.1",
            "port": module_server.port,
            "name": "dying",
            "user": "dying",
            "password": PASSWORD,
        },
    }
    pending = ["psql", "-XAtqc", "SELECT * FROM t"]
    holder = container(
        {
            "database": database,
            "migrations": {"check_command": pending, "command": sh(f"echo holds-the-lock; read x < {gate.path}")},
            "workers": {"w": {"command": IDLE}},
        },
        name="holder",
    )
    holder.start()
    wait_until(lambda: "holds-the-lock" in holder.output, "the first replica to migrate")
    second = (
        container(
            {
                "database": database,
                "migrations": {"check_command": pending, "command": ["psql", "-XAtqc", "CREATE TABLE t (v int)"]},
                "workers": {"w": {"command": IDLE}},
            },
            name="second",
        )
        .start()
        .wait_socket()
    )
    second.wait_state("migrate", "running")
    assert second.marker("ready") is None
    holder.kill()
    second.wait_ready(60)
    assert second.stop() == 0


def test_the_lock_is_not_awaited_for_ever(container, module_server, tmp_path):
    """75 when another process holds it longer than migrations.lock.timeout."""
    from programs import IDLE, sh

    module_server.create("locked", "locked", PASSWORD)
    for backend, database in {
        "postgres": {
            "backend": "postgres",
            "postgres": {
                "host": "127.0.0.1",
                "port": module_server.port,
                "name": "locked",
                "user": "locked",
                "password": PASSWORD,
            },
        },
        "sqlite": {"backend": "sqlite", "sqlite": {"path": str(tmp_path / "data" / "app.db")}},
    }.items():
        holder = container(
            {
                "database": database,
                "migrations": {"command": sh("echo holds-the-lock; sleep infinity")},
                "workers": {"w": {"command": IDLE}},
            },
            name=f"holder-{backend}",
        ).start()
        wait_until(lambda holder=holder: "holds-the-lock" in holder.output, "the first replica to migrate")
        second = container(
            {
                "database": database,
                "migrations": {"command": ["true"], "lock": {"timeout": "300ms"}},
                "workers": {"w": {"command": IDLE}},
            },
            name=f"second-{backend}",
        ).start()
        assert second.wait_exit(30) == 75, second.output
        assert second.marker("migrate.done") is None
        holder.kill()
