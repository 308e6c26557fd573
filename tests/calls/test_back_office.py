"""What a live call writes: limits of a message, the screen of a call, and codes that are sent and checked."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from ivr_engine.calls.office import TEXT_BYTES_MAX
from ivr_engine.flow.call import Outgoing
from ivr_engine.flow.values import Value
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.line import Deed
from ivr_engine.simulator.office import Ports, ports_of
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import CallId
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.secret import SecretDigits
from tests.calls.live import LiveWorld, live
from tests.flow.world import flow, shipped


def asking(test: Callable[[Ports, MemoryBank], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        bank = sample_bank(clock)
        ports = ports_of(bank, CallId("call"), clock, shipped().messages)
        pin = SecretDigits(b"246810")
        await ports.operations.perform("sign_in", {"customer": "620001", "pin": pin})
        await test(ports, bank)

    run_virtual(main)


async def outcome(ports: Ports, name: str, **digits: str) -> str:
    arguments: dict[str, Value] = {one: SecretDigits(typed.encode()) for one, typed in digits.items()}
    return (await ports.operations.perform(name, arguments)).outcome


def test_message_that_is_too_long_is_not_handed_in_and_its_text_is_in_no_log() -> None:
    async def test(ports: Ports, bank: MemoryBank) -> None:
        long = "余" * (TEXT_BYTES_MAX[Medium.SMS] // 3 + 1)
        message = Outgoing(Medium.SMS, "balance_by_sms", Language.MANDARIN, "", long)
        assert long not in repr(message)
        with capture_logs() as logs:
            assert (await ports.back_office.send(message, change=0)).outcome == "unavailable"
        assert ports.office.messages == {}
        assert [entry["event"] for entry in logs] == ["message_too_long"]
        assert "余余" not in str(logs)
        assert "addresses" not in bank.asked

    asking(test)


def test_eleventh_message_of_a_call_is_not_sent() -> None:
    async def test(ports: Ports, bank: MemoryBank) -> None:
        del bank
        message = Outgoing(Medium.SMS, "balance_by_sms", Language.ENGLISH, "", "hello")
        outcomes = [(await ports.back_office.send(message, change=number)).outcome for number in range(11)]
        assert outcomes == ["accepted"] * 10 + ["unavailable"]
        assert (await ports.back_office.send(message, change=3)).outcome == "accepted"  # it was sent before

    asking(test)


def test_code_that_was_sent_gives_the_second_proof_which_a_pin_change_needs() -> None:
    async def test(ports: Ports, bank: MemoryBank) -> None:
        del bank
        assert await outcome(ports, "change_pin", new="580274", again="580274") == "unavailable"
        assert await outcome(ports, "check_code", code="000000") == "expired"
        assert await outcome(ports, "send_code") == "sent"
        code = ports.office.last_code
        [message] = ports.office.messages.values()
        assert (message.text.count(code), message.address) == (1, "13900620001")
        assert code not in repr(message)
        assert await outcome(ports, "check_code", code=code) == "accepted"
        assert ports.operations.stepped_up
        assert await outcome(ports, "change_pin", new="580274", again="580275") == "not_the_same"
        assert await outcome(ports, "change_pin", new="580274", again="580274") == "changed"
        assert await outcome(ports, "change_pin", new="580274", again="580274") == "refused"

    asking(test)


def test_second_proof_ends_with_a_sign_out_and_with_another_sign_in() -> None:
    async def test(ports: Ports, bank: MemoryBank) -> None:
        del bank
        await outcome(ports, "send_code")
        await outcome(ports, "check_code", code=ports.office.last_code)
        pin: dict[str, Value] = {"customer": "620001", "pin": SecretDigits(b"246810")}
        await ports.operations.perform("sign_in", pin)
        assert (ports.operations.signed_in, ports.operations.stepped_up) == (True, False)
        await outcome(ports, "send_code")
        await outcome(ports, "check_code", code=ports.office.last_code)
        await ports.operations.perform("sign_out", {})
        assert not ports.operations.stepped_up

    asking(test)


def test_fourth_code_of_a_call_is_too_many() -> None:
    async def test(ports: Ports, bank: MemoryBank) -> None:
        del bank
        assert [await outcome(ports, "send_code") for _ in range(4)] == ["sent"] * 3 + ["too_many"]

    asking(test)


@pytest.mark.parametrize("name", ["send_code", "check_code"])
def test_office_that_is_away_is_the_outcome_unavailable(name: str) -> None:
    async def test(ports: Ports, bank: MemoryBank) -> None:
        del bank
        ports.office.away = True
        arguments = {"code": "123456"} if name == "check_code" else {}
        assert await outcome(ports, name, **arguments) == "unavailable"

    asking(test)


def test_codes_are_random() -> None:
    codes: set[str] = set()

    async def test(ports: Ports, bank: MemoryBank) -> None:
        del bank
        for _ in range(3):
            await outcome(ports, "send_code")
            codes.add(ports.office.last_code)

    asking(test)
    asking(test)
    assert len(codes) >= 5  # 6 codes of a million
    assert all(len(code) == 6 and code.isdigit() for code in codes)


SCREEN = flow(
    """
    begin: {screen: {wanted: "'balance'"}, then: human}
    human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
    end: {hang_up: done}
    """
)


def test_screen_is_kept_with_the_call_before_an_agent_is_asked(tmp_path: pathlib.Path) -> None:
    (tmp_path / "hotline.yaml").write_text(SCREEN, encoding="utf-8")

    async def test(world: LiveWorld) -> list[tuple[object, str]]:
        deeds: tuple[Deed, ...] = ()
        reason, _ = await world.call(deeds)
        assert reason == "done"
        return list(world.journal.screens)

    [(customer, data)] = live(test, flows=tmp_path)
    assert customer is None
    assert json.loads(data) == {"wanted": {"type": "text", "value": "balance"}}
