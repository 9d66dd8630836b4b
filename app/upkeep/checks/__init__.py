"""Every check there is, in the order people read them. A new one is a file here and a name in a list."""

from typing import Final

from app.upkeep.check import HouseCheck, JobCheck
from app.upkeep.checks import (
    archive,
    broker,
    cache_hit_rate,
    clock,
    database,
    disk,
    error_rate,
    generation_time,
    hub,
    last_run,
    mail,
    model,
    retries,
    retry_success,
    success_rate,
    waiting_runs,
)

JOB_CHECKS: Final[tuple[JobCheck, ...]] = (
    last_run.CHECK,
    success_rate.CHECK,
    generation_time.CHECK,
    cache_hit_rate.CHECK,
    error_rate.CHECK,
)
HOUSE_CHECKS: Final[tuple[HouseCheck, ...]] = (
    clock.CHECK,
    waiting_runs.CHECK,
    retries.CHECK,
    retry_success.CHECK,
    archive.CHECK,
    database.CHECK,
    disk.CHECK,
    hub.CHECK,
    broker.CHECK,
    model.CHECK,
    mail.CHECK,
)
