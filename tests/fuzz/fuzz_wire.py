"""Coverage-guided fuzzing of the wire decoders, apart from the test suite.

    python tests/fuzz/fuzz_wire.py -max_total_time=60 [folder of inputs to keep]

Takes libFuzzer's options. A finding is written to ./crash-<hash>; give that file as argument to repeat it.
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path

try:
    import atheris  # type: ignore[import-untyped]
except ImportError:
    sys.exit("atheris is missing: pip install atheris")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

COMPILED = ["streams.wire.kernels", "streams.wire.plain_kernels"]
"""By numba, which could not read instrumented code."""

with atheris.instrument_imports(include=["streams.wire"], exclude=COMPILED):
    from tests.fuzz.wire_properties import check_chunk_alone, check_value
    from tests.fuzz.wire_samples import Sent, sealed


def test_one_input(data: bytes) -> None:
    """The first byte says what to do with the rest."""
    if not data:
        return
    how, value = data[0] % 4, data[1:]
    if how == 0:
        check_value(value, b"pump-7")
    elif how == 1 and len(value) >= 4:
        check_value(sealed(value), b"pump-7")
    elif how == 2:
        check_chunk_alone(Sent(value, headers=[("content-encoding", b"gzip")]))
    else:
        check_chunk_alone(Sent(gzip.compress(value, mtime=0), headers=[("content-encoding", b"gzip")]))


def seed(folder: Path) -> None:
    """Begin with the golden vectors."""
    vectors = json.loads((ROOT / "docs" / "wire-vectors.json").read_text())
    values = [bytes.fromhex(frame["binary"]) for frame in vectors["frames"]]
    values += [frame["json"].encode() for frame in vectors["frames"]]
    values += [bytes.fromhex(v["hex"]) if "hex" in v else v["text"].encode() for v in vectors["invalid"]]
    for number, value in enumerate(values):
        for how in range(4):
            (folder / f"{number}-{how}").write_bytes(bytes([how]) + value)


def main() -> None:
    """Fuzz until told to stop, or repeat the files given."""
    repeat = any(Path(argument).is_file() for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        seed(Path(folder))
        atheris.Setup(sys.argv if repeat else [*sys.argv, folder], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
