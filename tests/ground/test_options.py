import json
from pathlib import Path

import pytest

from app.errors import OptionsError
from app.options import data_folder, load_options


def _written(folder: Path, given: object) -> Path:
    (folder / "options.json").write_text(json.dumps(given))
    return folder


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_options(tmp_path).analysis_schedule == "0 3 * * *"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_KEEP_DAYS", "90")
    assert load_options(_written(tmp_path, {"keep_days": 30})).keep_days == 90


def test_an_address_left_blank_in_the_form_is_not_set(tmp_path: Path) -> None:
    assert load_options(_written(tmp_path, {"hub_url": ""})).hub_url is None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"analysis_schedule": "at three"}, "analysis_schedule: 'at three' is no schedule"),
        ({"analysis_schedule": "0 3 31 2 *"}, "analysis_schedule"),
        ({"analysis_schedule": "0 0 3 * * *"}, "analysis_schedule"),
        ({"schedules": [{"job": "Health check", "schedule": "off"}]}, "schedules.0.job"),
        ({"schedules": [{"job": "analysis", "schedule": ""}]}, "schedules.0.schedule"),
        ({"schedules": [{"job": "analysis", "schedule": "off"}] * 2}, "schedules: analysis is there more"),
        ({"people": [{"person": "anna", "time_zone": "Asia/Kolkata"}]}, "people.0.person"),
        ({"people": [{"person": "person.anna", "time_zone": "Asia"}]}, "unknown time zone 'Asia'"),
        ({"keep_days": 1}, "keep_days"),
        ({"mqtt_port": "x"}, "mqtt_port"),
        ({"mail_host": "mail.example"}, "mail_host needs mail_from and mail_to"),
        ({"model_provider": "openai"}, "needs model_base_url and model_name"),
        ({"hub_url": "http://hub.example:8123"}, "hub_url needs hub_token"),
        ([], "expected an object"),
    ],
)
def test_a_wrong_option_is_named_in_one_line(tmp_path: Path, given: object, named: str) -> None:
    with pytest.raises(OptionsError) as caught:
        load_options(_written(tmp_path, given))
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_secret_is_never_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(OptionsError) as caught:
        load_options(_written(tmp_path, {"api_key": "short-secret"}))
    assert "short-secret" not in str(caught.value)


def test_a_broken_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text("{")
    with pytest.raises(OptionsError, match="mend or remove"):
        load_options(tmp_path)


def test_the_data_folder_is_the_supervisors_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIGHTSHIFT_DATA", raising=False)
    monkeypatch.setenv("SUPERVISOR_TOKEN", "t")
    assert data_folder() == Path("/data")
    monkeypatch.setenv("NIGHTSHIFT_DATA", "elsewhere")
    assert data_folder() == Path("elsewhere")
