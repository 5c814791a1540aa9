"""A machine as people name it on the command line."""

from fleet.asset import Asset, FleetError
from fleet.registry import Registry


def find_machine(registry: Registry, machine: str) -> Asset:
    """The machine called TENANT/NAME; raises `FleetError`."""
    tenant, _, name = machine.partition("/")
    found = registry.by_key(tenant).get(name.encode())
    if found is None:
        raise FleetError(f"no machine {machine!r}: `faultline assets list` shows them as TENANT and NAME")
    return found
