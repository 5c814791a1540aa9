"""What a failure of the platform does to its process."""

import pytest
import typer

from console.platform import FleetChanged
from console.serving import EXIT_RESTART, start_again_or_end
from console.settings import SettingsError

WRONG = SettingsError("no machine is known yet")
LOST = ConnectionError("gone")
CHANGED = FleetChanged("tenants were added")


@pytest.mark.parametrize(
    "failure",
    [
        WRONG,
        ExceptionGroup("tasks", [WRONG]),
        ExceptionGroup("tasks", [LOST, ExceptionGroup("more", [CHANGED, WRONG])]),
    ],
)
def test_wrong_settings_are_told_whatever_else_failed(failure: Exception) -> None:
    with pytest.raises(SettingsError, match="no machine is known yet"):
        start_again_or_end(failure)


@pytest.mark.parametrize("failure", [LOST, ExceptionGroup("tasks", [CHANGED, LOST])])
def test_any_other_failure_ends_the_process_for_its_supervisor(failure: Exception) -> None:
    with pytest.raises(typer.Exit) as ended:
        start_again_or_end(failure)
    assert ended.value.exit_code == EXIT_RESTART


@pytest.mark.parametrize("failure", [CHANGED, ExceptionGroup("tasks", [CHANGED, CHANGED])])
def test_a_changed_fleet_alone_only_starts_the_platform_again(failure: Exception) -> None:
    start_again_or_end(failure)
