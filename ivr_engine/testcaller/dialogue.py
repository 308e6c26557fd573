"""One outgoing call, and one registration, as state machines: SIP messages in, datagrams and states out.

Knows as much of RFC 3261 as a telephone that calls and is hung up needs: INVITE, ACK, CANCEL, BYE, REGISTER and
retransmission over UDP. Must not know sockets, tasks, RTP or what is said in the call. Every request goes to
the address dialled first, also inside the dialogue: a loose router there follows the Route headers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ivr_engine.testcaller.sip import Account, Media, SipMessage, digest_answer
from ivr_engine.values.ids import Ids

T1_S: Final = 0.5
"""First retransmission (RFC 3261 section 17.1.1.1)."""
T2_S: Final = 4.0
GIVE_UP_S: Final = 64 * T1_S
TRYING: Final = 100
OK: Final = 200
REDIRECTION: Final = 300
UNAUTHORIZED: Final = 401
PROXY_AUTHENTICATION_REQUIRED: Final = 407


class CallState(StrEnum):
    """Where an outgoing call is."""

    CALLING = "calling"
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


class EndedBy(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    FAR_END = "far end"
    REFUSED = "refused"
    NO_ANSWER = "no answer to a request"


@dataclass(slots=True)
class _Outstanding:
    """A request without its final response."""

    request: SipMessage
    next_at: float
    interval_s: float
    give_up_at: float


@dataclass(frozen=True, slots=True)
class Address:
    """Who calls whom through which server: `host`, `port` are the server's, `local_*` our own SIP socket.

    `contact_port` is where later requests reach us. Raises `ValueError` for what would break a header.
    """

    user: str
    host: str
    port: int
    caller: str
    local_host: str
    local_port: int
    contact_port: int
    display_name: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.+*#-]{1,64}", self.user) or not re.fullmatch(r"[\w.+*#-]{1,64}", self.caller):
            raise ValueError("a number has 1 to 64 letters, digits or any of . + * # -")
        if re.search(r'[\r\n"\\]', self.display_name):
            raise ValueError("a display name has no quote, backslash or line break")

    @property
    def uri(self) -> str:
        """Return the SIP URI that is called; `#` is written `%23`."""
        return f"sip:{self.user.replace('#', '%23')}@{self.host}:{self.port}"

    @property
    def contact(self) -> str:
        """Return where we are reached."""
        return f"<sip:{self.caller.replace('#', '%23')}@{self.local_host}:{self.contact_port}>"


class Requests:
    """The requests of one Call-ID: builds them, repeats them until answered, answers challenges."""

    def __init__(self, address: Address, account: Account | None, ids: Ids) -> None:
        self.address = address
        self.call_id = ids.new()
        self._ids = ids
        self._account = account
        name = f'"{address.display_name}" ' if address.display_name else ""
        self.local = f"{name}<sip:{address.caller}@{address.local_host}>;tag={ids.new()}"
        self.remote = f"<{address.uri}>"
        self.target = address.uri
        self.route: list[str] = []
        self.number = 0
        self.output: list[bytes] = []
        self._outstanding: dict[str, _Outstanding] = {}
        self._challenged = False

    @property
    def waiting(self) -> bool:
        """Return whether a request has no final response yet."""
        return bool(self._outstanding)

    def build(
        self, method: str, extra: tuple[tuple[str, str], ...] = (), body: str = "", *, number: int | None = None
    ) -> SipMessage:
        """Return a request of this dialogue, with a new CSeq unless `number` is given."""
        if number is None:
            self.number = number = self.number + 1
        here = f"{self.address.local_host}:{self.address.local_port}"
        headers = (
            ("Via", f"SIP/2.0/UDP {here};branch=z9hG4bK{self._ids.new()}"),
            ("Max-Forwards", "70"),
            *(("Route", route) for route in self.route),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            ("Contact", self.address.contact),
            *extra,
        )
        return SipMessage(f"{method} {self.target} SIP/2.0", headers, body)

    def send(self, request: SipMessage, now: float) -> None:
        """Send and repeat until `answered`."""
        self.output.append(request.encode())
        self._outstanding[request.method] = _Outstanding(request, now + T1_S, T1_S, now + GIVE_UP_S)

    def provisional(self, method: str) -> None:
        """Stop repeating the request, and stop giving up: the peer works on it."""
        if method in self._outstanding:
            self._outstanding[method].next_at = self._outstanding[method].give_up_at = float("inf")

    def pending(self, method: str) -> SipMessage | None:
        """Return the request of this method that waits for its final response."""
        waiting = self._outstanding.get(method)
        return waiting.request if waiting else None

    def answered(self, method: str) -> SipMessage | None:
        """Forget the request and return it; None when it had been answered before."""
        done = self._outstanding.pop(method, None)
        return done.request if done else None

    def poll(self, now: float) -> bool:
        """Repeat what is due; return False when a request was given up after 32 s."""
        alive = True
        for method, waiting in list(self._outstanding.items()):
            if now >= waiting.give_up_at:
                del self._outstanding[method]
                alive = False
            elif now >= waiting.next_at:
                longest = GIVE_UP_S if method == "INVITE" else T2_S
                waiting.interval_s = min(2 * waiting.interval_s, longest)
                waiting.next_at = now + waiting.interval_s
                self.output.append(waiting.request.encode())
        return alive

    def prove(self, request: SipMessage, response: SipMessage, now: float) -> bool:
        """Send the request again with digest credentials; False when there are none or they were refused."""
        if self._account is None or self._challenged:
            return False
        self._challenged = True
        proxy = response.status == PROXY_AUTHENTICATION_REQUIRED
        challenge = response.get("proxy-authenticate" if proxy else "www-authenticate")
        value = digest_answer(challenge, self._account, request.method, self.target, self._ids.new())
        name = "Proxy-Authorization" if proxy else "Authorization"
        kept = tuple(header for header in request.headers if header[0] in {"Content-Type", "Expires"})
        self.send(self.build(request.method, (*kept, (name, value)), request.body), now)
        return True

    def reply(self, request: SipMessage, status: str, body: str = "") -> None:
        """Answer a request of the peer."""
        names = {"via", "record-route", "from", "call-id", "cseq"}
        copied = tuple(header for header in request.headers if header[0].lower() in names)
        to = request.get("to")
        copied += (("To", to if ";tag=" in to else self.local),)
        extra: tuple[tuple[str, str], ...] = (("Contact", self.address.contact),)
        if body:
            extra += (("Content-Type", "application/sdp"),)
        self.output.append(SipMessage(f"SIP/2.0 {status}", copied + extra, body).encode())


class OutgoingCall:
    """One call that we make: `start`, then `receive` every message of its Call-ID and `poll` now and then."""

    def __init__(
        self,
        address: Address,
        media: Media,
        ids: Ids,
        account: Account | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.requests = Requests(address, account, ids)
        self.state = CallState.CALLING
        self.ended_by: EndedBy | None = None
        self.status: int | None = None
        """The last status of the INVITE."""
        self.remote_media: Media | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._media = media
        self._headers = headers
        self._ack: SipMessage | None = None
        self._cancelled = False

    @property
    def finished(self) -> bool:
        """Return whether the call is over and nothing is outstanding."""
        return self.state is CallState.ENDED and not self.requests.waiting

    def start(self, now: float) -> None:
        """Send the INVITE."""
        extra = (("Content-Type", "application/sdp"), *self._headers)
        self.requests.send(self.requests.build("INVITE", extra, self._media.to_sdp()), now)

    def hang_up(self, now: float) -> None:
        """Send BYE, or CANCEL before the answer; harmless when the call is over."""
        if self.state is CallState.TALKING:
            self.requests.send(self.requests.build("BYE"), now)
            self._end(EndedBy.CALLER)
        elif self.state is not CallState.ENDED:
            self._cancelled = True
            if self.state is CallState.RINGING or self.status is not None:
                self._cancel(now)

    def receive(self, message: SipMessage, now: float) -> None:
        """Take one message of this call."""
        if message.status is None:
            self._receive_request(message)
        elif message.method == "INVITE":
            self._receive_invite_response(message, message.status, now)
        elif message.status >= OK:
            self.requests.answered(message.method)

    def poll(self, now: float) -> None:
        """Repeat what was not answered."""
        if not self.requests.poll(now) and self.state is not CallState.ENDED:
            self._end(EndedBy.NO_ANSWER)

    def _receive_request(self, request: SipMessage) -> None:
        if request.method == "BYE":
            self.requests.reply(request, "200 OK")
            if self.state is not CallState.ENDED:
                self._end(EndedBy.FAR_END)
        elif request.method in {"INVITE", "UPDATE"} and self.state is CallState.TALKING:
            if request.body:
                self.remote_media = Media.from_sdp(request.body) or self.remote_media
            self.requests.reply(request, "200 OK", self._media.to_sdp())
        elif request.method in {"OPTIONS", "INFO", "NOTIFY"}:
            self.requests.reply(request, "200 OK")
        elif request.method != "ACK":
            self.requests.reply(request, "501 Not Implemented")

    def _receive_invite_response(self, response: SipMessage, status: int, now: float) -> None:
        if status < OK:
            self.status = status
            self.requests.provisional("INVITE")
            if self.state is CallState.CALLING and status > TRYING:
                self.state = CallState.RINGING
                self.on_change()
            if self._cancelled:
                self._cancel(now)
            return
        request = self.requests.answered("INVITE")
        if status < REDIRECTION:
            self._receive_answer(response, request, now)
            return
        if request is not None:
            self._acknowledge_refusal(request, response)
            if status in {UNAUTHORIZED, PROXY_AUTHENTICATION_REQUIRED} and self.requests.prove(request, response, now):
                return
            self.status = status
            self._end(EndedBy.CALLER if self._cancelled else EndedBy.REFUSED)

    def _receive_answer(self, response: SipMessage, request: SipMessage | None, now: float) -> None:
        """Acknowledge a 2xx, once more for every repetition (RFC 3261 section 13.2.2.4)."""
        if request is not None:
            self.status = response.status
            self.requests.remote = response.get("to")
            contact = re.search(r"<([^>]+)>", response.get("contact"))
            self.requests.target = contact[1] if contact else self.requests.target
            self.requests.route = response.every("record-route")[::-1]
            number = int(request.get("cseq").split(" ")[0])
            self._ack = self.requests.build("ACK", number=number)
            self.remote_media = Media.from_sdp(response.body)
            self.state = CallState.TALKING
        if self._ack is not None:
            self.requests.output.append(self._ack.encode())
        if request is not None and (self._cancelled or self.remote_media is None):
            self.hang_up(now)  # the answer crossed the CANCEL, or offers nothing that can be heard
        elif request is not None:
            self.on_change()

    def _acknowledge_refusal(self, request: SipMessage, response: SipMessage) -> None:
        """ACK of a non-2xx is part of the INVITE's transaction: same branch, same target (section 17.1.1.3)."""
        kept = {"Via", "Max-Forwards", "Route", "From", "Call-ID"}
        headers = tuple(header for header in request.headers if header[0] in kept)
        number = request.get("cseq").split(" ")[0]
        headers += (("To", response.get("to")), ("CSeq", f"{number} ACK"))
        target = request.first_line.split(" ")[1]
        self.requests.output.append(SipMessage(f"ACK {target} SIP/2.0", headers).encode())

    def _cancel(self, now: float) -> None:
        invite = self.requests.pending("INVITE")
        if invite is None or self.requests.pending("CANCEL") is not None:
            return
        number = invite.get("cseq").split(" ")[0]
        kept = tuple(
            header for header in invite.headers if header[0] in {"Via", "Max-Forwards", "From", "To", "Call-ID"}
        )
        cancel = SipMessage(invite.first_line.replace("INVITE", "CANCEL", 1), (*kept, ("CSeq", f"{number} CANCEL")))
        self.requests.send(cancel, now)

    def _end(self, by: EndedBy) -> None:
        self.state = CallState.ENDED
        self.ended_by = by
        self.on_change()


class Registration:
    """Tells a registrar where an agent's telephone is, with digest proof (RFC 3261 section 10)."""

    def __init__(self, address: Address, account: Account, ids: Ids, *, expires_s: int = 300) -> None:
        self.requests = Requests(address, account, ids)
        self.requests.remote = f"<sip:{account.user}@{address.host}>"
        self.requests.target = f"sip:{address.host}:{address.port}"
        self.status: int | None = None
        """The final status, None until it came."""
        self.finished = False
        self.on_change: Callable[[], None] = lambda: None
        self._expires_s = expires_s

    def start(self, now: float) -> None:
        """Send the REGISTER; `expires_s` 0 takes the telephone away."""
        self.requests.send(self.requests.build("REGISTER", (("Expires", str(self._expires_s)),)), now)

    def receive(self, message: SipMessage, now: float) -> None:
        """Take one message of this registration."""
        if message.status is None or message.status < OK:
            return
        request = self.requests.answered("REGISTER")
        if request is None or (message.status == UNAUTHORIZED and self.requests.prove(request, message, now)):
            return
        self.status, self.finished = message.status, True
        self.on_change()

    def poll(self, now: float) -> None:
        """Repeat what was not answered."""
        if not self.requests.poll(now):
            self.finished = True
            self.on_change()
