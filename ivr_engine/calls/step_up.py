"""A second proof of who is calling: a one-time code by SMS to the mobile number that the bank has registered.

Knows when a code is sent and what its message is. Must not know how one is kept or judged (`Office`, `code_policy`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ivr_engine.banking.code_policy import CODE_DIGITS, CodeVerdict
from ivr_engine.banking.core import CoreBank
from ivr_engine.calls.office import Office, OutboxMessage, expires_at
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber, Ids
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.secret import SecretDigits

CODE_MESSAGE: Final = "code_by_sms"
"""The message that holds the code, as `{code:digits}`."""

CodeText = Callable[[str], tuple[Language, str]]
"""Returns the language of the caller and the text of the message around a code."""


@dataclass(frozen=True, slots=True)
class StepUp:
    """Codes for one call."""

    bank: CoreBank
    office: Office
    ids: Ids
    clock: Clock
    call: CallId
    text: CodeText

    async def send(self, customer: CustomerNumber) -> str:
        """Send a code and return the outcome; raises `CoreUnavailableError` and `OfficeUnavailableError`."""
        address = (await self.bank.addresses(customer)).reached_by(Medium.SMS)
        if address is None:
            return "no_address"
        code, now = self.ids.digits(CODE_DIGITS), self.clock.now()
        try:
            language, text = self.text(code.reveal().decode("ascii"))
            message = OutboxMessage(
                id=f"{self.call}-code-{self.ids.new()}",
                call=self.call,
                customer=customer,
                medium=Medium.SMS,
                message=CODE_MESSAGE,
                language=language,
                address=address,
                heading="",
                text=text,
                at=now,
                expires_at=expires_at(now, is_code=True),
            )
            posted = await self.office.post_code(message, code)
        finally:
            code.wipe()
        return "sent" if posted.value == "accepted" else posted.value

    async def check(self, customer: CustomerNumber, code: SecretDigits) -> CodeVerdict:
        """Count and judge what was typed; raises `OfficeUnavailableError`. The secret is the caller's to wipe."""
        return await self.office.check_code(self.call, customer, code)
