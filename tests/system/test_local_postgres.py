"""The local PostgreSQL boot from outside: one server start, provisioning, init scripts, and what a second boot keeps."""
import gzip
import os
import shutil
import signal
import stat

import pytest

from harness import wait_until
from local_postgres import PASSWORD, LocalCluster
from processes import children_of, send_signal, status_of

READY_LINE = "database system is ready to accept connections"


@pytest.fixture
def cluster(tmp_path):
    return LocalCluster(tmp_path)


def test_cold_boot_provisions_everything_with_one_server_start(container, cluster):
    cluster.postgres.update(schema="My-Schema", extensions=["pg_trgm", "citext"])
    one = container(cluster.config()).start().wait_ready()
    assert one.output.count(READY_LINE) == 1
    assert one.marker("database.ready") and one.marker("migrate.done")
    assert cluster.sql("SELECT current_user, current_schema()") == "app|My-Schema"
    assert cluster.sql("SELECT v FROM kept") == "first boot"
    assert cluster.sql("SELECT schemaname FROM pg_tables WHERE tablename = 'kept'") == "My-Schema"
    assert (
        cluster.sql(
            "SELECT string_agg(extname, ',' ORDER BY extname) FROM pg_extension WHERE extname IN ('pg_trgm','citext')"
        )
        == "citext,pg_trgm"
    )
    assert cluster.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'") == "app"
    assert cluster.sql("SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'app'") == "f|f|f"
    assert cluster.sql("SHOW password_encryption") == "scram-sha-256"
    assert cluster.sql("SHOW fsync") == "on"
    assert cluster.data.stat().st_uid != 0 and stat.S_IMODE(cluster.data.stat().st_mode) & 0o077 in (0, 0o050)
    assert not [path for path in cluster.parent.iterdir() if path != cluster.data], "staging is gone"
    assert one.stop() == 0, one.output
    assert not (cluster.data / "postmaster.pid").exists()


def test_nobody_enters_without_the_password(container, cluster):
    one = container(cluster.config()).start().wait_ready()
    assert cluster.psql("SELECT 1").returncode == 0
    for attempt in (
        {"password": "wrong"},
        {"password": ""},
        {"user": "postgres", "password": ""},
        {"user": "postgres", "database": "postgres"},
    ):
        assert cluster.psql("SELECT 1", **attempt).returncode != 0, attempt
    assert "trust" not in [
        word
        for line in (cluster.data / "pg_hba.conf").read_text().splitlines()
        if line and line[0] != "#"
        for word in line.split()
    ]
    assert one.stop() == 0


def test_warm_boot_keeps_the_data_and_starts_the_server_once(container, cluster):
    first = container(cluster.config()).start().wait_ready()
    assert first.stop() == 0
    second = container(cluster.config()).start().wait_ready()
    assert second.output.count(READY_LINE) == 1
    assert cluster.sql("SELECT count(*) FROM kept") == "1"
    assert second.stop() == 0, second.output


def test_the_password_is_reset_on_every_boot(container, cluster):
    first = container(cluster.config()).start().wait_ready()
    cluster.sql("ALTER ROLE app PASSWORD 'changed by hand'")
    assert first.stop() == 0
    cluster.postgres["password"] = "second ' \\ password"
    second = container(cluster.config()).start().wait_ready()
    assert cluster.psql("SELECT 1").returncode == 0
    assert cluster.psql("SELECT 1", password=PASSWORD).returncode != 0
    assert second.stop() == 0


def test_a_generated_password_is_kept_secret_and_stable(container, cluster):
    del cluster.postgres["password"]
    config = cluster.config()
    config["database"]["export"] = {"APP_PASSWORD": {"form": "password"}}
    first = container(config).start().wait_ready()
    secrets = [path for path in first.state_dir.rglob("*") if path.is_file() and "password" in path.name]
    assert len(secrets) == 1 and stat.S_IMODE(secrets[0].stat().st_mode) == 0o600
    password = secrets[0].read_text().strip()
    assert len(password) >= 20 and password not in first.output
    assert cluster.psql("SELECT 1", password=password).returncode == 0
    assert first.stop() == 0
    second = container(config).start().wait_ready()
    assert secrets[0].read_text().strip() == password
    assert cluster.psql("SELECT 1", password=password).returncode == 0
    assert second.stop() == 0


def make_scripts(folder):
    folder.mkdir()
    (folder / "10-plain.sql").write_text("CREATE TABLE plain (v int); INSERT INTO plain VALUES (1);")
    (folder / "20-packed.sql.gz").write_bytes(gzip.compress(b"INSERT INTO plain VALUES (2);"))
    (folder / "30-shell.sh").write_text("psql -v ON_ERROR_STOP=1 -c 'INSERT INTO plain VALUES (3)'\n")
    (folder / "40-executed.sh").write_text(
        "#!/bin/sh\nexec psql -v ON_ERROR_STOP=1 -c 'INSERT INTO plain VALUES (4)'\n"
    )
    os.chmod(folder / "40-executed.sh", 0o755)
    (folder / "README.txt").write_text("ignored")


def test_init_scripts_run_in_order_and_on_the_first_initialisation_only(container, cluster, tmp_path):
    make_scripts(tmp_path / "scripts")
    cluster.cluster["init_scripts"] = str(tmp_path / "scripts")
    first = container(cluster.config()).start().wait_ready()
    assert first.output.count(READY_LINE) == 1
    owner = cluster.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'plain'")
    rows = cluster.psql("SELECT string_agg(v::text, '' ORDER BY v) FROM plain")
    assert rows.stdout.strip() == "1234" or owner != "app", (rows, owner)
    assert first.stop() == 0
    (tmp_path / "scripts" / "50-late.sql").write_text("SELECT 1/0;")
    second = container(cluster.config()).start().wait_ready()
    assert "division by zero" not in second.output
    assert second.stop() == 0


def test_a_failing_init_script_stops_the_boot_and_the_next_one_begins_again(container, cluster, tmp_path):
    make_scripts(tmp_path / "scripts")
    bad = tmp_path / "scripts" / "15-bad.sql"
    bad.write_text("INSERT INTO no_such_table VALUES (1);")
    cluster.cluster["init_scripts"] = str(tmp_path / "scripts")
    first = container(cluster.config()).start()
    assert first.wait_exit() not in (0, None), first.output
    assert "15-bad.sql" in first.output and "no_such_table" in first.output
    assert first.marker("database.ready") is None
    bad.unlink()
    second = container(cluster.config()).start().wait_ready()
    assert cluster.sql("SELECT v FROM kept") == "first boot"
    assert cluster.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'plain'") == "1"
    assert second.stop() == 0


def test_no_connection_from_outside_before_provisioning_is_done(container, cluster, tmp_path):
    """An init script stands still: meanwhile the final port serves nobody but Slipway."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    os.mkfifo(tmp_path / "gate")
    os.chmod(tmp_path / "gate", 0o666)
    (folder / "10-wait.sh").write_text(f"echo script-waits; read x < {tmp_path / 'gate'}\n")
    cluster.cluster["init_scripts"] = str(folder)
    one = container(cluster.config()).start()
    wait_until(lambda: "script-waits" in one.output, lambda: f"the init script\n{one.output}")
    assert cluster.psql("SELECT 1").returncode != 0
    assert one.marker("database.ready") is None
    (tmp_path / "gate").write_text("go\n")
    one.wait_ready()
    assert cluster.psql("SELECT 1").returncode == 0
    assert one.stop() == 0


def test_settings_and_rules_of_the_user_win(container, cluster):
    cluster.cluster.update(
        settings={"work_mem": "7MB", "log_line_prefix": "it's '%p' "},
        hba=["host all postgres 127.0.0.1/32 reject"],
        initdb_args=["--data-checksums"],
    )
    one = container(cluster.config()).start().wait_ready()
    assert "rejects connection" in cluster.psql("SELECT 1", user="postgres").stderr
    assert one.stop() == 0
    cluster.cluster["hba"] = []
    one = container(cluster.config()).start().wait_ready()
    assert cluster.sql("SHOW work_mem") == "7MB"
    assert cluster.sql("SHOW data_checksums") == "on"
    assert one.stop() == 0


def test_an_invalid_setting_is_a_configuration_error(container, cluster):
    cluster.cluster["settings"] = {"no_such_setting": "1"}
    one = container(cluster.config()).start()
    assert one.wait_exit() == 78, one.output
    assert "no_such_setting" in one.output


def test_a_server_that_crashes_comes_back_and_lets_the_application_in(container, cluster):
    one = container(cluster.config(), namespace=False).start().wait_ready()
    first = one.unit("postgres")["pid"]
    send_signal(first, signal.SIGKILL, one.output)
    wait_until(lambda: one.unit("postgres")["pid"] not in (0, first), "a new server", 30)
    wait_until(
        lambda: cluster.psql("SELECT v FROM kept").stdout.strip() == "first boot",
        lambda: f"the application to be let in: {cluster.psql('SELECT 1').stderr}",
        30,
    )
    assert one.unit("postgres")["restarts"] == 1
    assert one.stop() == 0, one.output


def test_processes_of_the_server_run_as_its_user(container, cluster):
    one = container(cluster.config(), namespace=False).start().wait_ready()
    postmaster = one.unit("postgres")["pid"]
    for pid in [postmaster, *children_of(postmaster)]:
        assert status_of(pid)["Uid"].split()[0] == str(cluster.data.stat().st_uid)
    assert one.stop() == 0


def test_everything_works_as_an_ordinary_user(container, cluster, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    shutil.chown(home, 54321, 54321)
    cluster.data = home / "data"
    cluster.cluster["data_dir"] = str(cluster.data)
    one = container(cluster.config(), inner=["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"])
    for folder in (one.directory, one.run_dir):
        shutil.chown(folder, 54321, 54321)
    one.start().wait_ready()
    assert cluster.sql("SELECT v FROM kept") == "first boot"
    assert cluster.data.stat().st_uid == 54321
    assert one.stop() == 0, one.output


def test_the_data_directory_may_be_a_mount_point(container, cluster):
    cluster.data.mkdir()
    mounted = ["sh", "-c", 'mount -t tmpfs -o mode=0755 tmpfs "$0" && exec "$@"', cluster.data]
    one = container(cluster.config(), inner=mounted).start().wait_ready()
    assert cluster.sql("SELECT v FROM kept") == "first boot"
    assert one.stop() == 0, one.output


def test_a_database_added_by_hand_and_a_renamed_user_survive(container, cluster):
    first = container(cluster.config()).start().wait_ready()
    assert first.stop() == 0
    cluster.postgres.update(user="Second-User", name="Second-Db")
    cluster.sections = {"migrations": {"on_startup": False}}
    second = container(cluster.config()).start().wait_ready()
    assert cluster.sql("SELECT current_user, current_database()") == "Second-User|Second-Db"
    assert cluster.sql("SELECT count(*) FROM pg_database WHERE datname = 'app'") == "1"
    assert second.stop() == 0
