"""Logs that somebody can read at night."""

import logging

from console.logs import REPEAT_S, Repeats


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
