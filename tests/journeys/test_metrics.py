"""An administrator's monitoring sees the daemon's condition on the loopback."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

from daemon.config import load
from daemon.metrics import served
from daemon.store.opening import opened_store
from tests.journeys.test_main_job import report
from tests.journeys.town import Town, school_address
from tests.servers.mailstack import MailStack, free_ports


def test_the_figures_of_the_status_are_served_as_metrics(mail_stack: MailStack, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    town = Town(mail_stack, tmp_path / "town", settings=f"[metrics]\nport = {port}\n", schools=3)
    town.write(school_address(0), "报表", "", [report()])
    town.once()
    config = load(town.config)
    store = opened_store(config)
    with served(store, config, lambda: datetime.now(UTC)):
        text = urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    store.close()
    assert "djb_faults 0.0" in text
    assert 'djb_problems_open{state="registered"} 1.0' in text
    assert 'djb_mail{fate="total"} 1.0' in text
