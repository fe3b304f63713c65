"""A real Django project boots under Slipway as PID 1 on every backend, keeps its data, and refuses to lie."""
import os
import shutil

import pytest

from harness import free_port, wait_until
from postgres_server import PostgresServer
from shop import Shop


@pytest.fixture(params=["sqlite", "local", "external"])
def shop(request, tmp_path):
    server = None
    if request.param == "sqlite":
        database = {"backend": "sqlite", "sqlite": {"path": str(tmp_path / "data" / "shop.db")}}
    elif request.param == "local":
        data = tmp_path / "cluster"
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
        database = {
            "backend": "postgres",
            "postgres": {
                "local": True,
                "port": free_port(),
                "name": "shop",
                "user": "shop",
                "password": "p@ss:/%# \"'word",
                "cluster": {"data_dir": str(data / "data"), "init_scripts": ""},
            },
        }
    else:
        server = PostgresServer(tmp_path / "server").start()
        server.create("shop", "shop", "p@ss:/%# \"'word")
        database = {
            "backend": "postgres",
            "postgres": {
                "host": "127.0.0.1",
                "port": server.port,
                "name": "shop",
                "user": "shop",
                "password": "p@ss:/%# \"'word",
            },
        }
    os.chmod(tmp_path, 0o755)
    yield Shop(tmp_path, database)
    if server:
        server.stop()


def test_boots_migrates_serves_and_keeps_rows_across_a_restart(container, shop):
    first = container(shop.config(), name="c").start().wait_ready()
    assert first.marker("migrate.done")["name"] == "migrate.done"
    shop.add_note("written before the restart")
    assert first.stop() == 0, first.output
    assert first.marker("ready") is None

    second = container(shop.config(), name="c").start().wait_ready()
    assert shop.notes() == ["written before the restart"]
    assert second.stop() == 0, second.output


def test_failing_migration_stops_the_next_boot_with_79_and_starts_no_worker(container, shop):
    first = container(shop.config(), name="c").start().wait_ready()
    shop.add_note("kept")
    assert first.stop() == 0, first.output

    shop.add_failing_migration()
    second = container(shop.config(), name="c").start()
    assert second.wait_exit() == 79, second.output
    assert second.marker("migrate.done") is None
    assert second.marker("ready") is None
    assert second.marker("failed")["exit_code"] == 79
    assert "this migration was made to fail" in second.output
    assert "Listening at" not in second.output, "gunicorn was started"
    assert "p@ss" not in second.output

    shutil.rmtree(shop.project)
    third_shop = Shop(shop.project.parent, shop.database)
    third = container(third_shop.config(), name="c").start().wait_ready()
    assert third_shop.notes() == ["kept"]
    assert third.marker("failed") is None
    assert third.stop() == 0


def test_every_process_has_ended_when_the_container_stops(container, shop):
    one = container(shop.config(), name="c", namespace=False).start()
    one.wait_ready()
    pids = [unit["pid"] for unit in one.status()["units"] if unit["pid"]]
    assert one.stop() == 0, one.output
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the units' processes to be gone", 5)
