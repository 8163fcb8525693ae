"""All tests of the repository share the servers that `local.testing` gives."""

import pytest

pytest_plugins = ["local.testing"]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests run one after the other in one worker, as what they share lives there; what may take longest
    begins first, so that no worker is still at it when the others have nothing left."""
    longest: dict[str, float] = {}
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
        longest[_group(item)] = max(longest.get(_group(item), 0), _limit(item))
    items.sort(key=lambda it: -longest[_group(it)])


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    return marker.args[0] if marker else ""


def _limit(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return marker.args[0] if marker else float(item.config.getini("timeout"))
