"""All tests of the repository share the servers that `local.testing` gives."""

import pytest

pytest_plugins = ["local.testing"]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests run one after the other in one worker, as what they share lives there."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
