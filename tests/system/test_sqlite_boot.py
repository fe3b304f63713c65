"""The SQLite boot from outside: files, owner and mode, journal, checks, lock, and the backup before a migration."""
import hashlib
import os
import re
import shutil
import sqlite3
import stat

import pytest

from harness import PYTHON
from programs import IDLE, sh


def sql_command(path, *statements):
    """A migration: statements run through Python's sqlite3, as an application would."""
    return [
        PYTHON,
        "-c",
        "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db:\n for text in sys.argv[2:]:\n  db.execute(text)",
        str(path),
        *statements,
    ]


class Sqlite:
    """One database file and the configuration of an application that adds one row per boot."""

    def __init__(self, folder):
        self.path = folder / "data" / "app.db"
        self.settings = {}

    def config(self, **migrations):
        migrations.setdefault(
            "command", sql_command(self.path, "CREATE TABLE IF NOT EXISTS t (v TEXT)", "INSERT INTO t VALUES ('row')")
        )
        return {
            "database": {"backend": "sqlite", "sqlite": {"path": str(self.path), **self.settings}},
            "migrations": migrations,
            "workers": {"web": {"command": IDLE}},
        }

    def rows(self):
        with sqlite3.connect(self.path) as database:
            return database.execute("SELECT count(*) FROM t").fetchone()[0]

    def backups(self):
        return sorted(path for path in self.path.parent.iterdir() if "pre-migrate" in path.name)


@pytest.fixture
def sqlite(tmp_path):
    return Sqlite(tmp_path)


def boot(container, config, **options):
    one = container(config, **options).start().wait_ready()
    assert one.stop() == 0, one.output
    return one


def test_creates_directory_and_file_in_wal_mode(container, sqlite):
    boot(container, sqlite.config())
    assert sqlite.rows() == 1
    with sqlite3.connect(sqlite.path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert stat.S_IMODE(sqlite.path.stat().st_mode) & 0o007 == 0, oct(sqlite.path.stat().st_mode)


def test_the_file_belongs_to_the_user_who_migrates(container, sqlite, tmp_path):
    shutil.chown(tmp_path, "nobody")
    boot(container, sqlite.config(user="nobody"))
    assert sqlite.path.stat().st_uid == 65534
    assert sqlite.path.parent.stat().st_uid == 65534
    assert all(
        path.stat().st_uid == 65534
        for path in sqlite.path.parent.iterdir()
        if path.name.startswith("app.db") and "lock" not in path.name
    )


def test_rollback_journal_when_asked(container, sqlite):
    sqlite.settings = {"journal_mode": "delete"}
    boot(container, sqlite.config())
    with sqlite3.connect(sqlite.path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


def test_a_pending_migration_is_preceded_by_a_backup(container, sqlite):
    boot(container, sqlite.config())
    assert sqlite.backups() == [], "nothing to save before the first migration"
    os.chmod(sqlite.path, 0o640)
    boot(container, sqlite.config())
    (backup,) = sqlite.backups()
    assert re.fullmatch(r"app\.pre-migrate-\d{8}T\d{6}Z(-\d+)?\.db", backup.name)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o640
    with sqlite3.connect(f"file:{backup}?immutable=1", uri=True) as database:
        assert database.execute("SELECT count(*) FROM t").fetchone()[0] == 1
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert not list(sqlite.path.parent.glob("*pre-migrate*-wal")) and not list(
        sqlite.path.parent.glob("*pre-migrate*-shm")
    )


def test_the_backup_holds_rows_that_are_still_in_the_wal(container, sqlite):
    """A reader keeps the log from being checkpointed: a plain copy of the file would lose the row."""
    boot(container, sqlite.config())
    reader = sqlite3.connect(sqlite.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM t").fetchall()
    writer = sqlite3.connect(sqlite.path)
    writer.execute("INSERT INTO t VALUES ('in the log')")
    writer.commit()
    boot(container, sqlite.config())
    reader.close()
    writer.close()
    with sqlite3.connect(f"file:{sqlite.backups()[0]}?immutable=1", uri=True) as database:
        assert database.execute("SELECT count(*) FROM t").fetchone()[0] == 2


def test_the_newest_five_backups_are_kept_and_foreign_files_stay(container, sqlite):
    boot(container, sqlite.config())
    for number in range(6):
        shutil.copy(sqlite.path, sqlite.path.parent / f"app.pre-migrate-2020010{number + 1}T000000Z.db")
    (sqlite.path.parent / "app.pre-migrate-notes.txt").write_text("mine")
    (sqlite.path.parent / "other.pre-migrate-20200101T000000Z.db").write_text("mine")
    boot(container, sqlite.config())
    names = [path.name for path in sqlite.backups()]
    mine = [name for name in names if name.startswith("app.") and name.endswith(".db")]
    assert (
        len(mine) == 5
        and "app.pre-migrate-20200106T000000Z.db" in mine
        and "app.pre-migrate-20200102T000000Z.db" not in mine
    )
    assert "app.pre-migrate-notes.txt" in names and "other.pre-migrate-20200101T000000Z.db" in names


def test_nothing_pending_means_no_lock_no_backup_no_run(container, sqlite):
    boot(container, sqlite.config())
    one = boot(container, sqlite.config(check_command=["true"]))
    assert sqlite.rows() == 1 and sqlite.backups() == []
    assert one.marker("migrate.done"), "up to date is done"


def test_backup_false_makes_none(container, sqlite):
    boot(container, sqlite.config())
    boot(container, sqlite.config(backup=False))
    assert sqlite.backups() == [] and sqlite.rows() == 2


def test_a_failing_verification_is_a_failed_migration(container, sqlite):
    one = container(sqlite.config(verify_command=["false"])).start()
    assert one.wait_exit() == 79, one.output
    assert one.marker("migrate.done") is None and one.marker("failed")["unit"] == "migrate"


def test_a_failing_migration_may_be_passed_over_when_asked(container, sqlite):
    one = container(sqlite.config(command=sh("exit 3"), on_failure="continue")).start().wait_ready()
    assert one.marker("migrate.done") is None
    assert one.state("web") == "running"
    assert one.stop() == 0, one.output


def test_a_migration_that_takes_too_long_is_ended(container, sqlite):
    one = container(
        sqlite.config(command=sh("trap '' TERM; sleep infinity & wait; sleep infinity"), timeout="300ms")
    ).start()
    assert one.wait_exit(60) == 79, one.output


def test_steps_run_in_order_and_stop_at_the_first_failure(container, sqlite, tmp_path):
    trace = tmp_path / "trace"
    steps = [
        {"name": name, "command": sh(f"echo {name} >> {trace}; exit {code}")}
        for name, code in [("one", 0), ("two", 5), ("three", 0)]
    ]
    config = sqlite.config(steps=steps)
    del config["migrations"]["command"]
    one = container(config).start()
    assert one.wait_exit() == 79, one.output
    assert trace.read_text().split() == ["one", "two"]
    assert "two" in one.marker("failed")["reason"] or "two" in one.output


def test_a_corrupt_file_is_refused_untouched(container, sqlite):
    sqlite.path.parent.mkdir()
    sqlite.path.write_bytes(b"this is no database " * 1000)
    before = hashlib.sha256(sqlite.path.read_bytes()).hexdigest()
    one = container(sqlite.config()).start()
    assert one.wait_exit() == 73, one.output
    assert hashlib.sha256(sqlite.path.read_bytes()).hexdigest() == before
    assert str(sqlite.path) in one.output


def test_damaged_pages_are_found_by_the_quick_check(container, sqlite):
    sqlite.path.parent.mkdir()
    with sqlite3.connect(sqlite.path) as database:
        database.execute("CREATE TABLE t (v TEXT)")
        database.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 200)
    content = bytearray(sqlite.path.read_bytes())
    for page in range(2, 12):
        content[page * 4096 : page * 4096 + 200] = os.urandom(200)
    sqlite.path.write_bytes(content)
    one = container(sqlite.config()).start()
    assert one.wait_exit() == 73, one.output
    assert sqlite.path.read_bytes() == bytes(content)


def test_a_directory_in_the_files_place_is_refused(container, sqlite):
    sqlite.path.mkdir(parents=True)
    one = container(sqlite.config()).start()
    assert one.wait_exit() in (73, 77), one.output


def test_an_unwritable_directory_is_a_permission_problem(container, sqlite):
    sqlite.path.parent.mkdir()
    os.chmod(sqlite.path.parent, 0o555)
    one = container(sqlite.config(), inner=["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"])
    for folder in (one.directory, one.run_dir):
        os.chmod(folder, 0o777)
    one.start()
    assert one.wait_exit() == 77, one.output
    assert "app.db" in one.output or str(sqlite.path.parent) in one.output


def test_a_url_names_the_file_too(container, sqlite, tmp_path):
    config = sqlite.config()
    config["database"] = {
        "backend": "sqlite",
        "url": f"sqlite+aiosqlite:///{sqlite.path}",
        "export": {"APP_URL": {"form": "url", "driver": {"sqlite": "aiosqlite"}}, "APP_PATH": {"form": "path"}},
    }
    config["workers"]["web"]["command"] = sh('echo "url=$APP_URL path=$APP_PATH"; sleep infinity')
    one = boot(container, config)
    assert f"url=sqlite+aiosqlite:///{sqlite.path} path={sqlite.path}" in one.output
    assert sqlite.rows() == 1
