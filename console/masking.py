"""Secrets in text that people read: passwords, tokens and our own keys become asterisks."""

import re

SECRET = re.compile(
    r"(?i)\b(\w*password|secret|token|authorization)(['\"]?\s*[=:]\s*)('[^']*'|\"[^\"]*\"|\S+)|\bflt_\w+"
)
IN_URI = re.compile(r"(://[^\s:/@]*:)[^\s'\"]*(?=@)")
"""The password of `scheme://user:password@host`, up to the last @: one that nobody escaped goes too."""


def masked(text: str) -> str:
    """The text with what looks like a password, a token or one of our keys replaced."""
    text = IN_URI.sub(r"\1****", text)
    return SECRET.sub(lambda found: f"{found[1]}{found[2]}****" if found[1] else "****", text)
