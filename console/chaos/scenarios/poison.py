"""Records that cannot be used, few or many."""

from random import Random

from console.chaos.rig import Rig
from console.chaos.scenario import Scenario


async def nothing(rig: Rig, _: Random) -> None:
    """The load is harm enough."""
    await rig.until_share_stored(0.5)


SCENARIOS = [
    Scenario("undisturbed", "nothing goes wrong", nothing, poison=0.0, duplicate=0.0, late=0.0),
    Scenario("poison_0.1", "one record in a thousand cannot be used", nothing, poison=0.001),
    Scenario("poison_10", "one record in ten cannot be used", nothing, poison=0.1, late=0.05, short=True),
    Scenario("poison_100", "only the first record of each machine can be used", nothing, poison=1.0),
]
