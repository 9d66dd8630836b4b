"""What people can set: the add-on's options, or `NIGHTSHIFT_…` variables elsewhere.

The Supervisor writes its validated options to /data/options.json at every start; an environment variable of
the same name wins, so that one option can be tried without touching the file. `config.yaml` lists the same
names; a test holds the two together.
"""

import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from cronsim import CronSim, CronSimError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.errors import OptionsError
from app.model import zone_of


class ModelProvider(StrEnum):
    """Who words the suggestions."""

    OFF = "off"
    """Templates."""
    OPENAI = "openai"
    """Any server that speaks OpenAI's chat completions: `model_base_url`, `model_name`, `model_api_key`."""
    HOME_ASSISTANT = "home_assistant"
    """Home Assistant's own `ai_task.generate_data`, with the entity `model_entity_id` or its default one."""


class MqttMode(StrEnum):
    """Where the broker comes from."""

    AUTO = "auto"
    """`mqtt_host` if it is set, else the Supervisor's service, else none."""
    OFF = "off"


class MailSecurity(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class MovedSchedule(BaseModel):
    """One job's schedule: five cron fields, `every 15 minutes`, or `off`."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    job: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    schedule: Annotated[str, Field(min_length=1, max_length=100)]


class PersonZone(BaseModel):
    """The zone of a person who does not live by the home's; `person` is the hub's `person.…`."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    person: Annotated[str, Field(pattern=r"^person\.[a-z0-9_]+$")]
    time_zone: str

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        return zone_of(value).key


class Options(BaseSettings):
    """Every option with its default; `docs/options.md` and `translations/en.yaml` explain each."""

    model_config = SettingsConfigDict(env_prefix="NIGHTSHIFT_", extra="ignore", frozen=True)

    analysis_schedule: str = "0 3 * * *"
    schedules: tuple[MovedSchedule, ...] = ()
    people: tuple[PersonZone, ...] = ()
    history_days: Annotated[int, Field(ge=1, le=400)] = 30
    keep_days: Annotated[int, Field(ge=14, le=3650)] = 400
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    digest_at: Annotated[str, Field(pattern=r"^(off|([01]?\d|2[0-3]):[0-5]\d)$")] = "07:30"
    digest_phones: tuple[Annotated[str, Field(pattern=r"^notify\.mobile_app_[a-z0-9_]+$")], ...] = ()

    alert_quiet_hours: Annotated[
        str, Field(pattern=r"^(off|([01]?\d|2[0-3]):[0-5]\d-([01]?\d|2[0-3]):[0-5]\d)$")
    ] = "22:00-07:00"
    alerts_an_hour: Annotated[int, Field(ge=1, le=60)] = 6
    alert_phones: tuple[Annotated[str, Field(pattern=r"^notify\.mobile_app_[a-z0-9_]+$")], ...] = ()
    send_alerts: bool = True
    critical_only: bool = True
    report_mail: bool = True

    hub_url: HttpUrl | None = None
    hub_token: SecretStr = SecretStr("")

    mqtt: MqttMode = MqttMode.AUTO
    mqtt_host: str = ""
    mqtt_port: Annotated[int, Field(ge=1, le=65535)] = 1883
    mqtt_username: str = ""
    mqtt_password: SecretStr = SecretStr("")
    mqtt_tls: bool = False
    mqtt_discovery_prefix: Annotated[str, Field(pattern=r"^[^#+\s]+$")] = "homeassistant"
    mqtt_birth_topic: Annotated[str, Field(pattern=r"^[^#+\s]+$")] = "homeassistant/status"
    mqtt_decisions: bool = False

    model_provider: ModelProvider = ModelProvider.OFF
    model_base_url: HttpUrl | None = None
    model_name: str = ""
    model_api_key: SecretStr = SecretStr("")
    model_entity_id: Annotated[str, Field(pattern=r"^(ai_task\.[a-z0-9_]+)?$")] = ""
    model_timeout_seconds: Annotated[int, Field(ge=1, le=300)] = 20
    model_requests_a_night: Annotated[int, Field(ge=0, le=500)] = 20

    mail_host: str = ""
    mail_port: Annotated[int, Field(ge=1, le=65535)] = 587
    mail_security: MailSecurity = MailSecurity.STARTTLS
    mail_username: str = ""
    mail_password: SecretStr = SecretStr("")
    mail_from: str = ""
    mail_to: str = ""

    api_key: SecretStr = SecretStr("")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' own signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @field_validator("*", mode="before")
    @classmethod
    def _blank_is_unset(cls, value: Any, info: Any) -> Any:
        """Treat an optional address that was left blank in the form as not set."""
        return None if value == "" and info.field_name.endswith("_url") else value

    @field_validator("analysis_schedule")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        try:
            # Cronsim knows a sixth field, seconds; a job does not.
            comes_round = len(value.split()) == 5 and bool(next(CronSim(value, datetime.now(UTC))))
        except (CronSimError, StopIteration):
            comes_round = False
        if not comes_round:
            raise ValueError(
                f"{value!r} is no schedule: give five cron fields such as '0 3 * * *' (every night at 3)"
            )
        return value

    @field_validator("schedules", "people")
    @classmethod
    def _each_once(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [getattr(one, "job", None) or one.person for one in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is there more than once")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.model_provider is ModelProvider.OPENAI and not (self.model_base_url and self.model_name):
            raise ValueError("model_provider openai needs model_base_url and model_name")
        if self.mail_host and not (self.mail_from and self.mail_to):
            raise ValueError("mail_host needs mail_from and mail_to")
        if self.hub_url and not self.hub_token.get_secret_value():
            raise ValueError("hub_url needs hub_token, a long-lived token from your profile in the hub")
        if (key := self.api_key.get_secret_value()) and len(key) < 16:
            raise ValueError("api_key needs at least 16 characters")
        return self


def load_options(folder: Path) -> Options:
    """Read `folder/options.json` (absent: all defaults) and the environment.

    Raises OptionsError with one line that names each wrong option and what it takes, never its value where
    that is a secret.
    """
    path = folder / "options.json"
    try:
        given = json.loads(path.read_bytes()) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise OptionsError(f"{path}: cannot be read as JSON ({error}); mend or remove the file") from error
    if not isinstance(given, dict):
        raise OptionsError(f"{path}: expected an object of options, found {type(given).__name__}")
    try:
        return Options(**given)
    except ValidationError as error:
        raise OptionsError("options: " + "; ".join(_said(e) for e in error.errors())) from None


def data_folder() -> Path:
    """Return where everything is kept: NIGHTSHIFT_DATA, /data under the Supervisor, else ./data."""
    if given := os.environ.get("NIGHTSHIFT_DATA"):
        return Path(given)
    return Path("/data") if os.environ.get("SUPERVISOR_TOKEN") else Path("data")


def _said(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
