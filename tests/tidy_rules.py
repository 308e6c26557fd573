"""The rules of the house that a reader of one syntax tree can check.

Knows modules as text and trees, and what to write in place of what it finds. Must not know which code is excused:
that is the table in `test_tidy.py`.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

PACKAGE: Final = "ivr_engine"
LEVELS: Final = MappingProxyType(
    {
        "values": 0,
        "protocols": 0,
        "channel": 1,
        "speech": 1,
        "flow": 2,
        "banking": 2,
        "contact": 2,
        "acd": 2,
        "outbound": 2,
        "calls": 3,
        "scenarios": 3,
        "adapters": 4,
        "web": 4,
        "simulator": 4,
        "testcaller": 4,
        "app": 5,
    }
)
LEVELS_OF_STRANGERS: Final = frozenset({2, 4})
"""Levels whose packages do not import each other."""

PURE: Final = frozenset({"protocols", "acd", "outbound"})
IMPURE_MODULES: Final = frozenset(
    (
        "asyncio",
        "socket",
        "ssl",
        "select",
        "selectors",
        "threading",
        "subprocess",
        "multiprocessing",
        "time",
        "random",
        "secrets",
        "logging",
        "structlog",
        "os",
        "io",
        "pathlib",
        "tempfile",
        "shutil",
        "urllib",
        "http",
        "aiohttp",
        "sqlite3",
        "sqlalchemy",
    )
)
TELEPHONY_WORDS: Final = frozenset({"channel", "dtmf", "asterisk", "agi", "ami", "sip", "pjsip", "rtp"})
MUTABLE_MAKERS: Final = frozenset(
    {"list", "dict", "set", "bytearray", "defaultdict", "deque", "OrderedDict", "Counter"}
)
READ_ONLY_TYPES: Final = frozenset({"Mapping", "Sequence", "Set", "AbstractSet", "Collection", "Iterable"})
CLOCKS_AND_DICE: Final = re.compile(
    r"(time\.(time|time_ns|sleep|monotonic|monotonic_ns|perf_counter|localtime|gmtime)|datetime\.datetime\.(now|utcnow|today)"
    r"|datetime\.date\.today|random\.(?!Random\b)\w+|secrets\.\w+|uuid\.uuid[14]|os\.urandom)"
)
FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60
SILENCER: Final = re.compile(
    r"#\s*(noqa(?P<codes>:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?|type:\s*ignore(?P<kinds>\[[\w, -]+\])?)"
)
A_REASON: Final = re.compile(r"\w\w+\W+\w+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach: where, what, and what to do instead. `scope` is the function or class around it."""

    rule: str
    path: str
    line: int
    scope: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what} [{self.rule}]"


class Module:
    """One source file, read once for all rules."""

    def __init__(self, path: str, source: str) -> None:
        self.path = path
        self.source = source
        self.tree = ast.parse(source, path)
        parts = path.removesuffix(".py").split("/")
        self.is_package = parts[-1] == "__init__"
        self.dotted = ".".join(parts[:-1] if self.is_package else parts)
        self.layer = parts[1] if parts[0] == PACKAGE and len(parts) > 2 else ""

    @cached_property
    def nodes(self) -> list[tuple[ast.AST, str]]:
        """Every node with the dotted name of the functions and classes around it."""
        found: list[tuple[ast.AST, str]] = []

        def visit(node: ast.AST, scope: str) -> None:
            found.append((node, scope))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                scope = f"{scope}.{node.name}".lstrip(".")
            for child in ast.iter_child_nodes(node):
                visit(child, scope)

        visit(self.tree, "")
        return found

    @cached_property
    def imports(self) -> list[tuple[int, str, str, str]]:
        """Every import as (line, scope, dotted name of what is imported, name it has here)."""
        found: list[tuple[int, str, str, str]] = []
        for node, scope in self.nodes:
            if isinstance(node, ast.Import):
                for name in node.names:
                    here = name.asname or name.name.partition(".")[0]
                    found.append((node.lineno, scope, name.name, here))
            elif isinstance(node, ast.ImportFrom):
                base = self._base_of(node)
                found += [(node.lineno, scope, f"{base}.{n.name}", n.asname or n.name) for n in node.names]
        return found

    def full_name(self, node: ast.AST) -> str:
        """Return what `a.b.c` means here, with `a` replaced by what was imported under that name."""
        if isinstance(node, ast.Attribute):
            return f"{self.full_name(node.value)}.{node.attr}"
        if isinstance(node, ast.Name):
            return self._meanings.get(node.id, node.id)
        return ""

    @cached_property
    def _meanings(self) -> dict[str, str]:
        plain = {
            name.name.partition(".")[0]
            for node, _ in self.nodes
            if isinstance(node, ast.Import)
            for name in node.names
            if not name.asname
        }
        return {here: dotted for _, _, dotted, here in self.imports if here not in plain}

    def _base_of(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parents = self.dotted.split(".")
        kept = parents[: len(parents) - node.level + self.is_package]
        return ".".join([*kept, node.module] if node.module else kept)


Rule = Callable[[Module], Iterator[Finding]]


def imports_go_down(module: Module) -> Iterator[Finding]:
    """Levels, strangers on one level, and adapters for the app alone."""
    if not module.layer:
        return
    mine = LEVELS.get(module.layer)
    if mine is None:
        what = f"package {module.layer!r} has no level; enter it in LEVELS of tests/tidy_rules.py and the architecture"
        yield Finding("layers", module.path, 1, "", what)
        return
    for line, scope, dotted, _ in module.imports:
        parts = dotted.split(".")
        if parts[0] != PACKAGE or len(parts) < 2 or parts[1] == module.layer or parts[1] not in LEVELS:
            continue
        theirs = LEVELS[parts[1]]
        strangers = theirs == mine and (mine in LEVELS_OF_STRANGERS or module.layer == "values")
        if theirs > mine or strangers:
            what = (
                f"{module.layer} (level {mine}) imports {parts[1]} (level {theirs}); "
                f"declare a port in {module.layer} and let app join the two"
            )
            yield Finding("layers", module.path, line, scope, what)


def pure_packages_stay_pure(module: Module) -> Iterator[Finding]:
    """No input, output, clock or log where only decisions are made."""
    if module.layer not in PURE:
        return
    for line, scope, dotted, _ in module.imports:
        if dotted.partition(".")[0] in IMPURE_MODULES or dotted.startswith(f"{PACKAGE}.values.clock"):
            what = (
                f"{module.layer} does no I/O and reads no clock, but imports {dotted}; take values in, give values out"
            )
            yield Finding("pure", module.path, line, scope, what)
    for node, scope in module.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "input"}:
            what = f"{module.layer} does no I/O, but calls {node.func.id}(); let an adapter read and pass the text in"
            yield Finding("pure", module.path, node.lineno, scope, what)


def banking_knows_no_telephony(module: Module) -> Iterator[Finding]:
    """No telephone word in a name or an import of the bank."""
    if module.layer != "banking":
        return
    named = [(line, scope, dotted) for line, scope, dotted, _ in module.imports]
    named += [(getattr(node, "lineno", 1), scope, name) for node, scope in module.nodes for name in _names(node)]
    for line, scope, name in dict.fromkeys(named):
        words = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}
        if telephony := sorted(words & TELEPHONY_WORDS):
            what = f"{name} brings the telephone ({', '.join(telephony)}) into banking; name what the bank means"
            yield Finding("bank-words", module.path, line, scope, what)


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.arg(arg=name) | ast.Name(id=name) | ast.Attribute(attr=name):
            return [name]
        case ast.keyword(arg=str(name)):
            return [name]
        case _:
            return []


def modules_hold_no_mutable_state(module: Module) -> Iterator[Finding]:
    """Lists, dicts and sets of a module are read-only or typed so; nothing is `global`."""
    for node, scope in module.nodes:
        if isinstance(node, ast.Global):
            what = "global changes a module at run time; give the value an owner and pass it"
            yield Finding("module-state", module.path, node.lineno, scope, what)
        if scope or not isinstance(node, ast.Assign | ast.AnnAssign) or not _is_mutable(node.value):
            continue
        target = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        if target == "__all__" or (isinstance(node, ast.AnnAssign) and _is_read_only(node.annotation)):
            continue
        what = f"{target} can be changed by anybody; use a tuple, frozenset, MappingProxyType or Final[Mapping[...]]"
        yield Finding("module-state", module.path, node.lineno, scope, what)


def _is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        maker = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return maker in MUTABLE_MAKERS
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def _is_read_only(annotation: ast.expr) -> bool:
    written = re.sub(r"\b(typing|collections\.abc|abc|t)\.", "", ast.unparse(annotation))
    inner = re.match(r"Final\[(\w+)", written)
    return inner is not None and inner[1] in READ_ONLY_TYPES


def tasks_have_owners(module: Module) -> Iterator[Finding]:
    """`create_task` only on a TaskGroup of the same function."""
    groups = {
        (scope, item.optional_vars.id)
        for node, scope in module.nodes
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name) and ast.unparse(item.context_expr).endswith("TaskGroup()")
    }
    for node, scope in module.nodes:
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in {"create_task", "ensure_future"}:
            continue
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if not (isinstance(receiver, ast.Name) and (scope, receiver.id) in groups):
            what = f"{name} outside a TaskGroup; use one, or list the owner that awaits the task in close()"
            yield Finding("tasks", module.path, node.lineno, scope, what)


def excepts_are_narrow(module: Module) -> Iterator[Finding]:
    """`except Exception` is for the borders, unless it tidies up and passes the same error on."""
    for node, scope in module.nodes:
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = [c for c in caught if c is None or ast.unparse(c) in {"Exception", "BaseException"}]
        last = node.body[-1]
        passed_on = isinstance(last, ast.Raise) and last.exc is None
        if broad and not passed_on:
            what = "catches everything; name what can happen here, or list this border with its reason"
            yield Finding("broad-except", module.path, node.lineno, scope, what)


def secrets_are_revealed_rarely(module: Module) -> Iterator[Finding]:
    """`.reveal` only where listed."""
    for node, scope in module.nodes:
        if isinstance(node, ast.Attribute) and node.attr == "reveal":
            what = "reveals secret digits; pass the SecretDigits on, or list this place with its reason"
            yield Finding("reveal", module.path, node.lineno, scope, what)


def time_and_dice_come_through_ports(module: Module) -> Iterator[Finding]:
    """No clock, pause or random number but through `values.clock` and `values.ids`."""
    for node, scope in module.nodes:
        if isinstance(node, ast.Call) and module.full_name(node.func) == "random.Random" and not node.args:
            what = "random.Random() without a seed cannot be repeated; take the Random as an argument"
            yield Finding("clock", module.path, node.lineno, scope, what)
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            name = module.full_name(node)
            if CLOCKS_AND_DICE.fullmatch(name) and _is_imported(module, name):
                what = f"{name} cannot be simulated; take a values.clock.Clock or values.ids.Ids as an argument"
                yield Finding("clock", module.path, node.lineno, scope, what)


def _is_imported(module: Module, name: str) -> bool:
    return any(name == dotted or name.startswith(f"{dotted}.") for _, _, dotted, _ in module.imports)


def nothing_prints(module: Module) -> Iterator[Finding]:
    """`print` belongs to the command line."""
    if module.layer == "app" and module.path.startswith(f"{PACKAGE}/app/cli"):
        return
    for node, scope in module.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            what = "prints; log with structlog, or return the text to app/cli"
            yield Finding("print", module.path, node.lineno, scope, what)


def pieces_are_small(module: Module) -> Iterator[Finding]:
    """Files and functions fit into a head."""
    lines = len(module.source.splitlines())
    if lines > FILE_LINES_MAX:
        what = f"{lines} lines (at most {FILE_LINES_MAX}); move one subject into a file of its own"
        yield Finding("size", module.path, lines, "", what)
    for node, scope in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                what = f"{node.name} has {length} lines (at most {FUNCTION_LINES_MAX}); name its parts"
                yield Finding("size", module.path, node.lineno, f"{scope}.{node.name}".lstrip("."), what)


def modules_say_what_they_know(module: Module) -> Iterator[Finding]:
    """Every module has a docstring."""
    if not ast.get_docstring(module.tree):
        what = "no module docstring; say what the module knows and what it must not know"
        yield Finding("docstring", module.path, 1, "", what)


def silenced_checks_say_why(module: Module) -> Iterator[Finding]:
    """`noqa` and `type: ignore` name a code and have a reason beside them."""
    for token in tokenize.generate_tokens(io.StringIO(module.source).readline):
        if token.type != tokenize.COMMENT:
            continue
        marks = list(SILENCER.finditer(token.string))
        if not marks:
            continue
        if any(not (mark["codes"] or mark["kinds"]) for mark in marks):
            what = "silences every check of the line; name the code"
            yield Finding("silenced", module.path, token.start[0], "", what)
        if not A_REASON.search(SILENCER.sub("", token.string)):
            what = "silences a check without a reason; write it after the code, behind another #"
            yield Finding("silenced", module.path, token.start[0], "", what)


def tests_do_not_sleep(module: Module) -> Iterator[Finding]:
    """No real pause in a test, except `asyncio.sleep(0)`."""
    for node, scope in module.nodes:
        if not isinstance(node, ast.Call) or module.full_name(node.func) not in {"time.sleep", "asyncio.sleep"}:
            continue
        yields = node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        if not (yields and module.full_name(node.func) == "asyncio.sleep"):
            what = "sleeps; wait for the condition itself, or use the polling helper that is listed"
            yield Finding("test-sleep", module.path, node.lineno, scope, what)


RULES: Final[tuple[Rule, ...]] = (
    imports_go_down,
    pure_packages_stay_pure,
    banking_knows_no_telephony,
    modules_hold_no_mutable_state,
    tasks_have_owners,
    excepts_are_narrow,
    secrets_are_revealed_rarely,
    time_and_dice_come_through_ports,
    nothing_prints,
    pieces_are_small,
    modules_say_what_they_know,
    silenced_checks_say_why,
)
TEST_RULES: Final[tuple[Rule, ...]] = (
    tests_do_not_sleep,
    silenced_checks_say_why,
)

# What must be in no file, written in pieces so that this file does not contain it.
UNWANTED: Final[tuple[tuple[str, str], ...]] = (
    ("/" + r"home/[a-z]\w*/", "a home folder; write the path relative to the checkout"),
    ("/" + "Users/[A-Za-z]", "a home folder; write the path relative to the checkout"),
    ("/" + r"root/\w", "a home folder; write the path relative to the checkout"),
    ("/" + r"work/(main|shared)\b", "the path of one machine; write it relative to the checkout"),
    ("/" + "tmp/" + r"(probe|bash_jobs)\b", "the path of one machine; let the test make its own folder"),
    ("--(extra-)?" + "index" + "-url", "a package registry; leave the choice to the reader's pip"),
    (r"\bpy" + r"pi\.org|python" + r"hosted\.org", "a package registry; name the package alone"),
    (r"\b" + "HO" + r"USE\.md", "a file that is not part of the project"),
    (r"(?i)\bcl" + r"aude\b|\banth" + r"ropic\b|\bcop" + r"ilot\b|\bchat" + "gpt", "a tool; say what the code does"),
    (r"(?i)\bsub" + r"-?agents?\b|\bthis ses" + r"sion's brief\b", "how the text came about; say what it is"),
)


def text_findings(path: str, text: str) -> Iterator[Finding]:
    """Look for what must be in no file."""
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, instead in UNWANTED:
            if found := re.search(pattern, line):
                yield Finding("text", path, number, "", f"{found[0]!r} is {instead}")
