"""The external PostgreSQL boot from outside: what is waited for, what fails at once, URLs, several hosts."""
import json
import subprocess
import time
from urllib.parse import quote

import pytest

from harness import PYTHON, free_port, wait_until
from postgres_server import PostgresServer
from programs import IDLE, sh

PASSWORD = "p@ss:/%# \"'wörd&?=+"


@pytest.fixture
def owner(module_server, request):
    """A role and a database of the test's own."""
    name = f"t{abs(hash(request.node.name)) % 10**9}"
    module_server.create(name, name, PASSWORD)
    return name


def config(postgres, **database):
    return {
        "database": {"backend": "postgres", "postgres": postgres, **database},
        "migrations": {
            "command": ["psql", "-XAtqc", "CREATE TABLE t (v int)"],
            "check_command": ["psql", "-XAtqc", "SELECT * FROM t"],
        },
        "workers": {"web": {"command": IDLE}},
    }


def components(server, name, **more):
    return {"host": "127.0.0.1", "port": server.port, "name": name, "user": name, "password": PASSWORD, **more}


def test_components_and_a_schema_of_its_own(container, module_server, owner):
    one = container(config(components(module_server, owner, schema='Odd "Schema"'))).start().wait_ready()
    assert module_server.sql("SELECT schemaname FROM pg_tables WHERE tablename = 't'", database=owner) == 'Odd "Schema"'
    units = [unit["name"] for unit in one.status()["units"]]
    assert "initdb" not in units and "postgres" not in units
    assert one.stop() == 0


def test_password_file(container, module_server, owner, tmp_path):
    (tmp_path / "password").write_text(PASSWORD + "\n")
    settings = components(module_server, owner, password_file=str(tmp_path / "password"))
    del settings["password"]
    one = container(config(settings)).start().wait_ready()
    assert one.stop() == 0


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg2"])
def test_url_with_any_driver_and_an_encoded_password(container, module_server, owner, scheme):
    url = f"{scheme}://{owner}:{quote(PASSWORD, safe='')}@127.0.0.1:{module_server.port}/{owner}?application_name=my%20app"
    sections = config(
        {"host": "nowhere.invalid", "password": "wrong"},
        url="${DATABASE_URL}",
        export={"APP_URL": {"form": "url", "driver": {"postgres": "asyncpg"}}},
    )
    sections["workers"]["web"]["command"] = sh(
        f'{PYTHON} -c \'import os, json; print("env", json.dumps([os.environ["APP_URL"], os.environ["PGPASSWORD"]]))\'; sleep infinity'
    )
    one = container(sections, env={"DATABASE_URL": url}).start().wait_ready()
    wait_until(lambda: "| env " in one.output, "the worker's environment")
    assert one.stop() == 0
    environment = [line.split("env ", 1)[1] for line in one.output.splitlines() if "| env " in line]
    exported, password = json.loads(environment[0])
    assert password == PASSWORD
    assert exported.startswith(f"postgresql+asyncpg://{owner}:") and quote(PASSWORD, safe="") in exported


def test_a_server_that_starts_late_is_awaited(container, tmp_path):
    server = PostgresServer(tmp_path / "server").start()
    server.create("late", "late", PASSWORD)
    server.stop()
    one = (
        container(config(components(server, "late", wait={"timeout": "2m", "interval": "20ms"}))).start().wait_socket()
    )
    one.wait_state("database", "running")
    wait_until(lambda: "refused" in one.output.lower(), lambda: f"the first attempt\n{one.output}")
    try:
        server.start()
        one.wait_ready()
        assert one.stop() == 0
    finally:
        server.stop()


def test_a_connection_that_is_refused_at_first_is_tried_again(container, module_server, owner):
    """Port forwarded by nobody yet: the proxy appears while Slipway waits."""
    port = free_port()
    one = (
        container(config(components(module_server, owner, port=port, wait={"timeout": "2m", "interval": "20ms"})))
        .start()
        .wait_socket()
    )
    one.wait_state("database", "running")
    wait_until(lambda: "refused" in one.output.lower(), lambda: f"the first attempt\n{one.output}")
    proxy = subprocess.Popen([PYTHON, "-c", FORWARD, str(port), str(module_server.port)])
    try:
        one.wait_ready()
        assert one.stop() == 0
    finally:
        proxy.kill()
        proxy.wait()


FORWARD = """
import socket, sys, threading
def pump(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
while True:
    client = server.accept()[0]
    peer = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    threading.Thread(target=pump, args=(client, peer), daemon=True).start()
    threading.Thread(target=pump, args=(peer, client), daemon=True).start()
"""


@pytest.mark.parametrize(
    "change,code,words",
    [
        ({"password": "wrong"}, 77, "password authentication failed"),
        ({"user": "no_such_role"}, 77, "no_such_role"),
        ({"name": "no_such_database"}, 69, "no_such_database"),
        ({"sslmode": "require"}, 69, "SSL"),
    ],
    ids=["password", "role", "database", "tls"],
)
def test_what_waiting_cannot_cure_fails_at_once(container, module_server, owner, change, code, words):
    began = time.monotonic()
    one = container(config({**components(module_server, owner, wait={"timeout": "1h"}), **change})).start()
    assert one.wait_exit(60) == code, one.output
    assert time.monotonic() - began < 30
    assert words in one.output
    assert PASSWORD not in one.output
    assert one.marker("failed")["unit"] == "database"


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_server_that_never_comes_is_69_after_the_timeout(container, host):
    one = container(
        config({"host": host, "port": free_port(), "password": "x", "wait": {"timeout": "700ms", "interval": "50ms"}})
    ).start()
    assert one.wait_exit(60) == 69, one.output
    assert host in one.output


def test_of_several_hosts_the_one_that_accepts_writes_is_taken(container, module_server, owner, tmp_path):
    """The first refuses connections, the second serves only reads."""
    reader = PostgresServer(tmp_path / "reader").start()
    try:
        reader.create(owner, owner, PASSWORD)
        reader.stop()
        reader.settings = ["default_transaction_read_only=on"]
        reader.start()
        settings = components(
            module_server,
            owner,
            host="127.0.0.1,127.0.0.1,127.0.0.1",
            port=f"{free_port()},{reader.port},{module_server.port}",
            target_session_attrs="read-write",
        )
        one = container(config(settings)).start().wait_ready()
        assert module_server.sql("SELECT count(*) FROM pg_tables WHERE tablename = 't'", database=owner) == "1"
        assert one.stop() == 0
    finally:
        reader.stop()


def test_a_pending_migration_is_preceded_by_a_dump(container, module_server, owner):
    sections = config(components(module_server, owner))
    first = container(sections).start().wait_ready()
    assert first.stop() == 0
    sections["migrations"] = {"command": ["psql", "-XAtqc", "INSERT INTO t VALUES (1)"]}
    second = container(sections).start().wait_ready()
    assert second.stop() == 0
    dumps = [path for path in second.state_dir.rglob("*.dump")]
    assert len(dumps) == 1 and "pre-migrate" in dumps[0].name
    assert dumps[0].stat().st_mode & 0o077 == 0
    assert dumps[0].read_bytes()[:5] == b"PGDMP"


def test_prepare_sql_runs_first_and_as_the_owner(container, module_server, owner):
    sections = config(components(module_server, owner))
    sections["migrations"]["prepare_sql"] = [
        "CREATE TABLE IF NOT EXISTS prepared (who text)",
        "INSERT INTO prepared SELECT current_user",
    ]
    sections["migrations"]["command"] = ["psql", "-XAtqc", "CREATE TABLE t AS SELECT who FROM prepared"]
    one = container(sections).start().wait_ready()
    assert module_server.sql("SELECT who FROM t", database=owner) == owner
    assert one.stop() == 0
