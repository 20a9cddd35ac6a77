"""A stretch of network that can fail: bytes between a client and a server, TLS or not, at a test's mercy."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from types import TracebackType
from typing import Self


class Listener:
    """A loopback server with a thread for each connection; stopping it ends every connection."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.accepted = 0
        """Connections since the start."""
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopped = False
        self.port = self._listen(port)

    @property
    def open_connections(self) -> int:
        """Connections that clients hold at this moment."""
        with self._lock:
            return len(self._sockets)

    def serve(self, client: socket.socket) -> None:
        """Talks with one client until either side has enough; the socket is closed afterwards."""
        raise NotImplementedError

    def cut(self) -> None:
        """Breaks all connections at once."""
        with self._lock:
            for each in self._sockets:
                hang_up(each)

    def close_port(self) -> None:
        """From now on connections are refused, as if the server were gone; existing ones break."""
        self._listening.close()
        self._acceptor.join(5)
        self.cut()

    def open_port(self) -> None:
        """The server is back, on the same port."""
        self._listen(self.port)

    def stop(self) -> None:
        """All ended, no thread and no socket left."""
        self._stopped = True
        self.close_port()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self, port: int) -> int:
        self._listening = socket.create_server(("127.0.0.1", port))
        self._listening.settimeout(0.1)  # closing a socket does not wake a thread that waits in accept()
        self._acceptor = threading.Thread(target=self._accept, args=[self._listening], daemon=True)
        self._acceptor.start()
        return int(self._listening.getsockname()[1])

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            client.settimeout(None)
            with self._lock:
                self.accepted += 1
                self._sockets.add(client)
            thread = threading.Thread(target=self._serve, args=[client], daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client = self._encrypted(client)
                self.serve(client)
        finally:
            with self._lock:
                self._sockets.discard(client)
            hang_up(client)
            client.close()

    def _encrypted(self, client: socket.socket) -> socket.socket:
        """The connection in TLS, if that is spoken here. Known by its new socket, so that it can be cut."""
        if self._tls is None:
            return client
        with self._lock:
            self._sockets.discard(client)
            encrypted = self._tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
            self._sockets.add(encrypted)
        try:
            encrypted.do_handshake()
        except OSError:
            with self._lock:
                self._sockets.discard(encrypted)
            encrypted.close()
            raise
        return encrypted


class Link(Listener):
    """A connection to a server on `upstream_port` that freezes, crawls or breaks as it is told."""

    def __init__(self, upstream_port: int, port: int = 0) -> None:
        self.upstream_port = upstream_port
        self.bytes_per_second: int | None = None
        """Speed of what the server says; None is full speed. May be changed at any time."""
        self.cut_after: int | None = None
        """Bytes of the server's after which the next connection breaks, once."""
        self._flowing = threading.Event()
        self._flowing.set()
        super().__init__(port)

    def freeze(self) -> None:
        """Nothing comes through any more, and nobody is told."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Everything that was held up comes through."""
        self._flowing.set()

    def stop(self) -> None:
        self.thaw()
        self.bytes_per_second = None
        super().stop()

    def serve(self, client: socket.socket) -> None:
        self._flowing.wait()
        with socket.create_connection(("127.0.0.1", self.upstream_port)) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            up = threading.Thread(target=self._carry_up, args=[client, upstream], daemon=True)
            up.start()
            self._carry_down(upstream, client)
            hang_up(upstream)
            hang_up(client)
            up.join(5)

    def _carry_up(self, client: socket.socket, upstream: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self._flowing.wait()
                upstream.sendall(data)
        hang_up(upstream)

    def _carry_down(self, upstream: socket.socket, client: socket.socket) -> None:
        left, self.cut_after = self.cut_after, None
        with contextlib.suppress(OSError):
            while data := upstream.recv(65536):
                self._flowing.wait()
                if left is not None:
                    data, left = data[:left], left - len(data)
                self._deliver(data, client)
                if left is not None and left <= 0:
                    return

    def _deliver(self, data: bytes, client: socket.socket) -> None:
        while data and (speed := self.bytes_per_second) is not None:
            portion = max(1, speed // 10)
            client.sendall(data[:portion])
            data = data[portion:]
            time.sleep(portion / speed)
            self._flowing.wait()
        client.sendall(data)


def hang_up(connection: socket.socket) -> None:
    """Shuts a connection down in both directions; no matter if it is gone already."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
