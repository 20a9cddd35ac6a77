"""What all tests share: real servers, and how long properties are searched."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.fixtures"]

# Neither a busy machine nor a slow example is a fault. CI looks at the same examples every time, so that a
# change is judged by itself; everywhere else new ones are tried.
settings.register_profile("office", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("office"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "office")
