"""One file a subcommand: a function of its name beside an `EXAMPLE`, or an `app` of further words."""
