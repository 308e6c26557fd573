"""A real Asterisk is started, watched and stopped; callers without an engine reach humans."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import resource
import signal
import socket
from pathlib import Path

import pytest

from ivr_engine.adapters.asterisk.process import AsteriskError, AsteriskProcess
from ivr_engine.adapters.asterisk.render import render
from tests.adapters.asterisk.loopback import (
    HOTLINE,
    Ami,
    caller,
    open_folder,
    process_for,
    running_asterisk,
    settings_in,
)

pytestmark = pytest.mark.asterisk


def limits_of(pid: int) -> str:
    return Path(f"/proc/{pid}/limits").read_text(encoding="utf-8")


def lives(pid: int | None) -> bool:
    return Path(f"/proc/{pid}").exists()


def status_of(pid: int | None) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def listens_on(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_asterisk_runs_without_root_without_core_files_and_with_room_for_files() -> None:
    async with running_asterisk() as running:
        pid = running.process.pid or 0
        status, limits, group = status_of(pid), limits_of(pid), os.getpgid(pid)
    assert status["Uid"].split()[0] != "0"
    assert status["NoNewPrivs"] == "1"
    assert status["CapEff"] == "0" * 16
    assert re.search(r"Max core file size +0 ", limits)
    files = min(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    assert re.search(rf"Max open files +{files} ", limits)
    assert group == pid != os.getpgrp()


async def test_started_and_stopped_twice_nothing_stays_behind() -> None:
    with open_folder() as folder:
        settings = settings_in(folder)
        render(settings, folder / "conf")
        process = process_for(settings, folder)
        for _ in range(2):
            await process.start()
            pid = process.pid
            assert listens_on(settings.ami_port)
            await process.stop()
            await process.stop()
            assert process.pid is None
            assert not lives(pid)
            assert not listens_on(settings.ami_port)
            assert list((settings.run_directory / "run").iterdir()) == []


async def test_wait_tells_that_asterisk_died() -> None:
    async with running_asterisk() as running:
        watch = asyncio.ensure_future(running.process.wait())
        os.kill(running.process.pid or 0, signal.SIGKILL)
        async with asyncio.timeout(5):
            assert await watch == -signal.SIGKILL


async def test_asterisk_that_hangs_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr_engine.adapters.asterisk.process.STOP_TERM_S", 0.3)
    monkeypatch.setattr("ivr_engine.adapters.asterisk.process.STOP_GENTLY_S", 0.3)
    async with running_asterisk() as running:
        pid = running.process.pid or 0
        os.kill(pid, signal.SIGSTOP)
        await running.process.stop()
        assert not lives(pid)
        assert list((running.settings.run_directory / "run").iterdir()) == []


async def test_restarted_engine_takes_the_running_asterisk_and_its_calls_over() -> None:
    async with running_asterisk() as running, running.engine_ami() as ami, caller(running):
        await ami.event("QueueCallerJoin")
        second = process_for(running.settings, running.folder)
        await second.start()
        assert second.adopted
        assert second.pid == running.process.pid
        assert "1 active channel" in await second.cli("core show channels")
        watch = asyncio.ensure_future(second.wait())
        await second.stop()
        assert await watch is None
        assert await running.process.wait() == 0


async def test_leftovers_of_a_killed_asterisk_do_not_stop_the_next() -> None:
    async with running_asterisk() as running:
        os.kill(running.process.pid or 0, signal.SIGKILL)
        await running.process.wait()
        assert (running.settings.run_directory / "run/asterisk.ctl").is_socket()
        second = process_for(running.settings, running.folder)
        await second.start()
        assert not second.adopted
        await second.stop()


@pytest.mark.parametrize("setting", ["sip_port", "ami_port"])
async def test_port_in_use_is_one_clear_sentence(setting: str) -> None:
    with open_folder() as folder:
        settings = settings_in(folder)
        render(settings, folder / "conf")
        process = process_for(settings, folder)
        with socket.socket() as other:
            other.bind(("127.0.0.1", getattr(settings, setting)))
            other.listen()
            with pytest.raises(AsteriskError, match=r"another program uses .*(pjsip\.conf|127\.0\.0\.1)"):
                await process.start()
        assert process.pid is None
        assert list((settings.run_directory / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("modules.conf", "require = res_absent.so\n", "module res_absent.so does not load"),
        ("features.conf", "[featuremap]\nnosuchkey = 1\n", r"section \[featuremap\] of features.conf"),
        (
            "pjsip.conf",
            "[x]\ntype = endpoint\nno_such_option = 1\n",
            r"section \[x\] \(endpoint\) of pjsip.conf was refused",
        ),
    ],
)
async def test_wrong_configuration_is_explained_and_nothing_runs(file: str, text: str, words: str) -> None:
    with open_folder() as folder:
        settings = settings_in(folder)
        render(settings, folder / "conf")
        with (folder / "conf" / file).open("a", encoding="utf-8") as config:
            config.write(f"\n{text}")
        process = process_for(settings, folder)
        with pytest.raises(AsteriskError, match=words):
            await process.start()
        assert process.pid is None
        assert not listens_on(settings.ami_port)


async def test_folder_without_configuration_is_explained() -> None:
    with open_folder() as folder:
        settings = settings_in(folder)
        process = process_for(settings, folder)
        with pytest.raises(AsteriskError, match="render the configuration first"):
            await process.start()


async def test_run_directory_that_cannot_be_made_is_explained() -> None:
    with open_folder() as folder:
        settings = settings_in(folder)
        render(settings, folder / "conf")
        settings.run_directory.write_text("a file stands here", encoding="utf-8")
        with pytest.raises(AsteriskError, match=r"run directory .* cannot be made ready: .* choose another state"):
            await process_for(settings, folder).start()


async def test_console_command_of_two_lines_is_refused() -> None:
    async with running_asterisk() as running:
        with pytest.raises(ValueError, match="one line"):
            await running.process.cli("core show uptime\ncore stop now")
        assert "System uptime" in await running.process.cli("core show uptime")


async def test_console_of_a_stopped_asterisk_is_an_error() -> None:
    async with running_asterisk() as running:
        await running.process.stop()
        with pytest.raises(AsteriskError, match="did not take"):
            await running.process.cli("core show uptime")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give away")
async def test_folder_closed_to_others_costs_one_right_and_a_warning() -> None:
    with open_folder() as folder:
        inner = folder / "closed"
        inner.mkdir(mode=0o700)
        settings = settings_in(inner)
        render(settings, inner / "conf")
        process = process_for(settings, inner)
        await process.start()
        status = status_of(process.pid)
        await process.stop()
    assert pwd.getpwuid(int(status["Uid"].split()[0])).pw_name in {"asterisk", "nobody"}
    assert int(status["CapEff"], 16) == 1 << 2  # CAP_DAC_READ_SEARCH (capability.h)
    assert any("Move the project to a folder that others may enter" in warning for warning in process.warnings)


def addresses_of_udp_ports(first: int, last: int) -> set[str]:
    lines = Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]
    bound = (line.split()[1].split(":") for line in lines)
    return {address for address, port in bound if first <= int(port, 16) <= last}


async def test_caller_reaches_the_fallback_queue_within_half_a_second_when_no_engine_is_there() -> None:
    async with running_asterisk(let_channels_be_heard) as running, running.engine_ami() as ami, caller(running):
        joined = await ami.event("QueueCallerJoin")
        started = await ami.event("Newchannel")
        bound = addresses_of_udp_ports(running.settings.rtp_first_port, running.settings.rtp_last_port)
        assert bound == {"0100007F"}  # 127.0.0.1 and nothing else (proc(5): little-endian)
    assert joined["Queue"] == "humans"
    assert joined["CallerIDNum"] == "13800138000"
    assert float(joined["Timestamp"]) - float(started["Timestamp"]) < 0.5


async def test_caller_of_a_frozen_engine_is_moved_by_the_backstop() -> None:
    frozen: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: frozen.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        running_asterisk(let_channels_be_heard, agi_port=port, backstop_s=5) as running,
        running.engine_ami() as ami,
        caller(running),
    ):
        joined = await ami.event("QueueCallerJoin")
        started = await ami.event("Newchannel")
        assert 4.5 < float(joined["Timestamp"]) - float(started["Timestamp"]) < 6
    assert len(frozen) == 1
    frozen[0].close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("variables", "queued"),
    [({}, True), ({"AGENT_SPOKE": "1"}, False), ({"DIALSTATUS": "ANSWER"}, False), ({"IVR_DONE": "1"}, False)],
)
async def test_who_was_served_is_not_queued_again_when_the_engine_dies(
    variables: dict[str, str], *, queued: bool
) -> None:
    async def engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        for command in ("ANSWER", *(f'SET VARIABLE {name} "{value}"' for name, value in variables.items())):
            writer.write(f"{command}\n".encode())
            await reader.readline()
        writer.close()  # dies in the middle of the call

    server = await asyncio.start_server(engine, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        running_asterisk(let_channels_be_heard, agi_port=port) as running,
        running.engine_ami() as ami,
        caller(running),
    ):
        await ami.event("QueueCallerJoin" if queued else "Hangup")
        assert ("QueueCallerJoin" in {event["Event"] for event in ami.events}) == queued


async def test_number_that_is_not_three_to_fifteen_digits_rings_nowhere() -> None:
    async with running_asterisk(let_channels_be_heard) as running, running.engine_ami() as ami:
        for number in ("95588x", "9%3B1", "95588%26PJSIP%2F1001", "12", "1234567890123456", "s", "humans"):
            async with caller(running, number) as sipp, asyncio.timeout(5):
                assert await sipp.wait() != 0
        await ami.ask("Ping")
        assert [event for event in ami.events if event["Event"] == "Newchannel"] == []


async def test_caller_who_dials_an_agents_name_reaches_the_hotline_and_not_the_agent() -> None:
    async with (
        running_asterisk(let_channels_be_heard) as running,
        running.engine_ami() as ami,
        caller(running, "1001"),
    ):
        assert (await ami.event("QueueCallerJoin"))["Queue"] == "humans"
        assert {event["Channel"] for event in ami.events if event["Event"] == "Newchannel"} == {"PJSIP/trunk-00000000"}


def let_channels_be_heard(conf: Path) -> None:
    """Channels come and go unheard, to cost a call nothing (manager.conf); a test that watches them needs ears."""
    manager = conf / "manager.conf"
    text = manager.read_text(encoding="utf-8")
    heard = re.sub(r"^(disabledevents = .*),Newchannel,.*$", r"\1", text, flags=re.MULTILINE)
    assert heard != text
    manager.write_text(heard, encoding="utf-8")


def open_all_doors(conf: Path) -> None:
    manager = conf / "manager.conf"
    text = re.sub(r"^(disabledevents|eventfilter).*$", "", manager.read_text(encoding="utf-8"), flags=re.MULTILINE)
    manager.write_text(re.sub(r"^read = .*$", "read = all", text, flags=re.MULTILINE), encoding="utf-8")


LEAKS = {"DTMFBegin", "DTMFEnd", "VarSet", "Newexten", "AGIExecStart", "AGIExecEnd"}


async def events_of_a_call_with_keys(ami: Ami) -> set[str]:
    channel = (await ami.event("QueueCallerJoin"))["Channel"]
    for key in "8391":
        answer = await ami.ask("PlayDTMF", Channel=channel, Digit=key, Receive="true", Duration="60")
        assert answer["Response"] == "Success"
    await ami.ask("Hangup", Channel=channel)
    await ami.event("QueueCallerAbandon")
    return {event["Event"] for event in ami.events}


async def test_engine_account_sees_no_key_and_no_variable() -> None:
    async with running_asterisk() as running, running.engine_ami() as ami, caller(running):
        seen = await events_of_a_call_with_keys(ami)
    assert not seen & LEAKS
    assert {"QueueCallerJoin", "QueueCallerAbandon"} <= seen


async def test_the_same_call_shows_its_keys_when_the_walls_are_taken_away() -> None:
    """The positive control: without it the test above could be blind."""
    async with running_asterisk(open_all_doors) as running, running.engine_ami() as ami, caller(running):
        seen = await events_of_a_call_with_keys(ami)
    # PlayDTMF with a duration queues the end of a key only.
    assert {"DTMFEnd", "VarSet", "Newexten"} <= seen


FORBIDDEN: tuple[tuple[str, dict[str, str]], ...] = (
    ("Command", {"Command": "core show channels"}),
    ("GetConfig", {"Filename": "manager.conf"}),
    ("UpdateConfig", {"SrcFilename": "a", "DstFilename": "b"}),
    ("ModuleLoad", {"Module": "app_system.so", "LoadType": "load"}),
    ("ListCategories", {"Filename": "../../../etc/passwd"}),
    ("Setvar", {"Variable": "SHELL(id)", "Value": "x"}),
    ("Originate", {"Channel": "Local/s@hotline", "Application": "System", "Data": "id"}),
    ("DBPut", {"Family": "a", "Key": "b", "Val": "c"}),
    ("Reload", {}),
    ("Filter", {"Operation": "Add", "Filter": "Event: DTMFBegin"}),
)


async def test_stolen_engine_account_can_run_and_change_nothing() -> None:
    async with running_asterisk() as running, running.engine_ami() as ami:
        answers = {action: (await ami.ask(action, **headers))["Response"] for action, headers in FORBIDDEN}
    assert answers == dict.fromkeys(answers, "Error")


async def test_doctor_account_can_look_and_do_nothing() -> None:
    async with running_asterisk() as running, running.doctor_ami() as ami:
        assert (await ami.ask("CoreStatus"))["Response"] == "Success"
        assert (await ami.ask("CoreSettings"))["AsteriskVersion"].startswith("22.")
        originate = {"Channel": "PJSIP/1001", "Exten": HOTLINE, "Context": "from-trunk", "Priority": "1"}
        for action, headers in (
            ("Originate", originate),
            ("Hangup", {"Channel": "/.*/"}),
            ("Redirect", {"Channel": "x"}),
        ):
            assert (await ami.ask(action, **headers))["Response"] == "Error"


async def test_two_asterisks_live_side_by_side() -> None:
    async with running_asterisk() as one, running_asterisk() as two:
        assert one.process.pid != two.process.pid
        await one.process.stop()
        assert "System uptime" in await two.process.cli("core show uptime")


def test_group_is_unknown_before_the_start(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    process: AsteriskProcess = process_for(settings, tmp_path)
    assert process.group_id is None
    assert process.pid is None
