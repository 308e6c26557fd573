from __future__ import annotations

import asyncio
from ipaddress import ip_network

import pytest
import structlog.testing

from ivr_engine.adapters.asterisk.agi_session import AgiSession, AgiTimings
from ivr_engine.adapters.asterisk.fastagi import FastAgiServer
from ivr_engine.channel.line import CallerHungUp
from ivr_engine.protocols.agi import (
    Answer,
    ChannelStatus,
    CommandFailedError,
    GetData,
    GetVariable,
    LocalProtocolError,
    RemoteProtocolError,
    Reply,
    SetVariable,
    StreamFile,
    WaitForDigit,
)
from tests.adapters.asterisk.scripted_asterisk import TOKEN, serving
from tests.waiting import until

WITHIN_S = 5.0


async def test_a_call_becomes_a_session_with_its_environment() -> None:
    async with serving() as calls:
        session, _ = await calls.call()
        assert session.environment.script == "in"
        assert session.environment.unique_id == "1795444327.7"
        assert session.arguments == ("more",)
        assert calls.server.open_sessions == 1


async def test_commands_and_answers_go_in_step() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        said = asyncio.ensure_future(peer.answer("200 result=0\n", "200 result=1 (x)\n", "200 result=1 (y)\n"))
        await session.execute(Answer(), within_s=WITHIN_S)
        x = await session.execute(GetVariable("X"), within_s=WITHIN_S)
        y = await session.execute(GetVariable("Y"), within_s=WITHIN_S)
        assert (x.value, y.value) == ("x", "y")
        assert await said == ["ANSWER", 'GET FULL VARIABLE "${X}"', 'GET FULL VARIABLE "${Y}"']
        assert session.command_count == 3


async def test_when_the_handler_returns_the_connection_closes_and_the_dialplan_goes_on() -> None:
    async with serving() as calls:
        _, peer = await calls.call()
        calls.release.set()
        assert await peer.hear() == ""
        await until(lambda: calls.server.open_sessions == 0)


async def test_keys_that_came_before_the_hangup_are_returned() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        said = asyncio.ensure_future(peer.answer("200 result=1234\nHANGUP\n"))
        reply = await session.execute(GetData("", 1000, 4), within_s=WITHIN_S)
        await said
        assert reply.digits is not None
        assert reply.digits.reveal() == b"1234"
        assert session.hung_up
        with pytest.raises(CallerHungUp):
            await session.execute(Answer(), within_s=WITHIN_S)
        assert session.command_count == 1  # nothing was sent after the hang-up


async def test_a_hangup_between_commands_ends_the_call_without_another_command() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        peer.say("HANGUP\n")
        await until(lambda: session.hung_up)
        with pytest.raises(CallerHungUp):
            await session.execute(Answer(), within_s=WITHIN_S)
        assert session.command_count == 0


@pytest.mark.parametrize(
    "answers",
    [
        ("511 Command Not Permitted on a dead channel or intercept routine\n",),
        ("HANGUP\n511 Command Not Permitted on a dead channel or intercept routine\n",),
        ("200 result=-1\nHANGUP\n",),
        ("200 result=-1\n", "HANGUP\n511 Command Not Permitted\n"),
        ("200 result=-1\n", "511 Command Not Permitted\n"),
    ],
)
async def test_every_way_in_which_asterisk_tells_of_a_hangup_is_understood(answers: tuple[str, ...]) -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        said = asyncio.ensure_future(peer.answer(*answers))
        with pytest.raises(CallerHungUp):
            await session.execute(WaitForDigit(1000), within_s=WITHIN_S)
        said.cancel()


async def test_minus_one_on_a_living_channel_is_a_failed_command_and_the_call_goes_on() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        said = asyncio.ensure_future(peer.answer("200 result=-1 endpos=0\n", "200 result=6\n", "200 result=0\n"))
        with pytest.raises(CommandFailedError, match="living channel"):
            await session.execute(StreamFile("/missing"), within_s=WITHIN_S)
        await session.execute(Answer(), within_s=WITHIN_S)
        assert (await said)[1] == "CHANNEL STATUS"


@pytest.mark.parametrize("code", [503, 510, 520])
async def test_a_refused_command_tells_its_code_and_the_call_goes_on(code: int) -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        said = asyncio.ensure_future(peer.answer(f"{code} No\n", "200 result=0\n"))
        with pytest.raises(CommandFailedError) as caught:
            await session.execute(Answer(), within_s=WITHIN_S)
        assert caught.value.code == code
        await session.execute(Answer(), within_s=WITHIN_S)
        await said


async def test_two_commands_at_once_are_our_mistake_and_the_first_is_still_answered() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        first = asyncio.ensure_future(session.execute(GetVariable("X"), within_s=WITHIN_S))
        assert await peer.hear() == 'GET FULL VARIABLE "${X}"'
        with pytest.raises(LocalProtocolError, match="outstanding"):
            await session.execute(GetVariable("Y"), within_s=WITHIN_S)
        peer.say("200 result=1 (x)\n")
        assert (await first).value == "x"


async def test_the_answer_to_a_cancelled_command_never_meets_the_next_one() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        abandoned = asyncio.ensure_future(session.execute(GetVariable("X"), within_s=WITHIN_S))
        await peer.hear()
        abandoned.cancel()
        following = asyncio.ensure_future(session.execute(GetVariable("Y"), within_s=WITHIN_S))
        await asyncio.sleep(0)
        peer.say("200 result=1 (x)\n")
        assert await peer.hear() == 'GET FULL VARIABLE "${Y}"'
        peer.say("200 result=1 (y)\n")
        assert (await following).value == "y"


async def test_a_command_without_an_answer_in_time_ends_the_session() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        with pytest.raises(RemoteProtocolError, match="no answer to ANSWER in time"):
            await session.execute(Answer(), within_s=0.02)
        assert await peer.hear() == "ANSWER"
        assert await peer.hear() == ""
        with pytest.raises(RemoteProtocolError, match="in time"):
            await session.execute(Answer(), within_s=WITHIN_S)


async def test_an_answer_that_nobody_asked_for_ends_the_session() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        peer.say("200 result=1 (somebody else's balance)\n")
        assert await peer.hear() == ""
        with pytest.raises(RemoteProtocolError):
            await session.execute(GetVariable("BALANCE"), within_s=WITHIN_S)


async def test_a_reset_connection_while_an_answer_is_awaited_is_a_hangup() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        waiting = asyncio.ensure_future(session.execute(Answer(), within_s=WITHIN_S))
        await peer.hear()
        await peer.leave()
        with pytest.raises(CallerHungUp):
            await waiting


async def test_times_of_thinking_and_answering_are_reported() -> None:
    thoughts: list[float] = []
    answers: list[tuple[str, float]] = []
    timings = AgiTimings(think=thoughts.append, reply=lambda name, seconds: answers.append((name, seconds)))
    async with serving(timings=timings) as calls:
        session, peer = await calls.call()
        said = asyncio.ensure_future(peer.answer("200 result=0\n", "200 result=6\n"))
        await session.execute(Answer(), within_s=WITHIN_S)
        await session.execute(ChannelStatus(), within_s=WITHIN_S)
        await said
    assert len(thoughts) == 2
    assert [name for name, _ in answers] == ["ANSWER", "CHANNEL STATUS"]
    assert all(0 <= seconds < WITHIN_S for seconds in (*thoughts, *(seconds for _, seconds in answers)))


async def test_a_bare_connect_costs_no_session_and_no_line_in_the_log() -> None:
    async with serving() as calls:
        with structlog.testing.capture_logs() as logs:
            for said in ("", "agi_network: yes\nagi_ch"):
                peer = await calls.knock()
                peer.say(said)
                await peer.leave()
            await until(lambda: calls.server.refused["knock"] == 2)
        assert {entry["log_level"] for entry in logs} == {"debug"}
        assert calls.server.sessions_started == 0


async def test_a_connection_that_never_finishes_its_environment_is_closed() -> None:
    async with serving(environment_s=0.02) as calls:
        peer = await calls.knock()
        peer.say("agi_network: yes\n")
        assert await peer.hear() == ""
        assert calls.server.refused["slow"] == 1


@pytest.mark.parametrize("token", ["", "a-token-of-these-test", "a-token-of-these-testsX", "\xff" * 22])
async def test_a_wrong_token_is_refused_counted_and_logged_without_the_token(token: str) -> None:
    async with serving() as calls:
        with structlog.testing.capture_logs() as logs:
            peer = await calls.dial(token=token)
            assert await peer.hear() == ""
        assert calls.server.refused["token"] == 1
        assert calls.server.sessions_started == 0
        assert [entry["reason"] for entry in logs] == ["token"]
        assert not token or token not in str(logs)


async def test_a_call_without_any_argument_is_refused() -> None:
    async with serving() as calls:
        peer = await calls.knock()
        peer.say("agi_network: yes\n\n")
        assert await peer.hear() == ""
        assert calls.server.refused["token"] == 1


async def test_a_stranger_is_refused_whatever_he_knows() -> None:
    async with serving(allowed_peers=[ip_network("192.0.2.0/24")]) as calls:
        peer = await calls.dial()
        assert await peer.hear() == ""
        await until(lambda: calls.server.refused["peer"] == 1)
        assert calls.server.sessions_started == 0


async def test_many_refusals_are_all_counted_but_do_not_flood_the_log() -> None:
    async with serving() as calls:
        with structlog.testing.capture_logs() as logs:
            for _ in range(20):
                peer = await calls.dial(token="wrong")
                assert await peer.hear() == ""
        assert calls.server.refused["token"] == 20
        assert len(logs) < 5


async def test_a_connection_over_the_limit_is_refused_and_the_others_go_on() -> None:
    async with serving(max_connections=1) as calls:
        session, peer = await calls.call()
        second = await calls.dial()
        assert await second.hear() == ""
        assert calls.server.refused["full"] == 1
        said = asyncio.ensure_future(peer.answer("200 result=0\n"))
        await session.execute(Answer(), within_s=WITHIN_S)
        await said


async def test_garbage_instead_of_an_environment_is_refused() -> None:
    async with serving() as calls:
        peer = await calls.knock()
        peer.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await peer.hear() == ""
        assert calls.server.refused["protocol"] == 1


async def test_a_bug_in_a_handler_is_logged_with_its_call_and_ends_that_call_alone() -> None:
    async def handler(session: AgiSession) -> None:
        if session.environment.unique_id == "bad":
            raise ZeroDivisionError
        await session.execute(Answer(), within_s=WITHIN_S)

    async with serving(handler) as calls:
        with structlog.testing.capture_logs() as logs:
            bad = await calls.dial(unique_id="bad")
            assert await bad.hear() == ""
        (entry,) = logs
        assert (entry["event"], entry["call"]) == ("agi_handler_bug", "bad")
        assert entry["exc_info"]
        good = await calls.dial()
        assert await good.hear() == "ANSWER"


async def test_a_hangup_that_the_handler_lets_through_is_an_ordinary_end() -> None:
    async def handler(session: AgiSession) -> None:
        await session.execute(Answer(), within_s=WITHIN_S)

    async with serving(handler) as calls:
        with structlog.testing.capture_logs() as logs:
            peer = await calls.dial()
            await peer.answer("HANGUP\n511 Dead\n")
            assert await peer.hear() == ""
        assert logs == []


async def test_draining_refuses_new_calls_and_lets_running_ones_end() -> None:
    async with serving() as calls:
        _, peer = await calls.call()
        half = await calls.knock()
        half.say("agi_network: yes\n")
        await until(lambda: len(calls.server._links) == 2)
        draining = asyncio.ensure_future(calls.server.drain(WITHIN_S))
        await asyncio.sleep(0)
        with pytest.raises(OSError):  # noqa: PT011  # refused or reset, as the kernel likes
            await calls.knock()
        half.say(f"agi_arg_1: {TOKEN}\n\n")
        assert await half.hear() == ""
        calls.release.set()
        assert await draining == 0
        assert await peer.hear() == ""
        assert calls.server.refused["draining"] == 1


async def test_draining_says_how_many_calls_did_not_end_in_time() -> None:
    async with serving() as calls:
        await calls.call()
        assert await calls.server.drain(0.01) == 1


async def test_closing_cancels_what_is_left_and_is_harmless_twice() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        knock = await calls.knock()
        await until(lambda: len(calls.server._links) == 2)
        await calls.server.close()
        await calls.server.close()
        assert await peer.hear() == ""
        assert await knock.hear() == ""
        assert calls.server.open_sessions == 0
        with pytest.raises(CallerHungUp):
            await session.execute(Answer(), within_s=WITHIN_S)


def test_a_token_that_could_be_guessed_is_refused() -> None:
    async def handler(session: AgiSession) -> None:
        del session

    with pytest.raises(ValueError, match="at least"):
        FastAgiServer(token="short", handler=handler)


# What panoramisk 1.4's FastAGI server gets wrong, one test for each; ours passes them all.


async def ask_and_answer(answer: str | bytes, command: GetData | GetVariable | WaitForDigit) -> Reply:
    async with serving() as calls:
        session, peer = await calls.call()
        said = asyncio.ensure_future(peer.answer(answer))
        reply = await session.execute(command, within_s=WITHIN_S)
        await said
        return reply


async def test_panoramisk_a_connect_and_close_does_not_stop_the_event_loop() -> None:
    async with serving() as calls:
        knock = await calls.knock()
        await knock.leave()
        async with asyncio.timeout(WITHIN_S):
            await calls.call()


async def test_panoramisk_a_hangup_is_not_taken_for_an_answer() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        said = asyncio.ensure_future(peer.answer("HANGUP\n200 result=1 (x)\n"))
        reply = await session.execute(GetVariable("X"), within_s=WITHIN_S)
        await said
        assert reply.value == "x"
        with pytest.raises(CallerHungUp):
            await session.execute(GetVariable("Y"), within_s=WITHIN_S)


async def test_panoramisk_the_end_of_the_stream_is_a_hangup_and_no_value_error() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        await peer.leave()
        with pytest.raises(CallerHungUp):
            await session.execute(Answer(), within_s=WITHIN_S)


async def test_panoramisk_a_usage_page_of_many_lines_does_not_reach_the_next_command() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        page = "520-Invalid command syntax.  Proper usage follows:\none\ntwo\nthree\n520 End of proper usage.\n"
        said = asyncio.ensure_future(peer.answer(page, "200 result=1 (x)\n"))
        with pytest.raises(CommandFailedError):
            await session.execute(Answer(), within_s=WITHIN_S)
        assert (await session.execute(GetVariable("X"), within_s=WITHIN_S)).value == "x"
        await said


async def test_panoramisk_a_520_of_one_line_is_not_waited_for_twice() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        said = asyncio.ensure_future(peer.answer("520 Invalid command syntax.  Proper usage not available.\n"))
        with pytest.raises(CommandFailedError, match="520"):
            await session.execute(Answer(), within_s=WITHIN_S)
        await said


async def test_panoramisk_a_dead_channel_is_told_from_an_unknown_error() -> None:
    with pytest.raises(CallerHungUp):
        await ask_and_answer("511 Command Not Permitted on a dead channel or intercept routine\n", WaitForDigit(1))


async def test_panoramisk_a_time_out_without_keys_keeps_its_flag() -> None:
    reply = await ask_and_answer("200 result= (timeout)\n", GetData("", 1000, 6))
    assert reply.timed_out
    assert reply.digits is not None
    assert len(reply.digits) == 0


async def test_panoramisk_a_variable_that_holds_the_word_hangup_is_no_hangup() -> None:
    assert (await ask_and_answer("200 result=1 (hangup)\n", GetVariable("X"))).value == "hangup"


async def test_panoramisk_minus_one_is_an_end_of_the_call_and_no_key_error() -> None:
    with pytest.raises(CallerHungUp):
        await ask_and_answer("200 result=-1\nHANGUP\n", WaitForDigit(1))


async def test_panoramisk_a_key_comes_as_a_key_and_not_as_a_code() -> None:
    assert (await ask_and_answer("200 result=49\n", WaitForDigit(1))).key == "1"


async def test_panoramisk_bytes_that_are_no_utf_8_do_not_end_the_call() -> None:
    async with serving() as calls:
        peer = await calls.knock()
        peer.say(b"agi_calleridname: " + "张伟".encode("gb18030") + f"\nagi_arg_1: {TOKEN}\n\n".encode())
        session = await calls.next()
        assert session.environment.text("agi_calleridname", "gb18030") == "张伟"
    assert (await ask_and_answer(b"200 result=1 (\xd5\xc5)\n", GetVariable("X"))).value == "\ufffd\ufffd"


async def test_panoramisk_two_commands_at_once_do_not_mix_their_answers() -> None:
    await test_two_commands_at_once_are_our_mistake_and_the_first_is_still_answered()


async def test_panoramisk_a_line_feed_cannot_smuggle_in_a_command() -> None:
    async with serving() as calls:
        session, peer = await calls.call()
        with pytest.raises(LocalProtocolError):
            await session.execute(SetVariable("X", "1\nHANGUP"), within_s=WITHIN_S)
        said = asyncio.ensure_future(peer.answer("200 result=0\n"))
        await session.execute(Answer(), within_s=WITHIN_S)
        assert await said == ["ANSWER"]


async def test_panoramisk_a_handler_can_be_any_callable_that_gives_an_awaitable() -> None:
    class Handler:
        served = 0

        async def _serve(self, session: AgiSession) -> None:
            await session.execute(Answer(), within_s=WITHIN_S)

        def __call__(self, session: AgiSession) -> asyncio.Future[None]:
            self.served += 1
            return asyncio.ensure_future(self._serve(session))

    handler = Handler()
    async with serving(handler) as calls:
        peer = await calls.dial()
        assert await peer.answer("200 result=0\n") == ["ANSWER"]
        assert await peer.hear() == ""
        assert handler.served == 1


async def test_panoramisk_cancelling_a_handler_is_not_swallowed() -> None:
    async with serving() as calls:
        await calls.call()
        (task,) = calls.server._tasks
        await calls.server.close()
        assert task.cancelled()
