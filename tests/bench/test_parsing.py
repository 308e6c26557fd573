"""What the system, SIPp and the wire say is read as it is meant."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench.callers import (
    MENU_KEYS,
    holding_scenario,
    offered_rate,
    read_answers,
    read_retransmissions,
    reason_in,
    typing_scenario,
)
from tests.bench.processes import TICKS_PER_S, CpuReading, parse_busy, parse_stat
from tests.bench.wire import StepTimes

ENGINE_PORT, CALL_PORT = 4573, 40_000


def test_process_with_brackets_in_its_name_is_read() -> None:
    fields = " ".join(str(number) for number in range(4, 53))
    numbers = parse_stat(f"17 (a ) name) S {fields}")
    assert numbers[11:15] == [14, 15, 16, 17]
    assert numbers[21] == 24


def test_busy_time_leaves_out_idleness_and_what_is_counted_twice() -> None:
    # user nice system idle iowait irq softirq steal guest guest_nice
    assert parse_busy("cpu  100 10 50 1000 500 1 2 3 77 8") == pytest.approx(166 / TICKS_PER_S)


def test_foreign_share_is_what_neither_servers_nor_benchmark_took() -> None:
    before = CpuReading({"asterisk": 1.0}, own=0.0, machine=10.0, at=0.0)
    after = CpuReading({"asterisk": 3.0}, own=1.0, machine=14.0, at=1.0)
    assert after.since(before) == {"asterisk": 2.0}
    assert after.others_share(before) * (os.cpu_count() or 1) == pytest.approx(1.0)


def test_answers_are_read_and_headings_passed_over() -> None:
    lines = ["Date_ms;response_time_ms;rtd_no", "1000.000;4.000;1", "1030.5;24.500;1", ""]
    assert read_answers(lines) == [(1000.0, 4.0), (1030.5, 24.5)]


def test_offered_rate_counts_from_invite_to_invite() -> None:
    dialled = [0.0, 10.0, 20.0, 30.0]
    answers = [(when + took, took) for when, took in zip(dialled, [40.0, 1.0, 2.0, 3.0], strict=True)]
    assert offered_rate(answers) == pytest.approx(100.0)
    assert offered_rate([(5.0, 5.0)]) == 0.0


def test_messages_received_again_are_counted_once() -> None:
    heading = "CurrentTime;0_INVITE_Sent;0_INVITE_Retrans;4_200_Recv;4_200_Retrans;13_BYE_Recv;13_BYE_Retrans;"
    assert read_retransmissions([heading, "x;5;1;5;0;5;0;", "y;10;2;10;3;10;4;"]) == 9
    assert read_retransmissions([]) == 0


def test_reason_is_found_in_a_screen_full_of_figures() -> None:
    printed = "SIPp ended with 254:\n  INVITE ---------->  0  0\nUnable to bind main socket, errno = 98\n  BYE\n"
    assert reason_in(printed) == "SIPp ended with 254: / Unable to bind main socket, errno = 98"


def test_every_caller_presses_one_menu_key_and_waits_for_the_goodbye(tmp_path: Path) -> None:
    scenario = ElementTree.fromstring(typing_scenario(tmp_path).partition("?>")[2])
    played = [one.attrib["play_pcap_audio"] for one in scenario.iter("exec")]
    assert sorted(Path(file).name for file in played) == [f"keys-{key}.pcap" for key in MENU_KEYS]
    assert all(Path(file).stat().st_size for file in played)
    labels = {label.attrib["id"] for label in scenario.iter("label")}
    assert {nop.attrib["next"] for nop in scenario.iter("nop")} == labels
    assert [one.attrib.get("request") for one in scenario.iter("recv")][-1] == "BYE"


def test_each_menu_key_is_pressed_equally_often(tmp_path: Path) -> None:
    scenario = ElementTree.fromstring(typing_scenario(tmp_path).partition("?>")[2])
    left, shares = 1.0, []
    for nop in scenario.iter("nop"):
        if "chance" in nop.attrib:
            shares.append(left * float(nop.attrib["chance"]))
            left -= shares[-1]
    assert [*shares, left] == pytest.approx([1 / len(MENU_KEYS)] * len(MENU_KEYS), abs=1e-3)


def test_caller_who_holds_presses_nothing_and_hangs_up() -> None:
    scenario = ElementTree.fromstring(holding_scenario(9000).partition("?>")[2])
    assert [*scenario.iter("exec")] == []
    assert scenario.find("pause") is not None
    assert "BYE" in (scenario.findall("send")[-1].text or "")


def frame(source: int, target: int, payload: bytes, *, flags: int = 0x18) -> bytes:
    tcp = struct.pack("!HHIIBBHHH", source, target, 1, 1, 5 << 4, flags, 512, 0, 0)
    length = 20 + len(tcp) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 1, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    return bytes(12) + b"\x08\x00" + ip + tcp + payload


def test_step_is_from_the_last_reply_to_the_next_command() -> None:
    times = StepTimes(ENGINE_PORT)
    times.take(frame(CALL_PORT, ENGINE_PORT, b"", flags=0x02), 0.9)
    times.take(frame(CALL_PORT, ENGINE_PORT, b"agi_network: yes\n"), 1.000)
    times.take(frame(CALL_PORT, ENGINE_PORT, b"agi_arg_1: x\n\n"), 1.001)
    times.take(frame(ENGINE_PORT, CALL_PORT, b"ANSWER\n"), 1.002)
    times.take(frame(ENGINE_PORT, CALL_PORT, b""), 1.0025)
    times.take(frame(CALL_PORT, ENGINE_PORT, b"200 result=0\n"), 1.010)
    times.take(frame(ENGINE_PORT, CALL_PORT, b"HANGUP\n"), 1.013)
    assert times.steps_ms == pytest.approx([1.0, 3.0])
    assert times.calls == 1


def test_notice_of_a_hang_up_begins_no_step() -> None:
    times = StepTimes(ENGINE_PORT)
    times.take(frame(CALL_PORT, ENGINE_PORT, b"200 result=1\n"), 1.0)
    times.take(frame(CALL_PORT, ENGINE_PORT, b"HANGUP\n"), 1.004)
    times.take(frame(ENGINE_PORT, CALL_PORT, b"HANGUP\n"), 1.005)
    assert times.steps_ms == pytest.approx([5.0])


def test_calls_at_the_same_time_are_kept_apart() -> None:
    times = StepTimes(ENGINE_PORT)
    times.take(frame(CALL_PORT, ENGINE_PORT, b"200 result=0\n"), 1.000)
    times.take(frame(CALL_PORT + 1, ENGINE_PORT, b"200 result=0\n"), 1.001)
    times.take(frame(ENGINE_PORT, CALL_PORT + 1, b"ANSWER\n"), 1.002)
    times.take(frame(ENGINE_PORT, CALL_PORT, b"ANSWER\n"), 1.004)
    assert times.steps_ms == pytest.approx([1.0, 4.0])


def test_new_call_on_a_used_port_does_not_answer_the_old_one() -> None:
    times = StepTimes(ENGINE_PORT)
    times.take(frame(CALL_PORT, ENGINE_PORT, b"200 result=1\n"), 1.0)
    times.take(frame(CALL_PORT, ENGINE_PORT, b"", flags=0x02), 2.0)
    times.take(frame(ENGINE_PORT, CALL_PORT, b"ANSWER\n"), 3.0)
    assert times.steps_ms == []
