"""What all tests share: real servers."""

from __future__ import annotations

pytest_plugins = ["tests.servers.fixtures"]
