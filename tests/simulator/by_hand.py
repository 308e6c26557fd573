"""The way to a balance in the shipped hotline, written by hand in Python: what flows are compared with in speed.

Knows the conversation, the bank's operations and the words of the hotline. Must not know flows. It says and asks the
same at the same times; where the hotline leads to more than the balance, this leads to a human.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ivr_engine.channel.conversation import Interrupt, NoChoice, Timing
from ivr_engine.channel.keys import Entry, EntryEnd
from ivr_engine.flow.call import Call, QueueOutcome, Wanted
from ivr_engine.flow.operations import Performed
from ivr_engine.flow.values import Value
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance

TRIES: Final = 3
PAGE: Final = 3
MENU: Final = Timing(6000, 3000)
ONE_KEY: Final = Timing(6000, 6000)
ENTRY: Final = Timing(6000, 6000)
LANGUAGES: Final[Mapping[str, Language]] = MappingProxyType(
    {"1": Language.MANDARIN, "2": Language.CANTONESE, "3": Language.ENGLISH}
)
APOLOGIES: Final[Mapping[NoChoice | EntryEnd, str]] = MappingProxyType(
    {
        NoChoice.NO_INPUT: "nothing_heard",
        NoChoice.NO_MATCH: "wrong_key",
        EntryEnd.NO_INPUT: "nothing_heard",
        EntryEnd.TOO_SHORT: "too_short",
    }
)


class ToHumanError(Exception):
    """The caller is to be put through to a human."""


class ByHand:
    """The dialogue of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._signed_in = False

    async def run(self) -> str:
        """Talk to the caller until the call is over; return why."""
        try:
            return await self._talk()
        except ToHumanError:
            return await self._human()

    async def _talk(self) -> str:
        await self._say("welcome")
        offered = (f"{language.value}/choose_language" for language in LANGUAGES.values())
        self._call.language = LANGUAGES[await self._offer(self._words(*offered), frozenset(LANGUAGES), MENU)]
        while True:
            key = await self._offer(self._words("main_menu"), frozenset("1230*"), MENU)
            if key == "*":
                continue
            if key != "1":
                raise ToHumanError
            if not self._signed_in:
                await self._sign_in()
            if not await self._balance():
                return await self._goodbye()

    async def _sign_in(self) -> None:
        while not self._signed_in:
            customer = await self._ask("enter_customer_number", Entry(6, 10))
            number = customer.reveal().decode("ascii")
            customer.wipe()
            pin = await self._ask("enter_pin", Entry(6, 6))
            try:
                performed = await self._perform("sign_in", {"customer": number, "pin": pin})
            finally:
                pin.wipe()
            if performed.outcome == "refused":
                await self._say("sign_in_refused")
                continue
            if performed.outcome != "signed_in":
                raise ToHumanError
            self._signed_in = True

    async def _balance(self) -> bool:
        """Read balances out until the caller wants the main menu; say no when they have gone silent."""
        while True:
            account = await self._pick()
            if account is None:
                await self._say("no_more_accounts")
                return True
            performed = await self._perform("balance", {"account": account["number"]})
            if performed.outcome != "found":
                raise ToHumanError
            key = "1"
            while key == "1":
                await self._call.conversation.say(self._read_out(account, performed.results))
                try:
                    key = await self._offer(self._words("balance_menu"), frozenset("1290"), MENU)
                except ToHumanError as none:
                    if none.args == (NoChoice.NO_INPUT,):
                        return False
                    raise
            if key == "0":
                raise ToHumanError
            if key == "9":
                return True

    async def _pick(self) -> Mapping[str, Value] | None:
        accounts: list[Mapping[str, Value]] = []
        first, complete = 0, False
        while True:
            while len(accounts) <= first + PAGE and not complete:
                performed = await self._perform("account", {"position": len(accounts) + 1})
                if performed.outcome == "found":
                    accounts.append(performed.results)
                elif performed.outcome == "none":
                    complete = True
                else:
                    raise ToHumanError
            if len(accounts) <= 1:
                return accounts[0] if accounts else None
            await self._call.keep_alive()
            page = accounts[first : first + PAGE]
            key = await self._offer(*self._page(accounts, first), ONE_KEY)
            if key == "0":
                raise ToHumanError
            if key == "9":
                first += PAGE
            elif key == "7":
                first -= PAGE
            elif key != "*":
                return page[int(key) - 1]

    def _page(self, accounts: list[Mapping[str, Value]], first: int) -> tuple[Utterance, frozenset[str]]:
        said = Utterance(self._call.language, ())
        keys = {"0", "*"}
        for place, account in enumerate(accounts[first : first + PAGE], start=1):
            said += self._account(account) + self._words(f"press_{place}")
            keys.add(str(place))
        if first + PAGE < len(accounts):
            said += self._words("more_choices", "press_9")
            keys.add("9")
        if first:
            said += self._words("choices_before", "press_7")
            keys.add("7")
        return said + self._words("hear_again", "press_star"), frozenset(keys)

    def _account(self, account: Mapping[str, Value]) -> Utterance:
        masked = grammar_for(self._call.language).masked(str(account["number"]))
        return Utterance(self._call.language, (f"account_{account['kind']}", *masked), personal=True)

    def _read_out(self, account: Mapping[str, Value], money: Mapping[str, Value]) -> Utterance:
        grammar = grammar_for(self._call.language)
        booked, available = grammar.amount(money["booked"]), grammar.amount(money["available"])  # type: ignore[arg-type]  # money, says the signature
        return self._account(account) + self._words("your_balance_is", *booked, "available_balance_is", *available)

    async def _human(self) -> str:
        await self._call.queues.enter(Wanted("service", self._words("connecting_to_agent")))
        if await self._call.queues.wait() is QueueOutcome.ANSWERED:
            return await self._goodbye()
        await self._say("no_agent_available")
        return "no_human"

    async def _goodbye(self) -> str:
        await self._say("thank_you", "goodbye")
        return "completed"

    def _words(self, *prompts: str) -> Utterance:
        return Utterance(self._call.language, prompts)

    async def _say(self, *prompts: str) -> None:
        await self._call.conversation.say(self._words(*prompts))

    async def _perform(self, name: str, arguments: Mapping[str, Value]) -> Performed:
        return await self._call.conversation.listen_while(self._call.operations.perform(name, arguments))

    async def _offer(self, prompt: Utterance, options: frozenset[str], timing: Timing) -> str:
        said = prompt
        chosen: str | NoChoice = NoChoice.NO_INPUT
        for left in range(TRIES - 1, -1, -1):
            chosen = await self._call.conversation.choose(said, options, interrupt=Interrupt.ANY, timing=timing)
            if not isinstance(chosen, NoChoice):
                return chosen
            if left:
                await self._call.try_again()
                said = self._words(APOLOGIES[chosen]) + prompt
        raise ToHumanError(chosen)

    async def _ask(self, prompt: str, entry: Entry) -> SecretDigits:
        said = self._words(prompt)
        for left in range(TRIES - 1, -1, -1):
            why, keys = await self._call.conversation.collect(said, entry, ENTRY)
            if why is EntryEnd.COMPLETE:
                return keys
            keys.wipe()
            if left:
                await self._call.try_again()
                said = self._words(APOLOGIES[why], prompt)
        raise ToHumanError
