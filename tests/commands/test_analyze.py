import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.__main__ import main
from app.hub.invented import invent
from tests.recorder_file import write_home

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
HEAD = "entity_id,state,last_changed\n"


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hub") / "home-assistant_v2.db"
    invented = invent(days=30, until=UNTIL)
    write_home(path, invented.home, invented.events)
    return path


@pytest.fixture
def download(tmp_path: Path) -> Path:
    path = tmp_path / "history.csv"
    path.write_text(HEAD + "light.hall,on,2026-01-01T18:00:00Z\nlight.hall,off,2026-01-01T19:00:00Z\n")
    return path


@pytest.mark.timeout(300)
def test_a_recorder_file_gives_json_and_nothing_else(
    recorder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["analyze", "--recorder", str(recorder), "--timezone", "Europe/Amsterdam",
                 "--latitude", "52.37", "--longitude", "4.89", "--format", "json", "--explain"])  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert {"analysed", "patterns_detected", "suggestions", "set_aside"} <= set(told)
    assert {"events", "entities", "days", "first", "last", "seconds", "peak_mib"} <= set(told["analysed"])
    assert told["suggestions"]
    for one in told["suggestions"]:
        assert set(one["automation"]) >= {"alias", "triggers", "conditions", "actions", "mode"}
        assert set(one["evidence"]["replay"]) >= {
            "days", "fires", "wanted", "unwanted", "missed", "precision", "coverage"
        }  # fmt: skip


@pytest.mark.timeout(300)
def test_the_same_file_gives_the_same_ids(recorder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["analyze", "--recorder", str(recorder), "--timezone", "Europe/Amsterdam", "--format", "json"]
    found = []
    for until in ("2026-03-01", "2026-02-27"):
        assert main([*words, "--until", until]) == 0
        found.append({one["id"] for one in json.loads(capsys.readouterr().out)["suggestions"]})
    assert len(found[0] & found[1]) >= len(found[0]) / 2


def test_a_download_without_habits_is_told_so_in_a_table(
    download: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", "--history", str(download), "--timezone", "Europe/Amsterdam"]) == 0
    said = capsys.readouterr()
    assert "Nothing to suggest" in said.out
    assert "add --latitude and --longitude" in said.err


def _refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    said = capsys.readouterr()
    assert not said.out
    (line,) = [line for line in said.err.splitlines() if line.startswith("nightshift: ")]
    return line


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ([], "add --timezone"),
        (["--timezone", "Mars/Olympus"], "Mars/Olympus"),
        (["--timezone", "UTC", "--latitude", "91", "--longitude", "0"], "no such place"),
        (["--timezone", "UTC", "--latitude", "5"], "go together"),
        (["--timezone", "UTC", "--since", "yesterday"], "--since 'yesterday'"),
        (["--timezone", "UTC", "--since", "2026-02-01", "--until", "2026-01-01"], "--since must be before"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    download: Path, more: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert named in _refused(["analyze", "--history", str(download), *more], capsys)


def test_a_broken_line_is_named(download: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with download.open("a") as file:
        file.write("light.hall,on,half past six\n")
    line = _refused(["analyze", "--history", str(download), "--timezone", "UTC"], capsys)
    assert "line 4" in line


def test_an_unreadable_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--timezone", "UTC"]
    missing = tmp_path / "gone.db"
    assert "gone.db" in _refused(["analyze", "--recorder", str(missing), *words], capsys)
    missing.write_bytes(b"not a database at all" * 200)
    assert "gone.db" in _refused(["analyze", "--recorder", str(missing), *words], capsys)


def test_a_truncated_database_is_named(
    recorder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.db"
    cut.write_bytes(recorder.read_bytes()[: 300 * 4096])
    assert "cut.db" in _refused(["analyze", "--recorder", str(cut), "--timezone", "UTC"], capsys)


def test_a_locked_database_is_waited_for_only_so_long(
    tmp_path: Path, recorder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "locked.db"
    path.write_bytes(recorder.read_bytes())
    holder = sqlite3.connect(path)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("PRAGMA journal_mode=DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert "locked" in _refused(["analyze", "--recorder", str(path), "--timezone", "UTC"], capsys)
    finally:
        holder.close()


def test_a_hub_that_is_not_set_up_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_DATA", str(tmp_path))
    monkeypatch.delenv("SUPERVISOR_TOKEN", raising=False)
    assert "NIGHTSHIFT_HUB_URL" in _refused(["analyze", "--hub"], capsys)
