"""Starts an unpacked image as the hub starts an app: own processes, own network, Docker's init, its rights.

No container engine is asked for: util-linux and iproute2 make the namespaces, tini is the init that Docker
brings with `init: true`. The network has the hub's own addresses: the Supervisor at 172.30.32.2, the app at
172.30.33.5, so that what the app allows and refuses by address is what it does at home.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUPERVISOR: Final = "172.30.32.2"
STRANGER: Final = "172.30.33.9"
"""Another app on the hub's network."""
APP: Final = "172.30.33.5"
_NETWORK: Final = "nightshift-test"
# What Docker leaves to a container's root (moby's default profile).
_RIGHTS: Final = (
    "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,"
    "audit_write,setfcap"
)
# $1 the rights; the rest: the root folder, the environment, then the words.
_ENTER: Final = """
set -eu
rights=$1 root=$2; shift 2
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
exec setpriv --bounding-set "-all,$rights" --inh-caps "-all" chroot "$root" /usr/bin/env -i "$@"
"""


@contextlib.contextmanager
def network() -> Iterator[None]:
    """Make a network of two hosts, the Supervisor's side being this machine."""
    _drop_network()
    for words in (
        f"netns add {_NETWORK}",
        f"link add ns-hub type veth peer name eth0 netns {_NETWORK}",
        f"addr add {SUPERVISOR}/23 dev ns-hub",
        f"addr add {STRANGER}/23 dev ns-hub",
        "link set ns-hub up",
        f"-n {_NETWORK} addr add {APP}/23 dev eth0",
        f"-n {_NETWORK} link set eth0 up",
        f"-n {_NETWORK} link set lo up",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    try:
        yield
    finally:
        _drop_network()


def _drop_network() -> None:
    # Taking the namespace away takes both ends of the cable along.
    subprocess.run(["ip", "netns", "del", _NETWORK], check=False, stderr=subprocess.DEVNULL)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command in the container ended."""

    code: int
    output: str


class Container:
    """An image's root folder, run."""

    def __init__(self, root: Path, environment: dict[str, str], log: Path) -> None:
        self.root = root
        self.log = log
        self._environment = [f"{name}={value}" for name, value in environment.items()]
        self._process: subprocess.Popen[bytes] | None = None
        hosts = (
            f"127.0.0.1 localhost\n{SUPERVISOR} supervisor hassio core-mosquitto\n{APP} local-nightshift\n"
        )
        (root / "etc/hosts").write_text(hosts)
        (root / "data").mkdir(exist_ok=True)
        shutil.copy(shutil.which("tini-static") or "/usr/bin/tini-static", root / "sbin/docker-init")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, command: Sequence[str]) -> None:
        """Start the command under Docker's init."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._words(["/sbin/docker-init", "--", *command]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def run(self, command: Sequence[str], *, seconds: float = 30) -> Ended:
        """Run a command in a container of its own on the same network and files, as a health check is."""
        done = subprocess.run(
            self._words(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        return Ended(done.returncode, done.stdout)

    def execute(self, command: Sequence[str], *, seconds: float = 30) -> Ended:
        """Run a command beside what runs in it, as `docker exec` does; what it leaves behind lives on."""
        inside = ["nsenter", "--target", str(self._init()), "--pid", "--mount", "--net"]
        rights = ["setpriv", "--bounding-set", f"-all,{_bounding()}", "--inh-caps", "-all"]
        enter = ["chroot", str(self.root), "/usr/bin/env", "-i", *self._environment]
        done = subprocess.run(
            [*inside, *rights, *enter, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        return Ended(done.returncode, done.stdout)

    def processes(self) -> list[tuple[int, int, str]]:
        """Return (process id, user id, command line) of all that runs in the container, the init first."""
        found = []
        waiting = [self._init()]
        while waiting:
            pid = waiting.pop(0)
            with contextlib.suppress(OSError):
                folder = Path(f"/proc/{pid}")
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                found.append((pid, folder.stat().st_uid, line))
                waiting += map(int, (folder / f"task/{pid}/children").read_text().split())
        return found

    def stop(self, seconds: float) -> int:
        """Do what `docker stop` does: SIGTERM to the init, then wait; return the exit code.

        Raises subprocess.TimeoutExpired if it is still there after that long; it is killed then.
        """
        process = self._started()
        os.kill(self._init(), signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process and self.running:
            os.kill(self._init(), signal.SIGKILL)
            self._process.wait(10)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise AssertionError("the container was not started")
        if self._process.poll() is not None:
            raise AssertionError(f"it ended with {self._process.returncode}:\n{self.log.read_text()[-4000:]}")
        return self._process

    def _init(self) -> int:
        """Return the init's process id as this machine sees it: the one child of `unshare`."""
        process = self._started()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            if children:
                return int(children[0])
        raise AssertionError("the container has no init")

    def _words(self, command: Sequence[str]) -> list[str]:
        apart = ["ip", "netns", "exec", _NETWORK, "unshare", "--pid", "--fork", "--mount", "--kill-child"]
        enter = ["bash", "-c", _ENTER, "enter", _bounding(), str(self.root)]
        return [*apart, *enter, *self._environment, *command]


def _bounding() -> str:
    return ",".join(f"+{name}" for name in _RIGHTS.split(","))
