"""Makes the fixtures known to pytest."""
from fixtures import container, module_server, tmp_path  # noqa: F401
