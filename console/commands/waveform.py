"""`faultline waveform`: what a row with blocks of vibration samples would become."""

from pathlib import Path
from typing import Annotated

import typer

from console.fleet_file import load_fleet
from console.output import fail, print_json, print_table
from fleet.asset import Asset
from fleet.catalog import pack_of
from streams.waveforms import Waveforms, read_waveforms, reduce
from streams.wire.frame import FrameError

EXAMPLE = "Example: faultline waveform block.json --fleet fleet.toml"


def waveform(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A message as it is posted.")],
    fleet: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="The fleet file that says the machine's bearing."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Try a block: show the channels that it would become, and why not. Stores nothing."""
    spec = load_fleet(fleet)
    try:
        message = read_waveforms(file.read_bytes())
    except FrameError as error:
        fail(str(error))
    asset = _asset(spec.assets, message)
    kind = next(one for one in spec.equipment_types if one.name == asset.equipment_type)
    found = reduce(message, pack_of(kind), asset.ratings)
    if as_json:
        print_json({"asset": asset.name, "values": found.shown, "bad": found.bad})
        return
    channels = {one.name: one for one in kind.channels}
    rows = [
        (name, channels[name].title_en, f"{value:.4g}", channels[name].unit)
        for name, value in found.shown.items()
    ]
    print_table(f"{asset.name}: {len(rows)} channels", ["channel", "", "value", "unit"], rows)
    if found.bad:
        print_table(
            "blocks that show nothing", ["point", "why"], [(one.point, one.detail) for one in found.bad]
        )


def _asset(assets: tuple[Asset, ...], message: Waveforms) -> Asset:
    """The machine that the message is of; of several customers' with that name, the first."""
    mine = [asset for asset in assets if asset.name == message.asset]
    if not mine:
        fail(f"the fleet file has no asset {message.asset!r}: it has {', '.join(one.name for one in assets)}")
    return mine[0]
