"""A configuration in which the doctor finds nothing; each test breaks it in one place."""

from __future__ import annotations

from pathlib import Path

GOOD: dict[str, str] = {
    "asterisk.conf": """\
[directories]
astetcdir => /etc/asterisk
[options]
verbose = 0
debug = 0
dumpcore = no
live_dangerously = no
disable_remote_console_shell = yes
maxcalls = 500
""",
    "modules.conf": """\
[modules]
autoload = no
require = res_sorcery_config.so
require = res_sorcery_memory.so
require = res_sorcery_astdb.so
require = res_pjproject.so
require = res_pjsip.so
require = res_pjsip_session.so
require = res_pjsip_pubsub.so
require = chan_pjsip.so
require = res_rtp_asterisk.so
require = res_security_log.so
require = pbx_config.so
require = func_timeout.so
require = func_strings.so
require = func_callerid.so
require = app_dial.so
require = app_userevent.so
load => app_queue.so
require = app_senddtmf.so
require = res_speech.so
require = res_agi.so
require = res_manager_devicestate.so
""",
    "manager.conf": """\
[general]
enabled = yes
webenabled = no
bindaddr = 127.0.0.1
authtimeout = 5
disabledevents = DTMFBegin,DTMFEnd,VarSet,Newexten,AGIExecStart,AGIExecEnd,CEL,RTCPSent,RTCPReceived
[account](!)
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.1/255.255.255.255
writetimeout = 5000
eventfilter(action(exclude),name(DTMFBegin)) =
eventfilter(action(exclude),name(DTMFEnd)) =
eventfilter(action(exclude),name(VarSet)) =
[engine1](account)
secret = 0123456789abcdef0123456789abcdef
read = system,call,agent,user,security
write = originate,call,agent,user,reporting
allowmultiplelogin = no
[doctor](account)
secret = fedcba9876543210fedcba9876543210
read = reporting
write = reporting
""",
    "logger.conf": """\
[general]
dateformat = %F %T
[logfiles]
messages => notice,warning,error
security => [json]security
""",
    "cel.conf": "[general]\nenable = no\n[manager]\nenabled = no\n",
    "pjsip.conf": """\
[global]
type = global
endpoint_identifier_order = ip,username
[acl]
type = acl
deny = 0.0.0.0/0.0.0.0
permit = 192.0.2.0/24
[trunk]
type = endpoint
identify_by = ip
context = from-trunk
dtmf_mode = rfc4733
allow_transfer = no
[trunk-address]
type = identify
endpoint = trunk
match = 192.0.2.1
[agent](!)
type = endpoint
context = agents
allow_transfer = no
[8001](agent)
auth = 8001
aors = 8001
[8001]
type = auth
password = a-long-random-password
[8001]
type = aor
max_contacts = 1
""",
    "http.conf": "[general]\nenabled = no\nenable_static = no\nenable_status = no\n",
    "rtp.conf": "[general]\nrtpstart = 10000\nrtpend = 20000\nstrictrtp = yes\n",
    "queues.conf": "[general]\npersistentmembers = no\n[humans]\nstrategy = leastrecent\n",
    "features.conf": """\
[general]
pickupexten =
[featuremap]
blindxfer =
[applicationmap]
secure = *7,self,UserEvent(IvrSecure)
""",
    "extensions.conf": """\
[general]
static = yes
writeprotect = yes
[from-trunk]
exten => 95588,1,Goto(hotline,s,1)
exten => _4000XXXX,1,Goto(hotline,s,1)
[hotline]
exten => s,1,Set(CALLERID(num)=${FILTER(0-9+,${CALLERID(num)})})
 same => n,Set(IVR_DONE=0)
 same => n,Set(AGIEXITONHANGUP=yes)
 same => n,Set(TIMEOUT(absolute)=30)
 same => n,AGI(agi://127.0.0.1:4573/incoming,token)
 same => n,GotoIf($["${IVR_DONE}" = "1"]?done)
 same => n,Goto(fallback,s,1)
 same => n(done),Hangup()
exten => T,1,Goto(fallback,s,1)
[fallback]
exten => s,1,Set(TIMEOUT(absolute)=0)
 same => n,Answer()
 same => n,NoOp(no engine)
 same => n,Queue(humans,,,,600)
 same => n,Hangup()
[consult]
exten => s,1,Set(GOSUB_RESULT=CONGESTION)
 same => n,Set(AGIEXITONHANGUP=yes)
 same => n,AGI(agi://127.0.0.1:4573/consult,token,${ARG1})
 same => n,Return()
[secure]
exten => asks,1,Set(DYNAMIC_FEATURES=secure)
 same => n,Return()
exten => s,1,Set(AGIEXITONHANGUP=yes)
 same => n,AGI(agi://127.0.0.1:4573/hold,token)
 same => n,Hangup()
[agents]
exten => 8001,1,Dial(PJSIP/8001,30)
 same => n,Hangup()
""",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write a configuration as a careful administrator would: nobody else can read it."""
    folder.mkdir(mode=0o750, exist_ok=True)
    folder.chmod(0o750)
    for name, text in files.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o640)
    return folder
