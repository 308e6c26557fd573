"""pyst2's AGI class behind a server with a thread for each call. It imports nothing of the engine.

`python -m tests.bench.serve_pyst2 PORT KEYS PIN MENU ASK_PIN READ_OUT GOODBYE`
"""

from __future__ import annotations

import io
import socketserver
import sys
from types import SimpleNamespace

import asterisk.agi
from asterisk.agi import AGI


def main() -> None:
    port, keys, pin, menu, ask_pin, read_out, goodbye = sys.argv[1:8]

    class Call(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            # It writes text, and writes whatever it reads to its standard error: neither suits a socket as it is.
            out = io.TextIOWrapper(self.wfile, encoding="utf-8", newline="\n", write_through=True)  # type: ignore[type-var]  # a writer it is
            try:
                self.serve(AGI(self.rfile, out, _Nowhere()))
            except (asterisk.agi.AGIException, OSError):
                pass  # the caller was faster
            finally:
                out.detach()

        def serve(self, agi: AGI) -> None:
            if not agi.env:
                return
            agi.answer()
            chosen = agi.get_data(menu, 40_000, 1)
            if not chosen or chosen not in keys or agi.get_data(ask_pin, 6000, 6) != pin:
                agi.appexec("Wait", "20")
                return
            agi.appexec("Playback", read_out)
            agi.stream_file(goodbye)
            agi.hangup()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 1024

    # It catches SIGHUP in its constructor, which only the main thread may do.
    asterisk.agi.signal = SimpleNamespace(signal=lambda *_: None, SIGHUP=None)
    with Server(("127.0.0.1", int(port)), Call) as server:
        server.serve_forever()


class _Nowhere(io.TextIOBase):
    """Takes pyst2's remarks, which it makes on every line."""

    def write(self, text: str, /) -> int:
        return len(text)


if __name__ == "__main__":
    main()
