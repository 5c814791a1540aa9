"""The rules: nothing comes in, nothing is scored, workers are silent, behind or stand still; what is full.

Thresholds are engineering defaults.
"""

from dashboards.alerts.rule import Rule, Severity
from dashboards.text import Text

DAY_S = 86_400


def rules(disk_gb: float | None = None) -> tuple[Rule, ...]:
    """All of them; the one about the disk only if its size is known, in gigabytes."""
    return (*_RULES, _disk(disk_gb)) if disk_gb else _RULES


_RULES = (
    Rule(
        "no-ingest",
        Text("No telemetry is stored", "没有遥测数据入库"),
        Text("Nothing was stored for a quarter of an hour.", "已有 15 分钟没有数据入库。"),
        Text(
            "Look whether gateways send, Kafka answers and workers run (board OP).",
            "检查网关是否发送、Kafka 是否应答、工作进程是否运行（看板 OP）。",
        ),
        "select coalesce(extract(epoch from now() - max(ts)), 86400)::float8 as value from ("
        "select ts, records - lag(records) over (order by ts) as more from platform_minute "
        "where consumer = 'score' and ts > now() - interval '1 day') as m where more > 0",
        above=900,
    ),
    Rule(
        "no-scores",
        Text("No machine is scored", "没有设备被评分"),
        Text(
            "The newest score of any machine is more than an hour old.", "所有设备的最新得分均早于一小时前。"
        ),
        Text(
            "If telemetry is stored, read the workers' logs: detection does not work.",
            "若数据仍在入库，请查看工作进程日志：检测未运行。",
        ),
        "select coalesce(extract(epoch from now() - newest), 86400)::float8 as value from scored",
        above=3600,
    ),
    Rule(
        "silent",
        Text("No worker tells how far it is", "没有工作进程报告进度"),
        Text("No worker has told of a partition for five minutes.", "五分钟内没有任何工作进程报告分区进度。"),
        Text(
            "Start the workers; see why their supervisor does not.",
            "启动工作进程，并检查其守护进程为何未自动重启。",
        ),
        "select coalesce(extract(epoch from now() - max(seen_at)), 86400)::float8 as value "
        "from worker_position",
        above=300,
    ),
    Rule(
        "behind",
        Text("Workers are behind", "工作进程处理滞后"),
        Text(
            "Records wait longer than two minutes before they are stored.",
            "记录入库前的等待时间超过两分钟。",
        ),
        Text(
            "Add workers, up to the number of partitions; look for slow statements.",
            "增加工作进程（不超过分区数），并检查慢语句。",
        ),
        "select consumer, max(delay_s)::float8 as value from worker_position where lag > 0 group by 1",
        above=120,
        lasting="10m",
        severity=Severity.WARNING,
    ),
    Rule(
        "still",
        Text("A partition stands still", "分区停滞"),
        Text(
            "Records wait in a partition, and nothing of it was stored for five minutes.",
            "某分区有记录等待，且五分钟内没有入库。",
        ),
        Text(
            "`/health` of its worker says why; `faultline deadletters list`, if it was stopped.",
            "其工作进程的 `/health` 说明原因；若已停止，请执行 `faultline deadletters list`。",
        ),
        "select consumer, topic, partition::text as partition, "
        "extract(epoch from now() - moved_at)::float8 as value from worker_position "
        "where (lag > 0 or halted is not null) and seen_at > now() - interval '1 hour'",
        above=300,
        lasting="1m",
    ),
    Rule(
        "dead-letters",
        Text("Many dead letters", "死信过多"),
        Text(
            "More than a hundred records in a quarter of an hour could not be used, for one reason.",
            "15 分钟内因同一原因无法使用的记录超过一百条。",
        ),
        Text(
            "`faultline deadletters list` shows them; mend the gateway, then `faultline deadletters replay`.",
            "执行 `faultline deadletters list` 查看，修复网关后执行 `faultline deadletters replay`。",
        ),
        "select reason, count(*)::float8 as value from dead_letter "
        "where ts > now() - interval '15 minutes' group by 1",
        above=100,
        lasting="1m",
        severity=Severity.WARNING,
    ),
    Rule(
        "model-age",
        Text("A model is old", "模型过旧"),
        Text(
            "A model that answers was fitted more than half a year ago.",
            "使用中的模型拟合于半年以前。",
        ),
        Text(
            "`faultline models check` says whether it should be fitted again.",
            "执行 `faultline models check` 判断是否需要重新拟合。",
        ),
        "select equipment_type, coalesce(tenant, '') as tenant, role, "
        f"(extract(epoch from now() - fitted_at) / {DAY_S})::float8 as value from model_in_use "
        "where role <> 'challenger'",
        above=180,
        lasting="1h",
        severity=Severity.WARNING,
    ),
)


def _disk(disk_gb: float) -> Rule:
    return Rule(
        "disk",
        Text("The database's disk fills up", "数据库磁盘将满"),
        Text("The database takes more than 80 % of its disk.", "数据库占用磁盘超过 80 %。"),
        Text(
            "Make room, or lower retention_raw_days: a full disk stops the workers until there is some.",
            "腾出空间，或减小 retention_raw_days：磁盘写满后工作进程会等待空间。",
        ),
        f"select 100 * database_bytes / ({disk_gb:.6g} * 1e9)::float8 as value from platform_minute "
        "order by ts desc limit 1",
        above=80,
    )
