"""Where the broker comes from."""

from pydantic import SecretStr

from app.announce.broker import Broker, broker_finder
from app.hub.supervisor import MqttService
from app.options import MqttMode, Options

_NOTHING_SET = Options()
_SET = Options(mqtt_host="broker.lan", mqtt_port=8883, mqtt_username="ana", mqtt_tls=True)
_OFF = Options(mqtt=MqttMode.OFF, mqtt_host="broker.lan")


async def _service() -> MqttService | None:
    return MqttService(host="core-mosquitto", port=1883, username="addons", password=SecretStr("secret"))


async def _no_service() -> MqttService | None:
    return None


async def test_what_people_set_comes_first() -> None:
    found = await broker_finder(_SET, _service)()
    assert found == Broker("broker.lan", 8883, "ana", SecretStr(""), tls=True)


async def test_otherwise_it_is_the_one_the_supervisor_knows() -> None:
    found = await broker_finder(_NOTHING_SET, _service)()
    assert found == Broker("core-mosquitto", 1883, "addons", SecretStr("secret"))


async def test_without_either_there_is_none() -> None:
    assert await broker_finder(_NOTHING_SET)() is None
    assert await broker_finder(_NOTHING_SET, _no_service)() is None


async def test_off_is_off_whatever_is_there() -> None:
    assert await broker_finder(_OFF, _service)() is None


async def test_a_password_is_never_shown() -> None:
    found = await broker_finder(_NOTHING_SET, _service)()
    assert "secret" not in f"{found} {found!r}"
