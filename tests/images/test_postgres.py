"""The image with PostgreSQL 17: cold and warm boots under the restrictions that people run containers with."""
import pathlib

import pytest

IMAGE = "localhost/slipway:postgres"
CONFIG = pathlib.Path(__file__).parent / "boots.yaml"
PASSWORD = "p@ss:/%# word"
OPTIONS = ("--network", "none", "--env", f"DB_PASSWORD={PASSWORD}",
           "--volume", f"{CONFIG}:/etc/slipway/slipway.yaml:ro")


def rows(one):
    """Rows of the table, read over TCP as the application's role with its password."""
    done = one.exec("env", f"PGPASSWORD={PASSWORD}", "psql", "-h", "localhost", "-U", "boots", "-d", "boots", "-Atc",
                    "SELECT count(*) FROM boots.boots")
    return int(done.stdout)


@pytest.mark.parametrize("options", [
    (),
    ("--user", "1000:1000"),
    ("--user", "postgres"),
    ("--read-only",),
    ("--memory", "512m"),
    ("--user", "1000:1000", "--cap-drop", "all"),
    ("--user", "1000:1000", "--cap-drop", "all", "--read-only", "--memory", "512m",
     "--security-opt", "no-new-privileges"),
], ids=lambda options: " ".join(options) or "defaults")
def test_boots_cold_stops_cleanly_and_boots_warm(container, options):
    one = container(IMAGE, *OPTIONS, *options).wait_ready()
    assert rows(one) == 1
    assert one.stop() == 0, one.logs()
    log = one.logs()
    assert "database system is shut down" in log
    assert "unit.killed" not in log
    assert "was not properly shut down" not in log
    assert PASSWORD not in log and "p%40ss" not in log

    one.start().wait_ready()
    assert rows(one) == 2
    assert one.stop() == 0, one.logs()
    assert "was not properly shut down" not in one.logs()


def test_survives_a_kill_of_pid_1(container):
    one = container(IMAGE, *OPTIONS).wait_ready()
    from podman import podman

    podman("kill", "--signal", "KILL", one.name)
    assert one.wait_exit() == 137
    one.start().wait_ready()
    assert rows(one) == 2
    assert one.stop() == 0, one.logs()


def test_a_volume_at_the_data_directory_itself_works(container, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    one = container(IMAGE, *OPTIONS, "--volume", f"{data}:/var/lib/postgresql/data").wait_ready()
    assert rows(one) == 1
    assert (data / "PG_VERSION").read_text().strip() == "17"
    assert one.stop() == 0, one.logs()


def test_failed_migration_ends_the_container_with_79(container, tmp_path):
    config = tmp_path / "slipway.yaml"
    config.write_text(CONFIG.read_text().replace("CREATE TABLE IF NOT EXISTS boots", "CREATE NONSENSE"))
    one = container(IMAGE, "--network", "none", "--volume", f"{config}:/etc/slipway/slipway.yaml:ro")
    assert one.wait_exit() == 79, one.logs()
    assert "unit.started" not in [line for line in one.logs().splitlines() if "counter" in line]


def test_a_bad_configuration_ends_the_container_with_78_and_a_place(container, tmp_path):
    config = tmp_path / "slipway.yaml"
    config.write_text(CONFIG.read_text().replace("migrations:", "migratoins:"))
    one = container(IMAGE, "--network", "none", "--volume", f"{config}:/etc/slipway/slipway.yaml:ro")
    assert one.wait_exit() == 78, one.logs()
    assert "slipway.yaml:11:1" in one.logs() and "migrations" in one.logs()


def test_as_it_is_the_image_is_a_database_server_that_takes_a_command(container):
    one = container(IMAGE, "--network", "none", "--env", "DB_PASSWORD=x",
                    command=("sh", "-c", 'psql -Atc "SELECT current_database(), current_user"'))
    assert one.wait_exit() == 0, one.logs()
    assert "app|app" in one.logs()
