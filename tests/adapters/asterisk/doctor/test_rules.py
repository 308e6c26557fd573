"""Every code is raised by one fault in a good configuration, and by nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ivr_engine.adapters.asterisk.doctor import DoctorTarget, Finding, examine, render, to_json
from ivr_engine.adapters.asterisk.doctor.examination import FILE_RULES, RUNNING_RULES
from ivr_engine.adapters.asterisk.doctor.finding import apply
from ivr_engine.adapters.asterisk.doctor.rules_modules import NEEDED
from ivr_engine.adapters.asterisk.doctor.rules_running import PLACE
from ivr_engine.adapters.asterisk.doctor.subject import Running
from tests.adapters.asterisk.doctor.good import GOOD, write

# code: file, what stands there, what is put in its place
BROKEN: list[tuple[str, str, str, str]] = [
    ("D001", "cel.conf", "enable = no", "enable = no\nnot a setting"),
    ("D001", "manager.conf", "name(VarSet)) =", "name(VarSet)) =\neventfilter(action(exclude),name(Newexten))"),
    ("D003", "logger.conf", "[general]", "#exec /bin/true\n[general]"),
    ("D101", "asterisk.conf", "[directories]", "[directories](!)"),
    ("D102", "asterisk.conf", "verbose = 0", "verbose = 3"),
    ("D103", "asterisk.conf", "debug = 0", "debug = 5"),
    ("D104", "asterisk.conf", "dumpcore = no", "dumpcore = yes"),
    ("D105", "asterisk.conf", "live_dangerously = no", "live_dangerously = yes"),
    ("D106", "asterisk.conf", "disable_remote_console_shell = yes", ""),
    ("D107", "asterisk.conf", "maxcalls = 500", ""),
    ("D108", "asterisk.conf", "debug = 0", "debug = 0\nexecincludes = yes"),
    ("D111", "logger.conf", "notice,warning", "notice,dtmf,warning"),
    ("D112", "logger.conf", "notice,warning", "[json]debug,warning"),
    ("D113", "logger.conf", "notice,warning", "notice,verbose(3)"),
    ("D114", "logger.conf", "notice,warning,error", "*"),
    ("D115", "logger.conf", "security => [json]security", ""),
    ("D122", "cel.conf", "enabled = no", "enabled = yes"),
    ("D123", "cel.conf", "enable = no", "enable = yes\nevents = CHAN_START"),
    ("D202", "modules.conf", "require = app_dial.so", "require = app_dial.so\nload = app_system.so"),
    ("D202", "modules.conf", "require = app_dial.so", "require = app_dial.so\nload = cel_pgsql"),
    ("D203", "modules.conf", "require = app_dial.so", "require = app_dial.so\nload = app_morsecode.so"),
    ("D204", "modules.conf", "require = app_senddtmf.so", ""),
    ("D204", "modules.conf", "require = app_senddtmf.so", "require = app_senddtmf.so\nnoload = app_senddtmf.so"),
    ("D205", "modules.conf", "require = res_speech.so", ""),
    ("D301", "manager.conf", "bindaddr = 127.0.0.1", ""),
    ("D301", "manager.conf", "bindaddr = 127.0.0.1", "bindaddr = 192.0.2.7"),
    ("D302", "manager.conf", "webenabled = no", "webenabled = yes"),
    ("D303", "manager.conf", "DTMFBegin,DTMFEnd,VarSet,", "DTMFBegin,"),
    ("D304", "manager.conf", "read = system,call", "read = system,dtmf,call"),
    ("D304", "manager.conf", "read = reporting", "read = all"),
    ("D305", "manager.conf", "write = reporting", "write = reporting,command"),
    ("D306", "manager.conf", "permit = 127.0.0.1/255.255.255.255", ""),
    ("D307", "manager.conf", "writetimeout = 5000", "writetimeout = 100"),
    ("D307", "manager.conf", "writetimeout = 5000", ""),
    ("D308", "manager.conf", "eventfilter(action(exclude),name(DTMFEnd)) =", ""),
    ("D309", "manager.conf", "authtimeout = 5", "authtimeout = 5\nchannelvars = CUSTOMER"),
    ("D310", "manager.conf", "secret = 0123456789abcdef0123456789abcdef", "secret = engine1"),
    ("D311", "manager.conf", "read = system,call", "read = call"),
    ("D312", "manager.conf", "agent,user,reporting", "agent,user"),
    ("D313", "manager.conf", "allowmultiplelogin = no", ""),
    ("D314", "manager.conf", "write = originate,", "write = "),
    ("D315", "manager.conf", "enabled = yes\nweb", "enabled = no\nweb"),
    ("D316", "manager.conf", "authtimeout = 5", "authtimeout = 600"),
    ("D402", "pjsip.conf", "dtmf_mode = rfc4733", "dtmf_mode = auto_info"),
    ("D403", "pjsip.conf", "permit = 192.0.2.0/24", ""),
    ("D404", "pjsip.conf", "identify_by = ip", ""),
    ("D404", "pjsip.conf", "endpoint = trunk", "endpoint = other"),
    ("D405", "pjsip.conf", "endpoint_identifier_order = ip,username", ""),
    ("D406", "pjsip.conf", "type = global", "type = global\ndebug = yes"),
    ("D407", "pjsip.conf", "type = global", "type = global\nunidentified_request_count = 0"),
    ("D408", "pjsip.conf", "password = a-long-random-password", "password = 8001"),
    ("D409", "pjsip.conf", "dtmf_mode = rfc4733\nallow_transfer = no", "dtmf_mode = rfc4733"),
    ("D410", "pjsip.conf", "max_contacts = 1", "max_contacts = 5"),
    ("D421", "http.conf", "enabled = no", "enabled = yes"),
    ("D422", "http.conf", "enable_static = no", "enable_static = yes"),
    ("D423", "http.conf", "enable_status = no", ""),
    ("D431", "rtp.conf", "rtpend = 20000", "rtpend = 10999"),
    ("D431", "rtp.conf", "rtpend = 20000", "rtpend = many"),
    ("D432", "rtp.conf", "strictrtp = yes", "strictrtp = no"),
    ("D441", "queues.conf", "strategy = leastrecent", "strategy = leastrecent\nmonitor-format = wav"),
    ("D442", "queues.conf", "[humans]\nstrategy = leastrecent\n", ""),
    ("D451", "features.conf", "blindxfer =", "blindxfer = #"),
    ("D451", "features.conf", "UserEvent(IvrSecure)", "Playback(welcome)"),
    ("D451", "features.conf", "*7,self", "*7,peer"),
    ("D451", "features.conf", "[featuremap]", "[featuremap]\natxfer = *2"),
    ("D451", "features.conf", "[applicationmap]", "[applicationmap]\nrecord = *1,self,MixMonitor(x)"),
    ("D452", "extensions.conf", "Set(DYNAMIC_FEATURES=", "Set(__DYNAMIC_FEATURES="),
    ("D452", "extensions.conf", " same => n,Answer()", " same => n,Set(DYNAMIC_FEATURES=secure)"),
    ("D204", "modules.conf", "require = app_userevent.so", ""),
    ("D501", "extensions.conf", " same => n,AGI(agi://127.0.0.1:4573/incoming,token)\n", ""),
    ("D502", "extensions.conf", " same => n,Set(AGIEXITONHANGUP=yes)\n", ""),
    ("D502", "extensions.conf", "AGIEXITONHANGUP=yes", "AGIEXITONHANGUP=no"),
    ("D503", "extensions.conf", " same => n,Set(TIMEOUT(absolute)=30)\n", ""),
    ("D504", "extensions.conf", "exten => T,1,Goto(fallback,s,1)\n", ""),
    ("D505", "extensions.conf", '$["${IVR_DONE}" = "1"]', '$["${AGISTATUS}" = "SUCCESS"]'),
    ("D506", "extensions.conf", " same => n,Set(IVR_DONE=0)\n", ""),
    ("D507", "extensions.conf", " same => n,Queue(humans,,,,600)\n", ""),
    ("D507", "extensions.conf", "Goto(fallback,s,1)", "Hangup()"),
    ("D508", "extensions.conf", "_4000XXXX", "_X."),
    ("D509", "extensions.conf", "${FILTER(0-9+,${CALLERID(num)})}", "${CALLERID(num)}"),
    ("D509", "extensions.conf", "PJSIP/8001,30", "PJSIP/${EXTEN},30"),
    ("D510", "extensions.conf", " same => n,Answer()", " same => n,System(id)"),
    ("D510", "extensions.conf", " same => n,Answer()", " same => n,NoOp(${PIN})"),
    ("D510", "extensions.conf", " same => n,Answer()", " same => n,Set(A=${SHELL(id)})"),
    ("D510", "extensions.conf", " same => n,Answer()", " same => n,Read(PIN,prompt,6)"),
    ("D511", "extensions.conf", " same => n,Answer()", " same => n,Dial(PJSIP/900@trunk)"),
    ("D512", "pjsip.conf", "context = agents", "context = nowhere"),
    ("D513", "extensions.conf", "writeprotect = yes", ""),
    ("D514", "extensions.conf", "Set(GOSUB_RESULT=CONGESTION)", "Set(GOSUB_RESULT=)"),
    ("D502", "extensions.conf", "=CONGESTION)\n same => n,Set(AGIEXITONHANGUP=yes)", "=CONGESTION)"),
    ("D514", "extensions.conf", "exten => s,1,Set(GOSUB_RESULT=CONGESTION)\n same => n,", "exten => s,1,"),
]


async def codes(folder: Path) -> set[str]:
    return {finding.code for finding in await examine(DoctorTarget(config=folder))}


async def test_good_configuration_has_no_finding(tmp_path: Path) -> None:
    assert await examine(DoctorTarget(config=write(tmp_path / "etc", GOOD))) == []


@pytest.mark.parametrize(("code", "name", "before", "after"), BROKEN, ids=lambda value: str(value)[:40])
async def test_one_fault_raises_its_code_and_no_other(
    tmp_path: Path, code: str, name: str, before: str, after: str
) -> None:
    assert before in GOOD[name]
    files = {**GOOD, name: GOOD[name].replace(before, after)}
    findings = await examine(DoctorTarget(config=write(tmp_path / "etc", files)))
    assert {finding.code for finding in findings} == {code}, render(findings)
    assert all(finding.file == name or name in ("pjsip.conf", "queues.conf") for finding in findings)
    assert all(finding.what and finding.mend for finding in findings)


async def test_autoload_raises_only_its_own_code(tmp_path: Path) -> None:
    files = {**GOOD, "modules.conf": "[modules]\nautoload = yes\n"}
    assert await codes(write(tmp_path / "etc", files)) == {"D201"}


async def test_channel_events_with_keys_are_more_than_channel_events(tmp_path: Path) -> None:
    files = {**GOOD, "cel.conf": "[general]\nenable = yes\nevents = ALL\n"}
    assert await codes(write(tmp_path / "etc", files)) == {"D121", "D123"}


async def test_anonymous_endpoint_is_a_fault_of_its_own(tmp_path: Path) -> None:
    text = "[anonymous]\ntype = endpoint\ncontext = from-trunk\nallow_transfer = no\nauth = x\n"
    files = {**GOOD, "pjsip.conf": GOOD["pjsip.conf"] + text}
    assert await codes(write(tmp_path / "etc", files)) == {"D401"}


@pytest.mark.parametrize("name", sorted(GOOD))
async def test_missing_file_is_told_and_not_guessed_about(tmp_path: Path, name: str) -> None:
    files = {other: text for other, text in GOOD.items() if other != name}
    found = await codes(write(tmp_path / "etc", files))
    assert "D002" in found
    assert found <= {"D002", "D501", "D507"}


async def test_secrets_that_others_can_read_or_write_are_told(tmp_path: Path) -> None:
    folder = write(tmp_path / "etc", GOOD)
    (folder / "manager.conf").chmod(0o644)
    assert await codes(folder) == {"D004"}
    (folder / "manager.conf").chmod(0o660)
    assert await codes(folder) == {"D005"}
    (folder / "manager.conf").chmod(0o640)
    folder.chmod(0o777)
    assert await codes(folder) == {"D005"}


async def test_included_secrets_are_looked_at_too(tmp_path: Path) -> None:
    files = {**GOOD, "manager.conf": GOOD["manager.conf"] + "#include accounts.conf\n", "accounts.conf": ""}
    folder = write(tmp_path / "etc", files)
    (folder / "accounts.conf").chmod(0o644)
    [finding] = await examine(DoctorTarget(config=folder))
    assert (finding.code, finding.file) == ("D004", "accounts.conf")


async def test_everything_is_listed_at_once_with_its_line(tmp_path: Path) -> None:
    text = GOOD["asterisk.conf"].replace("verbose = 0", "verbose = 3").replace("dumpcore = no", "dumpcore = yes")
    folder = write(tmp_path / "etc", {**GOOD, "asterisk.conf": text})
    findings = await examine(DoctorTarget(config=folder))
    assert [(finding.code, finding.line) for finding in findings] == [("D102", 4), ("D104", 6)]
    assert render(findings).startswith("asterisk.conf:4 D102 error: verbose = 3: ")
    assert render(findings).endswith("2 errors, 0 warnings\n")
    assert json.loads(to_json(findings))[1]["code"] == "D104"


RIGHT = Running(
    version="22.10.1+dfsg",
    settings={"Root console verbosity": "0", "Debug level": "0", "Shell on remote consoles": "Disabled"},
    manager={"Disabled events": "DTMFBegin,DTMFEnd,VarSet,Newexten,AGIExecStart,AGIExecEnd,CEL,RTCPSent,RTCPReceived"},
    loggers=("messages.log File default Enabled - NOTICE WARNING ERROR",),
    modules=frozenset(NEEDED),
)


def found(running: Running) -> list[Finding]:
    return apply(RUNNING_RULES, running)


def test_right_running_asterisk_has_no_finding() -> None:
    assert found(RIGHT) == []


@pytest.mark.parametrize(
    ("code", "running"),
    [
        ("D701", Running(troubles=("AMI does not answer",))),
        ("D702", Running(version="22.9.3")),
        ("D702", Running(version="GIT-master-abc")),
        ("D703", Running(settings={"Root console verbosity": "3"})),
        ("D704", Running(settings={"Debug level": "5"})),
        ("D705", Running(loggers=("full.log File default Enabled - NOTICE DTMF",))),
        ("D706", Running(modules=frozenset(NEEDED) | {"res_pjsip_logger"})),
        ("D707", Running(modules=frozenset(NEEDED) - {"res_agi"})),
        ("D708", Running(manager={"Disabled events": "VarSet"})),
        ("D709", Running(settings={"Shell on remote consoles": "Enabled"})),
        ("D710", Running(settings={"Dump core on crash": "Yes"})),
        ("D711", Running(manager={"Web Manager (AMI/HTTP)": "Yes"})),
        ("D712", Running(settings={"Trace level": "2"})),
    ],
)
def test_running_asterisk_with_one_fault_raises_its_code(code: str, running: Running) -> None:
    assert [finding.code for finding in found(running)] == [code]
    assert found(running)[0].file == PLACE


def test_every_code_has_a_test_and_no_two_rules_share_one() -> None:
    known = [rule.code for rule in FILE_RULES] + [rule.code for rule in RUNNING_RULES]
    assert len(known) == len(set(known))
    text = Path(__file__).read_text(encoding="utf-8")
    assert [code for code in known if f'"{code}"' not in text] == []


async def test_folder_that_is_not_there_yet_is_one_finding_among_those_of_what_it_lacks(tmp_path: Path) -> None:
    found = await examine(DoctorTarget(tmp_path / "nowhere"))
    first = [finding for finding in found if finding.code == "D002"]
    assert len(first) == 1
    assert "nothing has been configured yet" in first[0].what
    assert "make run" in first[0].mend
