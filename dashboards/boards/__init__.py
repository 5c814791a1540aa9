"""The dashboards, one a file: a module names its dashboards `boards()`."""
