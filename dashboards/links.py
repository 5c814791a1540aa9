"""From one dashboard to the next, with the machine and the time range that one looks at."""

from dashboards.panel import Link
from dashboards.text import Text


def to_queue() -> Link:
    """To what is open at the row's `tenant` and `site`."""
    return Link(
        Text("Open the queue", "打开处理队列"),
        "/d/faultline-tr-{lang}?var-place=${__data.fields.tenant}/${__data.fields.site}&${__url_time_range}",
    )


def to_asset(
    type_field: str = "equipment_type", machine_field: str = "asset_id", site_field: str = "site"
) -> Link:
    """To the machine's own dashboard; the row's fields say which."""
    return Link(
        Text("Open the machine", "打开设备"),
        f"/d/faultline-ad-${{__data.fields.{type_field}}}-{{lang}}?var-site=${{__data.fields.{site_field}}}"
        f"&var-asset=${{__data.fields.{machine_field}}}&${{__url_time_range}}",
    )
