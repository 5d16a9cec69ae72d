"""The command line as a person meets it: exit codes, one clear line, nothing half-written."""

import builtins
import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from platform_records import write

from slac_tasks import cli
from slac_tasks.commands import show
from slac_tasks.procedure import STAGES, Part
from slac_tasks.storage.datasets import VIDEOS
from slac_tasks.storage.folder import FolderStore


def slac(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLAC_", "AWS_"))}
    command = [sys.executable, "-m", "slac_tasks.cli", *words]
    return subprocess.run(command, env=clean | environ, capture_output=True, text=True, timeout=120)


OS_ERRORS = {kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, OSError)}


def test_help_lists_every_verb() -> None:
    shown = slac("--help")
    assert shown.returncode == 0
    for verb in [*STAGES, *cli.COMMANDS]:
        assert re.search(rf"^    {verb}\s", shown.stdout, re.M), verb


def test_every_verb_is_listed_once_below_the_part_of_the_work_that_it_belongs_to() -> None:
    shown = cli.parser().format_help()
    for part in Part:
        below = shown.partition(f"\n{part}:\n")[2].partition("\n\n")[0].splitlines()
        verbs = {**STAGES, **cli.COMMANDS}
        assert [line[4:].split("  ")[0] for line in below] == [name for name in verbs if verbs[name].part is part]
        assert below, part


@pytest.mark.parametrize("verb", STAGES)
def test_the_example_in_a_stages_help_is_a_command_that_it_takes(verb: str) -> None:
    example = STAGES[verb].example
    shown = cli.parser()
    assert shown.parse_args(shlex.split(example)[1:]).verb == verb
    assert f"  {example}" in cli.described(STAGES[verb]).splitlines()


@pytest.mark.parametrize("verb", cli.COMMANDS)
def test_the_help_of_every_command_has_an_example(verb: str) -> None:
    module = importlib.import_module(f"slac_tasks.commands.{cli.COMMANDS[verb].module}")
    assert re.search(rf"^ *slac {verb}\b", module.__doc__ or "", re.M)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("scor",), "'scor' is unknown, did you mean score"),
        (("dance",), "'dance' is unknown, `slac --help` lists what there is"),
        (("release", "dif"), "'release dif' is unknown, did you mean release diff"),
        (("annotator", "asign"), "'asign' is unknown, did you mean assign?"),
        (("approve", "--decision", "aprove"), "'aprove' is unknown, did you mean approve?"),
        (("plan", "--for", "score_clip"), "'score_clip' is unknown, did you mean score_clips or score_again?"),
        (("show", "fetchd"), "dataset 'fetchd': unknown, did you mean fetched?"),
        (("sync", "--remakeonly=judo"), "slac sync: '--remakeonly' is unknown, did you mean --remake-only"),
        (("segments", "ask", "a", "--as", "b", "--scoreleast", "1"), "ask: '--scoreleast' is unknown, did you mean"),
        (("fetch", "--category", "judo", "karate", "--window", "w"), "slac fetch: 'karate' is unknown, want one of -h"),
    ],
)
def test_a_mistyped_word_is_answered_with_what_is_close_to_it(
    words: tuple[str, ...],
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    try:
        code = cli.main(words)
    except SystemExit as ended:
        code = ended.code
    assert code == 64
    assert answer in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("dance",),
        ("discover",),
        ("discover", "--category", "judo"),
        ("discover", "--category", "judo", "--window", "2026-01-06"),
        ("discover", "--category", "Judo!", "--window", "2026-01-05"),
        ("mine", "--category", "judo", "--round", "2026-01-05"),
        ("plan", "--for", "dance"),
        ("votes", "export", "/proc/votes.csv"),
        ("votes", "export", ""),
        ("exclude", "add", ""),
        ("localize", "", "--release", "r0001"),
        ("features", "a.mp4", "--to", ""),
        ("rehearse", "", "--only-make"),
        ("discover", "--category", "judo", "--window", "9999-12-20"),
        ("world", "make", "/proc/world"),
        ("world", "make", "world", "--processes", "0"),
    ],
)
def test_what_cannot_be_asked_is_64(tmp_path: Path, words: tuple[str, ...]) -> None:
    asked = slac(*words, SLAC_STORE=str(tmp_path / "store"))
    assert asked.returncode == 64, asked.stderr
    assert asked.stderr.strip().splitlines()[-1].startswith("slac")
    assert "Traceback" not in asked.stderr


@pytest.mark.parametrize("address", ["", " \n", "ftp://host/store", "s3://bucket/x", "/proc/nowhere/store"])
def test_a_wrong_store_is_78(address: str) -> None:
    asked = slac("aggregate", SLAC_STORE=address)
    assert asked.returncode == 78, asked.stderr
    assert len(asked.stderr.strip().splitlines()) == 1


def test_the_blanks_at_the_ends_of_a_variable_are_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "slac.toml").touch()
    asked = slac("config", SLAC_STORE=f" {tmp_path}/store\r\n", SLAC_CONFIG=f"{tmp_path}/slac.toml\n")
    assert asked.returncode == 0, asked.stderr
    assert f'store_url = "{tmp_path}/store"' in asked.stdout
    s3 = {"SLAC_STORE": "s3://bucket/x", "SLAC_S3_ENDPOINT": "http://127.0.0.1:1", "AWS_SECRET_ACCESS_KEY": "b\n"}
    asked = slac("show", **s3, AWS_ACCESS_KEY_ID="a\n", AWS_SESSION_TOKEN="word\n", AWS_REGION="eu-west-1\n")
    assert "out of reach" in asked.stderr, asked.stderr


ENDS = """
import sys
from slac_tasks import cli
from slac_tasks.commands import show
from slac_tasks.progress import print_line
def main(arguments):
    {body}
show.main = main
sys.exit(cli.main(["show", "candidates"]))
"""


def ends(body: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """A real process in which `slac show` does what `body` says."""
    return subprocess.run([sys.executable, "-c", ENDS.format(body=body)], text=True, timeout=60, **how)


@pytest.mark.parametrize("kind", sorted(OS_ERRORS, key=str), ids=lambda kind: kind.__name__)
def test_an_unexpected_failure_of_the_system_is_a_bug_with_its_traceback(
    kind: type[OSError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise kind("somewhere else")

    monkeypatch.setattr(show, "main", fail)
    assert cli.main(["show", "candidates"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.strip().splitlines()[-1] == "slac show: a bug, please report the lines above"


@pytest.mark.parametrize("body", ["print('line\\n' * 100_000)", "print('one line, which fits the buffer')",
                                  "print('line', file=sys.stderr, flush=True)"])  # fmt: skip
def test_a_reader_that_has_seen_enough_ends_it_quietly(body: str) -> None:
    read, write = os.pipe()
    os.close(read)
    stream = "stderr" if "stderr" in body else "stdout"
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    ended = ends(body, **{stream: write, other: subprocess.PIPE})
    os.close(write)
    assert ended.returncode == 141
    assert (ended.stdout or "") + (ended.stderr or "") == ""


@pytest.mark.parametrize("words", [("--help",), ("show", "--help")])
def test_the_help_may_be_cut_off(words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run([sys.executable, "-m", "slac_tasks.cli", *words], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert ended.returncode == 141
    assert ended.stderr == b""


def test_a_full_disk_is_75(tmp_path: Path) -> None:
    ended = ends("raise OSError(28, 'No space left on device', '/data')", capture_output=True)
    assert ended.returncode == 75
    assert ended.stderr == "slac show: disk is full while writing /data\n"


@pytest.mark.parametrize(
    ("body", "code"), [("print_line('more')", 75), ("raise cli.Temporary('restarting')", 75), ("1 / 0", 1)]
)
def test_a_log_on_a_full_disk_takes_no_exit_code_away(body: str, code: int) -> None:
    with open("/dev/full", "w") as full:
        assert ends(body, stderr=full).returncode == code
        assert subprocess.run([sys.executable, "-m", "slac_tasks.cli", "nonsense"], stderr=full).returncode == 64


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("words", "code"), [(("--help",), 75), (("--version",), 75), (("show", "--help"), 75), (("dance",), 64)]
)
def test_an_output_on_a_full_disk_takes_no_exit_code_away(words: tuple[str, ...], code: int, unbuffered: str) -> None:
    command, environ = [sys.executable, "-m", "slac_tasks.cli", *words], os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        ended = subprocess.run(command, env=environ, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == code
    assert "Exception ignored" not in ended.stderr
    if code == 75:
        assert ended.stderr.endswith(": disk is full while writing a file or the standard output\n")


@pytest.mark.parametrize(
    ("body", "code"),
    [("print('line')", 75), ("print('line'); raise cli.WrongArguments('no')", 64), ("print('line'); 1 / 0", 1)],
)
def test_what_stdout_did_not_take_changes_no_exit_code(body: str, code: int) -> None:
    environ = os.environ | {"PYTHONUNBUFFERED": ""}
    with open("/dev/full", "w") as full:
        assert ends(body, stdout=full, stderr=subprocess.DEVNULL, env=environ).returncode == code


def test_a_current_folder_that_was_deleted_is_78(tmp_path: Path) -> None:
    command = f"mkdir gone && cd gone && rmdir ../gone && exec {shlex.quote(sys.executable)} -m slac_tasks.cli config"
    environ = os.environ | {"SLAC_STORE": str(tmp_path / "store"), "PYTHONPATH": os.getcwd()}
    ended = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True)
    assert (ended.returncode, ended.stderr) == (
        78, "slac config: the current folder was deleted, want one that is there\n",
    )  # fmt: skip


def test_a_full_disk_is_the_one_that_was_written_to() -> None:
    ended = ends("raise OSError(28, 'No space left on device', '/from', None, '/to')", capture_output=True)
    assert ended.returncode == 75
    assert ended.stderr == "slac show: disk is full while writing /to\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_any_text_is_printed_whatever_the_terminal_knows(encoding: str) -> None:
    """Titles, names and messages come from strangers; cron and thin images know ASCII alone."""
    body = r"print('t\u00eft\u00e9 \u65e5\u672c \udce9'); print_line('\u65e5\x1b[2J\n\udce9')"
    environ = os.environ | {
        "LC_ALL": "POSIX",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": encoding,
    }
    ended = ends(body, capture_output=True, env=environ, encoding=encoding)
    assert ended.returncode == 0, ended.stderr
    assert "\\udce9" in ended.stdout
    assert ended.stderr.splitlines() == [ended.stderr.rstrip("\n")]
    assert "\x1b" not in ended.stderr
    assert "\\x1b[2J\\n\\xe9" in ended.stderr


@pytest.mark.parametrize("verb", ["show", "takedown", "discover"])
def test_a_word_in_another_encoding_is_refused_by_name(verb: str, tmp_path: Path) -> None:
    words = {
        "show": ["caf\udce9"], "takedown": ["--named", "a", "--reason", "caf\udce9"],
        "discover": ["--category", "caf\udce9", "--window", "2026-01-05"],
    }  # fmt: skip
    asked = slac(verb, *words[verb], SLAC_STORE=str(tmp_path / "store"))
    assert asked.returncode == 64, asked.stderr
    assert "'caf\\xe9' is not UTF-8, want a word in UTF-8" in asked.stderr
    assert slac("show", SLAC_STORE=f"{tmp_path}/caf\udce9").returncode == 78


@pytest.mark.parametrize(
    "words",
    [
        ("retire", "--category", "judo"),
        ("duplicates", "differ", "a", "b"),
        ("approve", "--category", "judo", "--labels", "000001", "--decision", "approve"),
    ],
)
@pytest.mark.parametrize(
    ("person", "reason", "wrong"),
    [
        (" ", "seen", "--person ' ' is blank"),
        ("a\x07b", "seen", "--person 'a\\x07b' holds a control character"),
        ("mara", " ", "--reason is blank"),
    ],
)
def test_whoever_decides_has_a_name_and_a_reason(
    words: tuple[str, ...], person: str, reason: str, wrong: str, tmp_path: Path
) -> None:
    asked = slac(*words, "--person", person, "--reason", reason, SLAC_STORE=str(tmp_path / "store"))
    assert (asked.returncode, wrong in asked.stderr) == (64, True), asked.stderr


def test_a_word_is_utf8_whatever_the_locale_knows(tmp_path: Path) -> None:
    """Cron's locale is ASCII: a name is not refused there that a terminal's shell may give."""
    environ = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "SLAC_STORE": str(tmp_path / "store")}
    asked = slac("show", "d\u00e9j\u00e0", **environ)
    assert asked.returncode == 64
    assert "dataset 'd\\xe9j\\xe0': unknown" in asked.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["localize", "a.mp4", "--release", "r0001", "--release", "r0002"],
        [
            "score",
            "--category",
            "judo",
            "--category",
            "golf",
            "--window",
            "2026-01-05",
            "--committee",
            "a",
            "--committee=b",
        ],
    ],
)
def test_a_flag_that_is_given_twice_is_refused_where_one_value_would_be_lost(words: list[str], tmp_path: Path) -> None:
    asked = slac(*words, SLAC_STORE=str(tmp_path / "store"))
    assert asked.returncode == 64
    assert re.search(r"argument --(release|committee): is given twice, want it once", asked.stderr)


def test_an_input_that_is_closed_is_an_empty_one(tmp_path: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -m slac_tasks.cli mcp <&-"
    environ = os.environ | {"SLAC_STORE": str(tmp_path / "store")}
    assert subprocess.run(["sh", "-c", command], env=environ, timeout=60).returncode == 0


def test_what_a_shell_has_closed_is_held_open_for_the_programs_that_are_started() -> None:
    code = (
        "import os, subprocess, sys; from slac_tasks import streams; streams.open_closed();"
        "file = open(os.devnull); ended = subprocess.run(['readlink', '/proc/self/fd/0', '/proc/self/fd/1']);"
        "os._exit(ended.returncode + (file.fileno() < 3))"
    )
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} <&- >&-"
    assert subprocess.run(["sh", "-c", command], timeout=60, stderr=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2)])
def test_an_output_that_is_closed_is_no_bug(closed: tuple[int, ...], tmp_path: Path) -> None:
    outputs = "".join(f" {number}>&-" for number in closed)
    command = f"{shlex.quote(sys.executable)} -m slac_tasks.cli show{outputs}"
    environ = os.environ | {"SLAC_STORE": str(tmp_path / "store")}
    assert subprocess.run(["sh", "-c", command], env=environ, timeout=60).returncode == 0


def test_a_database_that_is_down_is_75(tmp_path: Path) -> None:
    url = "postgresql://slac:hidden-word@127.0.0.1:1/slac"
    asked = slac("plan", "--for", "collect_videos", SLAC_STORE=str(tmp_path / "store"), SLAC_DATABASE_URL=url)
    assert asked.returncode == 75, asked.stderr
    assert "hidden-word" not in asked.stderr
    assert len(asked.stderr.strip().splitlines()) == 1


def test_a_database_without_address_is_78(tmp_path: Path) -> None:
    asked = slac("plan", "--for", "collect_videos", SLAC_STORE=str(tmp_path / "store"))
    assert asked.returncode == 78, asked.stderr


def test_a_dataset_that_is_missing_is_65_and_nothing_is_written(tmp_path: Path) -> None:
    store = tmp_path / "store"
    asked = slac("propose", "--category", "judo", "--window", "2026-01-05", SLAC_STORE=str(store))
    assert asked.returncode == 65, asked.stderr
    assert "not made yet" in asked.stderr.strip().splitlines()[-1]
    assert not [path for path in store.rglob("*") if path.is_file()]


def test_a_partition_to_remake_that_the_call_has_not_is_64(tmp_path: Path) -> None:
    keys = {"category": "judo", "window": "2026-01-05"}
    write(FolderStore(tmp_path / "store"), dataset=VIDEOS, keys=keys)
    words = ("propose", "--category", keys["category"], "--window", keys["window"], "--remake-only")
    for values, code in {"judo/2026-01-05": 0, "judo": 0, "judo/2026-01-06": 64}.items():
        asked = slac(*words, values, SLAC_STORE=str(tmp_path / "store"))
        assert asked.returncode == code, asked.stderr
    assert "--remake-only judo/2026-01-06: no partition of this call has these keys" in asked.stderr


@pytest.mark.parametrize(("given", "wanted"), [(None, "passive"), ("active", "active")])
def test_threads_that_wait_leave_the_processor_to_others(
    monkeypatch: pytest.MonkeyPatch, given: str | None, wanted: str
) -> None:
    monkeypatch.setattr(os, "environ", {"OMP_WAIT_POLICY": given} if given else {})
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert os.environ["OMP_WAIT_POLICY"] == wanted
