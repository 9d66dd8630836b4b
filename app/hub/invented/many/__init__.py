"""Many invented homes that nobody tuned on, each with its truth beside it: for judging a miner.

Made without regard to any miner. One seed is one home; `null` makes the same kind of life without any habit.
"""

from app.hub.invented.many.making import homes, many_as
from app.hub.invented.many.plans import ManyPlan, plan_of_many
from app.hub.invented.many.truth import Kept, ManyHome, Planted

__all__ = ["Kept", "ManyHome", "ManyPlan", "Planted", "homes", "many_as", "plan_of_many"]
