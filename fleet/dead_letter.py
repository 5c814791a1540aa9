"""Why a record could not be used: a closed list that is part of the wire format's contract."""

from enum import StrEnum


class Reason(StrEnum):
    """The seventeen reasons, spelled exactly as they are stored."""

    TRUNCATED = "truncated"
    BAD_MAGIC_OR_CRC = "bad_magic_or_crc"
    OVERSIZE = "oversize"
    BAD_JSON = "bad_json"
    TOO_DEEP = "too_deep"
    BAD_UTF8_OR_NUL = "bad_utf8_or_nul"
    SCHEMA_INVALID = "schema_invalid"
    UNSUPPORTED_SCHEMA = "unsupported_schema"
    NAN_OR_INF = "nan_or_inf"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    TS_OUT_OF_RANGE = "ts_out_of_range"
    UNKNOWN_ASSET = "unknown_asset"
    TENANT_MISMATCH = "tenant_mismatch"
    UNKNOWN_SIGNAL_OR_UNIT = "unknown_signal_or_unit"
    CONFLICT = "conflict"
    DUP_KEY_IN_OBJECT = "dup_key_in_object"
    NULL_KEY = "null_key"
