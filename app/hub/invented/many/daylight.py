"""How bright it is in an invented living room by day: another number each day, for the clouds."""

from datetime import date

import numpy as np
import numpy.typing as npt

from app.events import Int64
from app.hub.invented.many.plans import ManyPlan
from app.hub.invented.world import Sky

LAMP_LUX = 120.0


def daylight(many: ManyPlan, sky: Sky, day: date, at: Int64) -> npt.NDArray[np.float64]:
    """Return lux at those instants (ms) of that day, without any lamp."""
    clouds = np.random.default_rng([many.plan.seed, day.toordinal(), 1]).uniform(0.3, 1)
    rise, down = sky.rise_and_set(day)
    height = np.clip(np.sin(np.pi * (at - rise) / max(down - rise, 1)), 0, None)
    return np.asarray(320 * clouds * height * ((at > rise) & (at < down)), np.float64)
