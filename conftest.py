"""All tests of the repository share the servers that `local.testing` gives; and how they are shared out to workers."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["local.testing"]

IN_ONE_TOWN = {
    f"tests/journeys/test_{name}.py" for name in ("a_report_becomes_a_score", "a_visit", "an_erasure", "outages")
}


class Together(LoadScopeScheduling):
    """A file's tests run one after the other in one worker, as what they share lives there; so do those of one town.

    xdist's own `loadgroup` marks the ids of tests, which pytest 9.2 does not let it do: it scattered them.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together | None:
    """For `make test`, which asks for scopes."""
    return Together(config, log) if config.getoption("dist") == "loadscope" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first, so that no worker is still at it when the others have nothing left."""
    longest: dict[str, float] = {}
    for item in items:
        scope = _scope(item.nodeid)
        longest[scope] = max(longest.get(scope, 0), _limit(item))
    items.sort(key=lambda it: -longest[_scope(it.nodeid)])


def _scope(nodeid: str) -> str:
    path = nodeid.partition("::")[0]
    return "a town" if path in IN_ONE_TOWN else path


def _limit(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return marker.args[0] if marker else float(item.config.getini("timeout"))
