"""The doctor asks a real Asterisk, and an Asterisk that does not answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ivr_engine.adapters.asterisk.doctor import DoctorTarget, examine, render
from tests.protocols.ami.asterisk_process import AsteriskProcess, running_asterisk
from tests.protocols.ami.scripted_server import Headers, Session, scripted_server, success


@pytest.fixture
async def asterisk(tmp_path: Path) -> AsyncIterator[AsteriskProcess]:
    async with running_asterisk(tmp_path) as running:
        yield running


def console(asterisk: AsteriskProcess) -> tuple[str, ...]:
    return (*asterisk.install.command, "-C", str(asterisk.folder / "etc/asterisk.conf"))


async def codes(target: DoctorTarget) -> set[str]:
    return {finding.code for finding in await examine(target)}


@pytest.mark.asterisk
async def test_what_an_operator_switched_on_by_hand_is_seen_and_gone_again(asterisk: AsteriskProcess) -> None:
    target = DoctorTarget(ami=asterisk.target("doctor"), console=console(asterisk))
    # The Asterisk of these tests leaves modules out and events on; everything else about it is right.
    usual = await codes(target)
    assert usual == {"D707", "D708", "D709"}, render(await examine(target))

    for switch_on, code, switch_off in [
        ("core set debug 5", "D704", "core set debug 0"),
        ("module load res_pjsip_logger.so", "D706", "module unload res_pjsip_logger.so"),
        ("logger add channel trace.log verbose,dtmf", "D705", "logger remove channel trace.log"),
    ]:
        await asterisk.command(switch_on)
        assert await codes(target) == usual | {code}
        await asterisk.command(switch_off)
        assert await codes(target) == usual


@pytest.mark.asterisk
async def test_wrong_secret_is_a_finding(asterisk: AsteriskProcess) -> None:
    [finding] = await examine(DoctorTarget(ami=asterisk.target("doctor", secret="wrong")))
    assert finding.code == "D701"
    assert "refuses account doctor" in finding.what


async def test_asterisk_that_is_not_there_is_a_finding() -> None:
    async with scripted_server() as server:
        target = server.target()
        await server.stop()
    findings = await examine(DoctorTarget(ami=replace(target, port=9), console=("/nonexistent/asterisk",)))
    assert {finding.code for finding in findings} == {"D701"}
    assert len(findings) == 2


async def test_secret_is_not_sent_in_clear_to_another_machine() -> None:
    async with scripted_server() as server:
        [finding] = await examine(DoctorTarget(ami=replace(server.target(), host="192.0.2.1")))
    assert "in clear" in finding.what


async def test_asterisk_that_never_answers_is_a_finding_after_the_deadline(tmp_path: Path) -> None:
    async def say_nothing(session: Session, headers: Headers) -> None:
        pass

    frozen = tmp_path / "frozen"
    frozen.write_text("#!/bin/sh\nexec sleep 60\n")
    frozen.chmod(0o700)
    async with scripted_server() as server:
        server.handlers["coresettings"] = say_nothing
        findings = await examine(DoctorTarget(ami=server.target(), console=(str(frozen),), within_s=0.1))
    assert ["within 0.1 s" in finding.what for finding in findings] == [True, True], render(findings)


async def test_console_that_is_not_understood_does_not_pass_for_a_good_one(tmp_path: Path) -> None:
    strange = tmp_path / "strange"
    strange.write_text("#!/bin/sh\necho 'Verbosity of the root console is 9'\n")
    strange.chmod(0o700)
    findings = await examine(DoctorTarget(console=(str(strange),)))
    assert {finding.code for finding in findings} == {"D701", "D707"}
    assert "Root console verbosity" in "".join(finding.what for finding in findings)


async def test_old_version_told_by_ami_is_a_finding() -> None:
    async def tell(session: Session, headers: Headers) -> None:
        session.write(success(headers["ActionID"], ("AsteriskVersion", "20.5.0")))

    async with scripted_server() as server:
        server.handlers["coresettings"] = tell
        assert await codes(DoctorTarget(ami=server.target())) == {"D702"}
        await server.drop_all()
        # panoramisk would come back by itself two seconds later; the doctor's does not.
        assert len(server.sessions) == 1
