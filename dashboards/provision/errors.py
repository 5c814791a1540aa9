"""What can go wrong with a Grafana, in words that say what to do. No message holds a secret."""


class GrafanaError(RuntimeError):
    """Grafana did not do what it was asked."""


class GrafanaUnavailable(GrafanaError):
    """It did not answer, or not in time."""


class GrafanaRefuses(GrafanaError):
    """It does not let us in, or not do this (401, 403)."""


class GrafanaMissing(GrafanaError):
    """It has no such thing (404)."""


class GrafanaConflict(GrafanaError):
    """Somebody else changed it meanwhile, or has one of that name (409, 412)."""
