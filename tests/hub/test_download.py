from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.clock import to_ms
from app.errors import InputError
from app.hub.download import home_from_events, read_download
from app.model import Cause

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HEADER = "entity_id,state,last_changed\n"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "history.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_download_is_read_in_the_order_of_time(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        HEADER
        + "light.lamp,on,2026-05-04T12:00:05.250Z\n"
        + "sensor.power,12.5,2026-05-04T14:00:00+02:00\n"
        + "light.lamp,off,2026-05-04T11:59:59.999Z\n",
    )
    events = read_download(path)
    assert [(row.entity_id, row.state, row.at - to_ms(NOON)) for row in events.rows()] == [
        ("light.lamp", "off", -1), ("sensor.power", "12.5", 0), ("light.lamp", "on", 5250),
    ]  # fmt: skip
    assert {row.cause for row in events.rows()} == {Cause.UNKNOWN}


def test_a_spreadsheets_mark_order_quotes_and_columns_do_no_harm(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '\ufeff"Last_Changed","note",state,entity_id\r\n'
        '"2026-05-04T12:00:00Z","a, b","Playing, ""loud""",media_player.tv\r\n\r\n',
    )
    (row,) = read_download(path).rows()
    assert (row.entity_id, row.state, row.at) == ("media_player.tv", 'Playing, "loud"', to_ms(NOON))


def test_only_the_stretch_asked_for_is_read(tmp_path: Path) -> None:
    lines = "".join(f"light.lamp,on,2026-05-04T12:00:0{n}Z\n" for n in range(6))
    second = timedelta(seconds=1)
    events = read_download(written(tmp_path, HEADER + lines), NOON + 2 * second, NOON + 4 * second)
    assert [row.at for row in events.rows()] == [to_ms(NOON + 2 * second), to_ms(NOON + 3 * second)]


def test_a_header_alone_is_a_home_without_events(tmp_path: Path) -> None:
    assert len(read_download(written(tmp_path, HEADER))) == 0


def test_a_removed_entitys_empty_state_is_no_change(tmp_path: Path) -> None:
    assert len(read_download(written(tmp_path, HEADER + "light.lamp,,2026-05-04T12:00:00Z\n"))) == 0


GOOD = "light.lamp,on,2026-05-04T12:00:00Z\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEADER + GOOD + "light.lamp,on,yesterday\n", "history.csv, line 3: 'yesterday' is no time such as"),
        (HEADER + GOOD + "light.lamp,on,\n", "line 3: '' is no time"),
        (
            HEADER + "light.lamp,on,2026-05-04T12:00:00\n",
            "line 2: the time '2026-05-04T12:00:00' has no zone",
        ),
        (HEADER + GOOD + GOOD + "light.lamp,on\n", "line 4: 2 fields where the header has 3"),
        (HEADER + "light.lamp,on,2026-05-04T12:00:00Z,x\n", "line 2: 4 fields where the header has 3"),
        (HEADER + "lamp,on,2026-05-04T12:00:00Z\n", "line 2: 'lamp' is no entity id"),
        (HEADER + GOOD + 'light.lamp,"on,2026-05-04T12:00:00Z\n', "line 3: unexpected end of data"),
        (HEADER + GOOD + "x" * 200_000, "line 3: longer than 100000 characters"),
        ("entity_id,state,when\n" + GOOD, "line 1: no column last_changed"),
        ("", "history.csv is empty"),
        (" \n\n", "history.csv is empty"),
        (b"\x1f\x8b\x08\x00rest", "history.csv is compressed: unpack it first"),
        (b"SQLite format 3\x00\x10", "history.csv is no text file"),
        (HEADER.encode() + "light.lamp,é,2026-05-04T12:00:00Z\n".encode("latin-1"), "no text file in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(InputError) as raised:
        read_download(written(tmp_path, text))
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("make", "told"),
    [(Path.mkdir, "history.csv is a folder"), (lambda _path: None, "there is no file history.csv")],
)
def test_a_folder_or_nothing_is_said_to_be_that(
    tmp_path: Path, make: Callable[[Path], None], told: str
) -> None:
    path = tmp_path / "history.csv"
    make(path)
    with pytest.raises(InputError, match=told):
        read_download(path)


def test_a_home_of_a_download_has_readable_names(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + GOOD + "person.ana,home,2026-05-04T12:00:00Z\n")
    home = home_from_events(read_download(path))
    assert [(entity.entity_id, entity.name) for entity in home.entities] == [
        ("light.lamp", "Lamp"), ("person.ana", "Ana"),
    ]  # fmt: skip
    assert [person.entity_id for person in home.persons] == ["person.ana"]
    assert home.place is None
