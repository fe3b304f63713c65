"""Dependencies between the folders of src/ point one way, and the reader that says so sees a wrong arrow."""
import pytest

from includes import wrong_arrows
from project import ROOT


def test_every_include_follows_the_direction():
    assert wrong_arrows(ROOT / "src") == []


@pytest.mark.parametrize(
    "file, line, wrong",
    [
        ("config/loader.cpp", '#include "engine/plan.hpp"', True),
        ("engine/engine.cpp", '#include "host/child_table.hpp"', True),
        ("engine/engine.cpp", '#include "config/loader.hpp"', True),
        ("engine/engine.cpp", "#include <sys/wait.h>", True),
        ("engine/engine.cpp", "#include <thread>", True),
        ("host/child_table.cpp", '#include "logging/sink.hpp"', True),
        ("logging/sink.cpp", '  #  include "control/server.hpp"', True),
        ("database/migrate.cpp", '#include "supervisor/loop.hpp"', True),
        ("web/routes.cpp", '#include "engine/plan.hpp"', True),
        ("supervisor/loop.cpp", '#include "database/postgres/session.hpp"', True),
        ("supervisor/loop.cpp", '#include "programs/slipway/run.hpp"', True),
        ("util/strings.cpp", "", True),
        ("engine/engine.cpp", '#include "config/configuration.hpp"', False),
        ("engine/engine.cpp", '#include "engine/plan.hpp"', False),
        ("programs/slipway/plan.cpp", '#include "database/resolve.hpp"', False),
        ("database/migrate.cpp", '#include "host/files.hpp"', False),
        ("programs/slipway/main.cpp", '#include "supervisor/loop.hpp"', False),
    ],
)
def test_reader_catches_a_wrong_arrow_and_only_that(tmp_path, file, line, wrong):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(f"#pragma once\n{line}\nint x;\n")
    assert bool(wrong_arrows(tmp_path)) is wrong
