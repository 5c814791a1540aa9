"""Logs that somebody can read at night, and no secret in them."""

import logging

import pytest

from console.logs import REPEAT_S, Repeats, mask_secrets


def record(text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("aiokafka", logging.ERROR, "", 0, text, args, None)


def test_what_is_said_again_and_again_is_told_once_a_minute_and_counted() -> None:
    now = 0.0
    repeats = Repeats(lambda: now)
    told = []
    for second in range(150):
        now = float(second)
        one = record("Unable connect to node with id %s: [Errno 111]", second)
        if repeats.filter(one):
            told.append((second, one.getMessage()))
        assert repeats.filter(record("something else")) is (second % REPEAT_S == 0)
    assert [second for second, _ in told] == [0, 60, 120]
    assert told[1][1] == "Unable connect to node with id 60: [Errno 111] (and 59 more like this)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:p@h/db?sslmode=require", "postgresql://u:****@h/db?sslmode=require"),
        (
            "cannot reach 'postgres://u:p@ss/w:rd@h:5432/db' now",
            "cannot reach 'postgres://u:****@h:5432/db' now",
        ),
        ("postgresql://h/db?user=u&password=p", "postgresql://h/db?user=u&password=****"),
        ("http://127.0.0.1:8080/v1/assets", "http://127.0.0.1:8080/v1/assets"),
        ("postgresql://u@h:5432/db", "postgresql://u@h:5432/db"),
        ("host=h password='p w' user=u", "host=h password=**** user=u"),
        ("sslkey=/k sslpassword=p host=h", "sslkey=/k sslpassword=**** host=h"),
        ("Bearer flt_00_11", "Bearer ****"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown: str) -> None:
    assert mask_secrets(None, "error", {"event": text, "count": 3}) == {"event": shown, "count": 3}
