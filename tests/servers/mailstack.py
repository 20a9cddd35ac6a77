"""Dovecot and chasquid, started together on free loopback ports, as root or not, without systemd.

Mail goes in by real SMTP (`send`) or, thousands at once, as files into the maildir (`deposit`), and is read
back from the maildir (`mails`). People are made up as they are needed: `add_person`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from email.message import EmailMessage
from functools import partial
from itertools import count
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from imapclient.imap_utf7 import encode as encode_utf7

from tests.servers.certificates import make_certificates

PASSWORD = "secret"
OFFICE = "djb3916@163.com"
POSTMAN = "postman@school.test"
BOUNCING = "bounce"
"""Local part of addresses that are accepted and then come back with a delivery report."""
DOMAINS = ("163.com", "qq.com", "school.test", "section.test", "office.test", "example.cn")
FOLDERS = {"草稿箱": "\\Drafts", "已发送": "\\Sent", "已删除": "\\Trash", "垃圾邮件": "\\Junk"}

DOVECOT = Template("""\
base_dir = $dir/run
state_dir = $dir/state
instance_name = $name
protocols = imap lmtp
listen = 127.0.0.1
log_path = $dir/dovecot.log
default_internal_user = $internal_user
default_internal_group = $internal_group
default_login_user = $login_user
ssl = yes
ssl_cert = <$dir/chain.pem
ssl_key = <$dir/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Lu
auth_failure_delay = 0
login_trusted_networks = 127.0.0.0/8
first_valid_uid = 1
mail_uid = $mail_user
mail_gid = $mail_group
mail_location = maildir:$dir/mail/%Lu
mailbox_list_index = yes
mail_max_userip_connections = 100
mail_fsync = never
passdb {
  driver = passwd-file
  args = username_format=%Lu $dir/users
}
userdb {
  driver = passwd-file
  args = username_format=%Lu $dir/users
  override_fields = uid=$mail_user gid=$mail_group home=$dir/mail/%Lu
}
namespace inbox {
  inbox = yes
  separator = /
$folders
}
service imap-login {
  $unconfined
  inet_listener imap {
    port = $imap_port
  }
  inet_listener imaps {
    port = $imaps_port
    ssl = yes
  }
}
service anvil {
  $unconfined
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  $unconfined
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
service auth {
  idle_kill = 4294967295s
  unix_listener auth-chasquid-userdb {
    mode = 0666
  }
  unix_listener auth-chasquid-client {
    mode = 0666
  }
}
protocol lmtp {
  postmaster_address = postmaster@mail.test
}
""")

CHASQUID = Template("""\
hostname: "mail.test"
max_data_size_mb: 60
smtp_address: "127.0.0.1:$mx_port"
submission_address: "127.0.0.1:$submission_port"
submission_over_tls_address: "127.0.0.1:$smtps_port"
mail_delivery_agent_bin: "$dir/deliver.sh"
mail_delivery_agent_args: "%to_user%"
mail_delivery_agent_args: "--addr"
mail_delivery_agent_args: "$dir/run/lmtp"
mail_delivery_agent_args: "-f"
mail_delivery_agent_args: "%from%"
mail_delivery_agent_args: "-d"
mail_delivery_agent_args: "%to%"
data_dir: "$dir/chasquid/data"
drop_characters: ""
mail_log_path: "$dir/maillog"
dovecot_auth: true
dovecot_userdb_path: "$dir/run/auth-chasquid-userdb"
dovecot_client_path: "$dir/run/auth-chasquid-client"
""")

DELIVER = """\
#!/bin/sh
user=$1; shift
[ "$user" = bounce ] && { cat >/dev/null; echo "550 5.1.1 User unknown"; exit 65; }
exec /usr/bin/mda-lmtp "$@"
"""

KEEP_SENT = Template("""\
#!/bin/sh
# What is sent shows up in the sender's 已发送, as on 163.com.
box="$dir/mail/$$AUTH_AS/$sent/new"
[ -n "$$AUTH_AS" ] && [ -d "$$box" ] && cat > "$$box/$$(date +%s%N).$$$$.sent"
exit 0
""")


class MailStack:
    """Dovecot and chasquid in a temporary directory: `with MailStack() as stack: …`."""

    def __init__(
        self, people: Iterable[str] = (), domains: Sequence[str] = DOMAINS, keep_sent: bool = False
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mailstack-"))
        self.folder.chmod(0o755)
        ports = free_ports(5)
        self.imap_port, self.imaps_port, self.mx_port, self.submission_port, self.smtps_port = ports
        self.certificates = make_certificates(self.folder)
        self.ca_file = self.certificates.ca_file
        self.dovecot: subprocess.Popen[bytes] | None = None
        self.chasquid: subprocess.Popen[bytes] | None = None
        self.keep_sent = keep_sent
        self._people: set[str] = set()
        self._serial = count(1)
        self._write_configuration(domains, keep_sent)
        for person in (OFFICE, POSTMAN, *(f"{BOUNCING}@{domain}" for domain in domains), *people):
            self.add_person(person)

    # --- life -----------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Both servers, answering. TimeoutError: one did not come up; the message has its log."""
        self.start_imap()
        self.start_smtp()
        return self

    def start_imap(self) -> None:
        self.dovecot = self._spawn(["dovecot", "-F", "-c", f"{self.folder}/dovecot.conf"])
        self._wait_for_ports(self.imap_port, self.imaps_port)
        wait_until((self.folder / "run/lmtp").exists)

    def start_smtp(self) -> None:
        self.chasquid = self._spawn(
            ["chasquid", f"-config_dir={self.folder}/chasquid", f"-logfile={self.folder}/chasquid.log"]
        )
        self._wait_for_ports(self.mx_port, self.submission_port, self.smtps_port)

    def stop_imap(self) -> None:
        # What chasquid has accepted it would try again only minutes later.
        with contextlib.suppress(TimeoutError):
            self._deliver_what_is_queued(5)
        end(self.dovecot)
        self.dovecot = None

    def stop_smtp(self) -> None:
        end(self.chasquid)
        self.chasquid = None

    def stop(self) -> None:
        """Both ended, all that they wrote removed."""
        self.stop_smtp()
        self.stop_imap()
        with contextlib.suppress(TimeoutError):  # the last children may still write for a moment
            wait_until(self._removed, 2)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- people and their mail ------------------------------------------------------------------------

    def add_person(self, address: str, password: str = PASSWORD) -> str:
        """The address, which from now on has a mailbox and may log in and send."""
        if address not in self._people:
            self._people.add(address)
            with (self.folder / "users").open("a") as users:
                users.write(f"{address.lower()}:{{PLAIN}}{password}::::::\n")
            if self.keep_sent and address == OFFICE:
                self.deposit(address, [], "已发送")
        return address

    def change_password(self, address: str, password: str) -> None:
        """From now on only the new password opens the mailbox."""
        users = self.folder / "users"
        lines = [
            line for line in users.read_text().splitlines() if not line.startswith(f"{address.lower()}:")
        ]
        users.write_text("\n".join([*lines, f"{address.lower()}:{{PLAIN}}{password}::::::", ""]))

    def send(self, message: EmailMessage | bytes, sender: str | None = None, to: Sequence[str] = ()) -> None:
        """Mails a message as anybody; recipients are those of the message unless `to` says otherwise."""
        self.send_all([message], sender, to)

    def send_all(
        self, messages: Iterable[EmailMessage | bytes], sender: str | None = None, to: Sequence[str] = ()
    ) -> None:
        """Mails many messages over one connection."""
        context = self.certificates.client_context()
        with smtplib.SMTP_SSL("localhost", self.smtps_port, context=context, timeout=30) as smtp:
            assert smtp.sock is not None
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            smtp.login(POSTMAN, PASSWORD)
            for message in messages:
                if isinstance(message, bytes):
                    smtp.sendmail(sender or POSTMAN, list(to), message)
                else:
                    smtp.send_message(message, sender, list(to) or None)

    def deposit(self, address: str, raws: Iterable[bytes], folder: str = "INBOX") -> None:
        """Puts mails straight into a mailbox, thousands a second, in their order."""
        self.add_person(address)
        box = self._maildir(address, folder)
        new = [box / part for part in ("cur", "new", "tmp")]
        for part in new:
            part.mkdir(parents=True, exist_ok=True)
        stamp = time.time_ns()
        for raw in raws:
            (box / "new" / f"{stamp // 10**9}.M{next(self._serial):09d}P1.test,S={len(raw)}").write_bytes(raw)
        self._give_away(self.folder / "mail" / address.lower())

    def remove(self, address: str, number: int) -> None:
        """Takes the oldest mails of an inbox away."""
        for path in self._files(address, "INBOX")[:number]:
            path.unlink()

    def forget_numbers(self, address: str) -> None:
        """Lets the server number an inbox anew from 1, as after a restored backup."""
        for path in self._maildir(address, "INBOX").glob("dovecot*"):
            if path.is_file():
                path.unlink()

    def mails(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """All mails in somebody's folder, oldest first; what chasquid has accepted until now is among them.

        TimeoutError: it could not deliver them.
        """
        self._deliver_what_is_queued()
        return [path.read_bytes() for path in self._files(address, folder)]

    def count(self, address: str, folder: str = "INBOX") -> int:
        """How many mails are in somebody's folder."""
        return len(self._files(address, folder))

    def wait_for(self, address: str, number: int, folder: str = "INBOX", seconds: float = 20) -> list[bytes]:
        """The mails of a folder once there are at least `number`. TimeoutError: there are not."""
        wait_until(lambda: self.count(address, folder) >= number, seconds)
        return self.mails(address, folder)

    def logs(self) -> str:
        """What both servers have to say."""
        paths = (self.folder / "dovecot.log", self.folder / "chasquid.log")
        return "\n".join(path.read_text(errors="replace") for path in paths if path.exists())

    # --- inside ---------------------------------------------------------------------------------------

    def _deliver_what_is_queued(self, seconds: float = 30) -> None:
        """chasquid answers 250 when a mail is in its queue; a busy machine hands it over much later."""
        if self.chasquid is None or self.chasquid.poll() is not None:
            return
        queued = list((self.folder / "chasquid/data/queue").glob("m:*"))
        wait_until(lambda: not any(path.exists() for path in queued), seconds)

    def _files(self, address: str, folder: str) -> list[Path]:
        box = self._maildir(address, folder)
        return sorted(
            (path for part in ("new", "cur") if (box / part).is_dir() for path in (box / part).iterdir()),
            key=_arrival,
        )

    def _maildir(self, address: str, folder: str) -> Path:
        home = self.folder / "mail" / address.lower()
        return home if folder == "INBOX" else home / _folder_name(folder)

    def _removed(self) -> bool:
        shutil.rmtree(self.folder, ignore_errors=True)
        return not self.folder.exists()

    def _give_away(self, path: Path) -> None:
        if os.geteuid() == 0:
            for each in (path, *path.rglob("*")):
                with contextlib.suppress(FileNotFoundError):  # Dovecot's own, there for a moment
                    shutil.chown(each, "nobody", "nogroup")

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "servers.log").open("ab") as output:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def _wait_for_ports(self, *ports: int) -> None:
        for port in ports:
            try:
                wait_until(partial(_listens, port), 10)
            except TimeoutError as error:
                raise TimeoutError(f"no server on port {port}:\n{self.logs()}") from error

    def _write_configuration(self, domains: Sequence[str], keep_sent: bool) -> None:
        folder, root = self.folder, os.geteuid() == 0
        chasquid = folder / "chasquid"
        for name in ("run", "state", "mail", "chasquid/certs/mail.test", "chasquid/data", "chasquid/hooks"):
            (folder / name).mkdir(parents=True)
        for domain in domains:
            (chasquid / "domains" / domain).mkdir(parents=True)
        me = pwd.getpwuid(os.geteuid())
        group = str(me.pw_gid)
        values = {
            **vars(self),
            "dir": folder,
            "name": folder.name,
            "sent": _folder_name("已发送"),
            "internal_user": "dovecot" if root else me.pw_name,
            "internal_group": "dovecot" if root else group,
            "login_user": "dovenull" if root else me.pw_name,
            "mail_user": "nobody" if root else me.pw_name,
            "mail_group": "nogroup" if root else group,
            "unconfined": "" if root else "chroot =",
            "folders": "\n".join(map(_folder_block, FOLDERS)),
        }
        (folder / "dovecot.conf").write_text(DOVECOT.substitute(values))
        (chasquid / "chasquid.conf").write_text(CHASQUID.substitute(values))
        shutil.copy(folder / "chain.pem", chasquid / "certs/mail.test/fullchain.pem")
        shutil.copy(folder / "key.pem", chasquid / "certs/mail.test/privkey.pem")
        _write_script(folder / "deliver.sh", DELIVER)
        if keep_sent:
            _write_script(chasquid / "hooks/post-data", KEEP_SENT.substitute(values))
        (folder / "users").touch(0o644)
        self._give_away(folder / "mail")


def free_ports(number: int) -> list[int]:
    """That many ports which nobody listens on."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Returns as soon as the condition holds. TimeoutError: it does not in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.01)


def end(process: subprocess.Popen[bytes] | None) -> None:
    """Ends a server that we started, by its process id: asked first, then forced; frozen or not."""
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.05)
    with contextlib.suppress(ProcessLookupError):  # its children too: Dovecot's linger for a second
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)


def _arrival(path: Path) -> tuple[int, int, str]:
    """Second and microsecond in which a mail came, out of its file's name: `1668000000.M98765P42.host`."""
    found = re.match(r"(\d+)\.M(\d+)", path.name)
    return (int(found[1]), int(found[2]), path.name) if found else (0, 0, path.name)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _folder_name(folder: str) -> str:
    return "." + str(encode_utf7(folder), "ascii")


def _folder_block(name: str) -> str:
    return f'  mailbox "{name}" {{\n    special_use = {FOLDERS[name]}\n    auto = subscribe\n  }}'


def _write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
