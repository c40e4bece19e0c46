"""What must not be run, kept or loaded."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement

from tests.scorecard.row import Figures, Scale, row

ROOT = Path(__file__).resolve().parents[3]

# --- X2 ----------------------------------------------------------------------------------------------

_NEVER = frozenset({"eval", "exec", "compile", "__import__", "execfile"})
_UNSAFE_MODULES = frozenset(
    {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "runpy"}
)
_UNSAFE_CALLS = frozenset(
    {"yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"}
)


@row(
    "X2",
    "Data that is made to run as code",
    "Nothing in the package and its integrations can run it: no pickle, marshal or shelve, no eval or exec, "
    "no yaml.load, no numpy load that allows pickles, no import of a name that the code does not hold, no "
    "shell. Read from the syntax tree of every module.",
    p0=True,
)
def no_data_is_run(_: Scale) -> Figures:
    unsafe, files, calls = list[str](), 0, 0
    for folder in ("langchain_router", "integrations"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            files += 1
            tree = ast.parse(path.read_text(encoding="utf-8"))
            calls += sum(isinstance(node, ast.Call) for node in ast.walk(tree))
            unsafe += [f"{path.name}:{line} {what}" for line, what in unsafe_code(tree)]
    figures = Figures()
    figures.none("unsafe calls and imports" + (f" ({', '.join(unsafe[:5])})" if unsafe else ""), len(unsafe))
    figures.at_least("modules read", files, 100)
    figures.at_least("calls looked at", calls, 1_000)
    return figures


def unsafe_code(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield what in a module could run data as code, with its line."""
    aliases = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                if one.name.partition(".")[0] in _UNSAFE_MODULES:
                    yield node.lineno, one.name
        elif isinstance(node, ast.ImportFrom):
            if (node.module or "").partition(".")[0] in _UNSAFE_MODULES:
                yield node.lineno, str(node.module)
        elif isinstance(node, ast.Name) and node.id in _NEVER:
            yield node.lineno, node.id
        elif isinstance(node, ast.Call):
            what = _unsafe_call(node, aliases)
            if what is not None:
                yield node.lineno, what


def _imported(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for: `{"np": "numpy", "load": "yaml.load"}`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.asname: one.name for one in node.names if one.asname}
        elif isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return found


def _unsafe_call(call: ast.Call, aliases: dict[str, str]) -> str | None:
    name = ast.unparse(call.func)
    head, _, rest = name.partition(".")
    name = ".".join(part for part in (aliases.get(head, head), rest) if part)
    given = {one.arg: one.value for one in call.keywords}

    def allows(keyword: str) -> bool:
        value = given.get(keyword)
        return value is not None and not (isinstance(value, ast.Constant) and value.value is False)

    if name == "yaml.load":
        loader = given.get("Loader") or (call.args[1] if len(call.args) > 1 else None)
        return None if loader is not None and "Safe" in ast.unparse(loader) else name
    literal = bool(call.args) and _is_ours(call.args[0])
    if name in _UNSAFE_CALLS or allows("allow_pickle") or allows("shell"):
        return name
    if name.endswith(("read_pickle", "torch.load")):
        return name
    return name if name == "importlib.import_module" and not literal else None


def _is_ours(name: ast.expr) -> bool:
    """Return whether a module's name is written out, or is at least one of the package's own."""
    first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else name
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        return False
    return first is name or first.value.startswith("langchain_router")


# --- X3 ----------------------------------------------------------------------------------------------

SECRETS = re.compile(
    r"\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{16,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bAIza[0-9A-Za-z_-]{30,}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,}"
    r"|\bgh[pousr]_[0-9A-Za-z]{30,}"
    r"|\bhf_[A-Za-z0-9]{30,}"
    r"|\bgsk_[A-Za-z0-9]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\."
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\bBearer [A-Za-z0-9._~+/-]{16,}"
    r"|://[^/\s:@\"'{}<>]+:[^/\s:@\"'{}<>]{6,}@(?!127\.0\.0\.1|localhost|example)"
)
_SCANNED = (
    "cassettes",
    "docs",
    "tests",
    "langchain_router",
    "integrations",
    "README.md",
    "CHANGELOG.md",
    "Makefile",
)
_TEXT_FILES = frozenset(
    {".py", ".md", ".yaml", ".yml", ".json", ".jsonl", ".toml", ".txt", ".svg", ".html", ""}
)


@row(
    "X3",
    "Something that looks like a key in cassettes, documents, tests, the package or the README",
    "None: keys of OpenAI, Anthropic, AWS, Google, Slack, GitHub, Hugging Face and Groq, bearer tokens, JSON "
    "web tokens, private keys, passwords in URLs. Each shape is tried on a made-up example first.",
)
def no_secret_is_kept(_: Scale) -> Figures:
    found, files, signs = list[str](), 0, 0
    for name in _SCANNED:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if not path.is_file() or path.suffix not in _TEXT_FILES or "__pycache__" in path.parts:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            files, signs = files + 1, signs + len(text)
            found += [path.name for _ in SECRETS.finditer(text)]
    figures = Figures()
    figures.none("secret shapes" + (f" ({', '.join(sorted(set(found))[:5])})" if found else ""), len(found))
    figures.exactly("shapes that the search knows", sum(bool(SECRETS.search(one)) for one in _made_up()), 11)
    figures.at_least("files", files, 200)
    figures.tell("read", signs / 1e6, "million characters")
    return figures


def _made_up() -> Sequence[str]:
    """Return an example of each shape, put together so that none stands in this file."""
    body = "Ab1" * 14
    return (
        "sk-" + body, "sk-ant-" + body, "AKIA" + "A1B2" * 4, "AIza" + body, "xoxb-" + body, "ghp_" + body,
        "hf_" + body, "eyJ" + body + ".eyJ" + body + ".x", "-----BEGIN RSA " + "PRIVATE KEY-----",
        "Authorization: Bearer " + body, "postgres://user:" + body + "@host/db",
    )  # fmt: skip


# --- X4 ----------------------------------------------------------------------------------------------

_LATE = (
    "litellm",
    "langchain",
    "langchain.agents",
    "langgraph",
    "sqlalchemy",
    "numpy",
    "jsonschema",
    "openai",
    "rich",
)
_COMPROMISED = ("1.82.7", "1.82.8")


@row(
    "X4",
    "import langchain_router; releases of LiteLLM that were compromised",
    "The import, and deciding without a file, load neither LiteLLM nor langchain.agents, SQLAlchemy or "
    "jsonschema, and the import no numpy; "
    "the pins let no compromised release in and have a ceiling.",
)
def what_is_loaded_is_known(_: Scale) -> Figures:
    figures = Figures()
    models = "'openai/gpt-4o-mini', 'openai/gpt-4o'"
    decide = f"langchain_router.ChatRouter.from_models({models}, store=None).decide('Hello').explain()"
    for what, then, least, may in (("the import", "", 1, ()), ("a decision", decide, 20, ("numpy",))):
        loaded = _loaded(f"import langchain_router; {then}")
        late = [name for name in _LATE if name in loaded and name not in may]
        figures.none(f"loaded by {what}" + (f" ({', '.join(late)})" if late else ""), len(late))
        figures.at_least(
            f"modules of ours in {what}", sum("langchain_router" in name for name in loaded), least
        )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = [Requirement(one) for one in project["dependencies"]]
    pin = next(one for one in pins if one.name == "litellm")
    let_in = [version for version in _COMPROMISED if pin.specifier.contains(version, prereleases=True)]
    figures.none("compromised releases that the pin lets in", len(let_in))
    named = [one.version for one in pin.specifier if one.operator == "!="]
    figures.exactly("compromised releases that it names", sum(one in named for one in _COMPROMISED), 2)
    unbounded = [
        one.name for one in pins if not any(spec.operator in ("<", "~=", "==") for spec in one.specifier)
    ]
    figures.none("dependencies without a ceiling", len(unbounded))
    return figures


def _loaded(code: str) -> set[str]:
    """Return the modules that are loaded after some code has run in a fresh interpreter."""
    program = f"import sys, json; {code}\nprint(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run(  # noqa: S603 - the code is written above
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))
