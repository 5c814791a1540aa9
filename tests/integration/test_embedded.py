"""The launcher of our own PostgreSQL: what it starts, finds again, recovers, and leaves behind."""

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from storage.server import home as server_home
from storage.server.launcher import Installation, PostgresServer, ServerError

ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="root has to give up its rights only where it has them")


def launcher(data_root: Path) -> PostgresServer:
    return PostgresServer(Installation.embedded(), data_root)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server for the tests that only look at it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    with launcher(folder) as server:
        yield server
    server.remove()
    shutil.rmtree(folder)


def ask(dsn: str, question: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def postmaster(server: PostgresServer) -> int:
    pid = server.pid()
    assert pid is not None
    return pid


def one_of(pid: int, title: str) -> int:
    """The postmaster's process of that title."""
    return next(child for child in family(pid) if title in Path(f"/proc/{child}/cmdline").read_text())


def family(pid: int) -> set[int]:
    """The process and its children."""
    children = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == pid:
            children.add(int(status.parent.name))
    return children | {pid}


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended has no command line, buried or not."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def test_a_cold_start_makes_a_cluster_that_can_be_trusted(server: PostgresServer) -> None:
    assert ask(server.admin_dsn, "show server_version") == server.version
    assert server.version.startswith("18.")
    assert server.home == server.data_root / "postgres-18"
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "jit": "off",
    }
    assert {name: ask(server.admin_dsn, f"show {name}") for name in wanted} == wanted
    assert ask(server.admin_dsn, "select datcollate from pg_database where datname = 'postgres'") == "C"


def test_the_password_is_in_one_private_file_and_nowhere_else(server: PostgresServer) -> None:
    passfile = server.home / "passfile"
    password = passfile.read_text().strip().rsplit(":", 1)[1]
    assert stat.S_IMODE(passfile.stat().st_mode) == 0o600
    assert password not in server.admin_dsn
    others = [path for path in server.home.iterdir() if path.is_file() and path != passfile]
    assert not [path for path in others if password in path.read_text()]


def test_a_warm_start_keeps_data_password_and_port(data_root: Path) -> None:
    server = launcher(data_root)
    server.start()
    dsn = server.admin_dsn
    with psycopg.connect(dsn) as connection:
        connection.execute("create table kept as select 42 as answer")
    assert server.stop()
    assert not server.running()
    with launcher(data_root):
        assert ask(dsn, "select answer from kept") == 42


def test_a_second_launcher_shares_the_server_and_the_last_one_ends_it(data_root: Path) -> None:
    first, second = launcher(data_root), launcher(data_root)
    first.start()
    second.start()
    assert first.pid() == second.pid()
    assert not first.stop()
    assert ask(second.admin_dsn, "select 1") == 1
    with pytest.raises(ServerError, match="another process"):
        first.remove()
    assert second.stop()
    assert first.pid() is None


def test_a_released_server_runs_on_until_somebody_stops_it(data_root: Path) -> None:
    first = launcher(data_root)
    first.start()
    first.release()
    later = launcher(data_root)
    assert later.running()
    assert later.stop()
    assert not first.running()


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_is_refused(server: PostgresServer, password: str) -> None:
    dsn = make_conninfo(server.admin_dsn, passfile="/dev/null", password=password)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(dsn)


def test_it_listens_on_loopback_alone(server: PostgresServer) -> None:
    port = f":{server.port:04X}"
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()]
    listening = {row[1] for row in rows if row[1].endswith(port) and row[3] == "0A"}
    assert listening == {f"0100007F{port}"}
    assert f".s.PGSQL.{server.port}" not in Path("/proc/net/unix").read_text()


def test_a_stop_leaves_no_process(data_root: Path) -> None:
    server = launcher(data_root)
    server.start()
    processes = family(postmaster(server))
    assert len(processes) > 1
    server.stop()
    assert not [pid for pid in processes if alive(pid)]


def test_committed_rows_survive_the_kill_of_the_postmaster(data_root: Path) -> None:
    with launcher(data_root) as server:
        killed = postmaster(server)
        with closing(psycopg.connect(server.admin_dsn)) as connection:
            connection.execute("create table committed as select generate_series(1, 10000) as n")
            connection.commit()
            connection.execute("insert into committed select generate_series(1, 10000)")
            os.kill(killed, signal.SIGKILL)
        server.start()
        assert server.pid() != killed
        assert ask(server.admin_dsn, "select count(*) from committed") == 10000


def refusal(server: PostgresServer) -> str:
    """What a new connection is told; nothing if it is let in."""
    try:
        psycopg.connect(server.admin_dsn).close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


def test_a_server_that_recovers_from_the_loss_of_a_process_is_waited_for(data_root: Path) -> None:
    with launcher(data_root) as server, psycopg.connect(server.admin_dsn) as connection:
        held_up = one_of(postmaster(server), "checkpointer")
        os.kill(held_up, signal.SIGSTOP)  # until the postmaster loses patience with it, nobody is let in
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
        deadline = time.monotonic() + 4
        while "recovery mode" not in refusal(server):  # the postmaster hears of the loss a moment later
            assert time.monotonic() < deadline
        second = launcher(data_root)
        second.start()
        assert ask(second.admin_dsn, "select 1") == 1
        second.release()


def test_a_server_whose_owner_was_killed_is_found_again(data_root: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from storage.server.launcher import Installation, PostgresServer
        PostgresServer(Installation.embedded(), Path({str(data_root)!r})).start()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    orphan = postmaster(launcher(data_root))
    with launcher(data_root) as server:
        assert server.pid() == orphan
        assert ask(server.admin_dsn, "select 1") == 1
    assert not launcher(data_root).running()


def test_a_process_that_inherits_its_servers_buries_a_killed_one(data_root: Path) -> None:
    """In a container our parent is nobody: what we started and lost comes back to us as a child."""
    script = f"""
        import ctypes, os, signal
        from pathlib import Path
        from storage.server.launcher import Installation, PostgresServer
        PR_SET_CHILD_SUBREAPER = 36
        assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
        with PostgresServer(Installation.embedded(), Path({str(data_root)!r})) as server:
            os.kill(server.pid(), signal.SIGKILL)
            server.start()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
    assert launcher(data_root).pid() is None


def test_a_half_made_cluster_is_thrown_away(data_root: Path) -> None:
    half = data_root / "postgres-18" / "data.new"
    half.mkdir(parents=True)
    (data_root / "postgres-18").chmod(0o711)
    (half / "PG_VERSION").write_text("18\n")
    with launcher(data_root) as server:
        assert ask(server.admin_dsn, "select 1") == 1
    assert not half.exists()


def test_a_taken_port_is_given_up(data_root: Path) -> None:
    with launcher(data_root) as server:
        old = server.port
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", old))
        squatter.listen()
        with launcher(data_root) as server:
            assert server.port != old
            assert ask(server.admin_dsn, "select 1") == 1


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_a_foreign_process_with_the_recorded_number_is_left_alone(
    data_root: Path, stranger: subprocess.Popen[bytes]
) -> None:
    server = launcher(data_root)
    server.start()
    server.stop()
    record = server.home / "data" / "postmaster.pid"
    record.write_text(f"{stranger.pid}\n{server.home / 'data'}\n0\n{server.port}\n\n127.0.0.1\n\nready\n")
    assert server.pid() is None
    assert server.stop()
    assert stranger.poll() is None
    record.unlink()


def test_a_lost_password_is_an_error_that_leaves_nothing_running(data_root: Path) -> None:
    server = launcher(data_root)
    server.start()
    server.stop()
    (server.home / "passfile").unlink()
    with pytest.raises(ServerError, match="does not let us in"):
        server.start()
    assert server.pid() is None


def test_an_interrupted_start_leaves_nothing_running(data_root: Path) -> None:
    class Interrupted(PostgresServer):
        def _check_that_it_is_ours(self) -> None:
            raise KeyboardInterrupt  # as Ctrl-C does once the server is up

    server = Interrupted(Installation.embedded(), data_root)
    with pytest.raises(KeyboardInterrupt), server:
        pass
    assert server.pid() is None


def test_a_server_that_cannot_start_says_why(data_root: Path) -> None:
    broken = PostgresServer(Installation.embedded(), data_root, shared_buffers="1 lightyear")
    with pytest.raises(ServerError, match=r"server\.log[\s\S]*lightyear"):
        broken.start()


@pytest.fixture
def private_umask() -> Iterator[None]:
    """Whatever we make without a word about its mode is closed to everybody else."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@only_root
def test_root_gives_up_its_rights_and_opens_no_folder(
    tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch, private_umask: None
) -> None:
    monkeypatch.setattr(server_home, "ELSEWHERE", data_root / "elsewhere")
    tmp_path.chmod(0o700)
    server = launcher(tmp_path / "data")
    try:
        server.start()
        owner = Path(f"/proc/{postmaster(server)}").stat().st_uid
        assert pwd.getpwuid(owner).pw_name == "nobody"
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
        assert (tmp_path / "data" / "postgres-18").is_symlink()
        assert server.home.parent == server_home.ELSEWHERE
        pid = server.pid()
        with launcher(tmp_path / "data") as again:
            assert again.pid() == pid
    finally:
        home = server.home
        server.remove()
    assert not home.exists()
    assert not (tmp_path / "data" / "postgres-18").is_symlink()


@only_root
def test_root_copies_binaries_that_the_account_cannot_reach(data_root: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    private = replace(Installation.embedded().copy_to(tmp_path / "site"), label="private")
    for _ in range(2):
        with PostgresServer(private, data_root) as server:
            program = Path(f"/proc/{postmaster(server)}/exe").resolve()
            assert program.is_relative_to(data_root / "binaries-private")


def test_an_unprivileged_user_needs_no_root(data_root: Path) -> None:
    """A child of root becomes `nobody` only after its imports, since nobody may not read root's Python."""
    script = f"""
        import json, os
        from pathlib import Path
        import encodings.idna, psycopg
        from storage.server.launcher import Installation, PostgresServer
        found = Installation.embedded()
        if os.geteuid() == 0:
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
        with PostgresServer(found, Path({str(data_root / "own")!r})) as server:
            with psycopg.connect(server.admin_dsn) as connection:
                (answer,) = connection.execute("select 6 * 7").fetchone()
            print(json.dumps([answer, os.geteuid(), os.stat(f"/proc/{{server.pid()}}").st_uid]))
        assert not server.running()
    """
    (data_root / "own").mkdir()
    if ROOT:
        os.chown(data_root / "own", 65534, 65534)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, capture_output=True)
    answer, user, owner = json.loads(done.stdout)
    assert answer == 42
    assert user == owner
    assert user != 0
