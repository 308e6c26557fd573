"""One incoming call as a state machine: how an agent's telephone rings, answers and is left.

Knows the other half of RFC 3261 that `dialogue` leaves out: provisional and final responses to INVITE, repeated until
acknowledged, and CANCEL. Must not know sockets, tasks, RTP or who the agent is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ivr_engine.testcaller.dialogue import GIVE_UP_S, OK, T1_S, T2_S, Address, CallState, EndedBy, Requests
from ivr_engine.testcaller.sip import Media, SipMessage
from ivr_engine.values.ids import Ids


class IncomingCall:
    """One call that we are asked to take: `ring`, `answer` or not, then as an outgoing call."""

    def __init__(self, invite: SipMessage, address: Address, media: Media, ids: Ids) -> None:
        self.requests = Requests(address, None, ids)
        self.requests.call_id = invite.get("call-id")
        self.requests.local = f"{invite.get('to')};tag={ids.new()}"
        self.requests.remote = invite.get("from")
        self.requests.route = invite.every("record-route")
        contact = re.search(r"<([^>]+)>", invite.get("contact"))
        self.requests.target = contact[1] if contact else address.uri
        self.state = CallState.CALLING
        self.ended_by: EndedBy | None = None
        self.status: int | None = None
        self.remote_media = Media.from_sdp(invite.body)
        self.on_change: Callable[[], None] = lambda: None
        self._invite = invite
        self._media = media
        self._answer_at = self._interval_s = 0.0
        self._give_up_at: float | None = None

    @property
    def finished(self) -> bool:
        """Return whether the call is over and nothing is outstanding."""
        return self.state is CallState.ENDED and not self.requests.waiting

    def ring(self) -> None:
        """Tell the caller's side that the telephone rings."""
        self.state = CallState.RINGING
        self.requests.reply(self._invite, "180 Ringing")

    def answer(self, now: float) -> None:
        """Take the call; the answer is repeated until it is acknowledged. Harmless when the caller has gone."""
        if self.state is CallState.RINGING:
            self.status = OK
            self._answer_at, self._interval_s, self._give_up_at = now + T1_S, T1_S, now + GIVE_UP_S
            self.requests.reply(self._invite, "200 OK", self._media.to_sdp())

    def hang_up(self, now: float) -> None:
        """Send BYE, or refuse while it rings; harmless when the call is over."""
        if self.state is CallState.TALKING or (self.status is not None and self.state is not CallState.ENDED):
            self.requests.send(self.requests.build("BYE"), now)
            self._end(EndedBy.CALLER)
        elif self.state is not CallState.ENDED:
            self.requests.reply(self._invite, "486 Busy Here")
            self._end(EndedBy.REFUSED)

    def receive(self, message: SipMessage, now: float) -> None:  # noqa: ARG002  # as every conversation
        """Take one message of this call."""
        if message.status is not None:
            if message.status >= OK:
                self.requests.answered(message.method)
        elif message.method == "ACK":
            self._acknowledged()
        elif message.method == "CANCEL":
            self.requests.reply(message, "200 OK")
            if self.status is None and self.state is not CallState.ENDED:
                self.requests.reply(self._invite, "487 Request Terminated")
                self._end(EndedBy.FAR_END)
        elif message.method == "BYE":
            self.requests.reply(message, "200 OK")
            self._end(EndedBy.FAR_END)
        elif message.method in {"INVITE", "UPDATE"}:
            self._asked_again(message)
        else:
            self.requests.reply(message, "200 OK" if message.method in {"OPTIONS", "INFO"} else "501 Not Implemented")

    def poll(self, now: float) -> None:
        """Repeat what was not answered or acknowledged (RFC 3261 section 13.3.1.4)."""
        alive = self.requests.poll(now)
        if self._give_up_at is not None and now >= self._answer_at:
            alive = alive and now < self._give_up_at
            self._interval_s = min(2 * self._interval_s, T2_S)
            self._answer_at = now + self._interval_s
            self.requests.reply(self._invite, "200 OK", self._media.to_sdp())
        if not alive:
            self._give_up_at = None
            self._end(EndedBy.NO_ANSWER)

    def _acknowledged(self) -> None:
        self._give_up_at = None
        if self.state is CallState.RINGING and self.status is not None:
            self.state = CallState.TALKING
            self.on_change()

    def _asked_again(self, request: SipMessage) -> None:
        """Answer a new offer within the call; a repeated INVITE is answered by what repeats anyway."""
        if self.state is CallState.TALKING:
            if request.body:
                self.remote_media = Media.from_sdp(request.body) or self.remote_media
            self.requests.reply(request, "200 OK", self._media.to_sdp())

    def _end(self, by: EndedBy) -> None:
        self._give_up_at = None
        if self.state is not CallState.ENDED:
            self.state, self.ended_by = CallState.ENDED, by
            self.on_change()
