"""All tests of the repository share the servers that `local.testing` gives."""

pytest_plugins = ["local.testing"]
