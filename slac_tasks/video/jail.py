"""Gives up every right that a decoder has no use for, and then becomes the decoder. Standard library only.

    python -I -S jail.py [name=value ...] -- <program> <argument> ...

`cpu`, `memory` and `file` are limits in seconds and bytes. `program` (a folder of programs and what they load), `read`
(a file) and `write` (a folder) are paths, and may be repeated.
`slac_tasks.video.confined` starts it. It is a program of its own because a process with threads must not run Python
between fork and exec, and because these rights can be given up by the process itself alone. It imports little, since
it starts before every decoder.

Three parts of the kernel do the work, without privileges: seccomp (which calls to the kernel are answered), Landlock
(which files are opened; a process that it holds cannot read another's environment) and resource limits. Where the
kernel lacks one, the program runs without it, and `slac doctor` says what does not hold.
`slac_tasks.video.apart` lets a process that was forked give up the same rights.
"""

import ctypes
import errno
import os
import resource
import struct
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)

# prctl(2)
_PDEATHSIG, _SET_SECCOMP, _BOUNDING_SET_DROP, _NO_NEW_PRIVS = 1, 22, 24, 38
_SIGKILL, _SIGPIPE, _SIGXFSZ = 9, 13, 25
_OPEN_FILES = 256
"""Each may be a pipe, whose memory no other limit counts."""
_CAPABILITIES = 64
_READ_ANY_FILE = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: where we are root, the video may belong to somebody else."""

# Landlock. The three calls have the same numbers on every machine.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL = 1, 2, 4, 8, 1 << 14, 1 << 15
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Rights on files that each version knows; a later version knows those of the last."""
_NET_RIGHTS, _SCOPES = 3, 3
"""TCP from version 4; abstract sockets and signals from version 6."""
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_OF_A_FOLDER = (1 << 15) - 1 - _EXECUTE
PROGRAMS = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/nix/store")
"""Where a system's programs and libraries lie."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")

# seccomp(2): for each machine its AUDIT_ARCH, and the numbers of the calls.
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_CLONE_THREAD = 0x10000
_MACHINES = {
    "x86_64": (0xC000003E, {"clone": 56, "kill": 62, "tgkill": 234, "prlimit64": 302}),
    "aarch64": (0xC00000B7, {"clone": 220, "kill": 129, "tgkill": 131, "prlimit64": 261}),
}
_REFUSED = {
    # socket, socketpair; fork, vfork; setsid, setpgid; ptrace; tkill, rt_sigqueueinfo, rt_tgsigqueueinfo;
    # process_vm_readv, process_vm_writev; open_by_handle_at; mount, umount2, pivot_root, chroot; unshare, setns;
    # add_key, request_key, keyctl; perf_event_open; bpf; userfaultfd; kcmp; and memory that no limit counts:
    # memfd_create, shmget, msgget, semget, mq_open.
    "x86_64": (41, 53, 57, 58, 112, 109, 101, 200, 129, 297, 310, 311, 304, 165, 166, 155, 161, 272, 308, 248, 249, 250,
               298, 321, 323, 312, 319, 29, 68, 64, 240),
    "aarch64": (198, 199, 157, 154, 117, 130, 138, 240, 270, 271, 265, 40, 39, 41, 51, 97, 268, 217, 218, 219, 241, 280,
                282, 272, 279, 194, 186, 190, 180),
}  # fmt: skip
_REFUSED_EVERYWHERE = (424, 425, 434, 438, 428, 429, 430, 442, 447)
"""pidfd_send_signal, io_uring_setup (which opens sockets too), pidfd_open, pidfd_getfd, newer ways to mount, and
memfd_secret."""
_CLONE3 = 435
"""Its flags lie where no filter can read them; without it the C library uses clone."""


def _call(function: str, *arguments: object) -> int:
    result = getattr(_LIBC, function)(*arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), function)
    return int(result)


def limit(kind: int, soft: int, hard: int) -> None:
    """Lower one limit; one that is lower already stays."""
    most = resource.getrlimit(kind)[1]
    ceiling = hard if most == resource.RLIM_INFINITY else min(hard, most)
    resource.setrlimit(kind, (min(soft, ceiling), ceiling))


def drop_privileges() -> None:
    """Never gain a right by starting another program; where we are root, lose those of root. Die with the parent."""
    _call("prctl", _PDEATHSIG, _SIGKILL, 0, 0, 0)
    _call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(_CAPABILITIES):
        if capability not in _READ_ANY_FILE:
            # Not ours to drop, or one that this kernel does not know.
            _LIBC.prctl(_BOUNDING_SET_DROP, capability, 0, 0, 0)


def restrict_files(programs: list[str], reads: list[str], writes: list[str], devices: list[str]) -> None:
    """Open only programs, `reads`, `devices`, and what is in `writes`; see no environment of another process.

    Raises:
        OSError: this kernel has no Landlock, or it is switched off.

    """
    version = _call("syscall", _CREATE_RULESET, None, 0, 1)
    handled = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    given = struct.pack("=QQQ", handled, _NET_RIGHTS, _SCOPES)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = _call("syscall", _CREATE_RULESET, given, len(given), 0)
    for path in (*PROGRAMS, *programs):
        _allow(rules, path, (_EXECUTE | _READ_FILE | _READ_DIR) & handled)
    for path in (*_DEVICES, *reads):
        _allow(rules, path, (_READ_FILE | (_WRITE_FILE if path == os.devnull else 0)) & handled)
    for path in devices:
        _allow(rules, path, (_READ_FILE | _WRITE_FILE | _IOCTL) & handled)
    for path in writes:
        _allow(rules, path, _OF_A_FOLDER & handled)
    _call("syscall", _RESTRICT_SELF, rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        where = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not there, so nobody opens it
        return
    if not os.path.isdir(path):
        rights &= _OF_A_FILE
    _call("syscall", _ADD_RULE, rules, 1, struct.pack("=Qi", rights, where), 0)
    os.close(where)


def restrict_calls() -> None:
    """Open no socket, start no process, leave no group of processes, signal nobody else, and watch nobody.

    Raises:
        OSError: this kernel has no seccomp, or the filter does not know this machine.

    """
    machine = os.uname().machine
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"no filter for {machine}")
    program = b"".join(_filter(machine, os.getpid()))
    lines = ctypes.create_string_buffer(program)
    _call("prctl", _SET_SECCOMP, 2, struct.pack("HL", len(program) // 8, ctypes.addressof(lines)), 0, 0)


def _filter(machine: str, pid: int) -> list[bytes]:
    """Return the filter, a program for the kernel's packet filter, line by line."""
    architecture, numbers = _MACHINES[machine]
    refuse = _return(_ERRNO | errno.EPERM)
    lines = [_load(4), _if_equal(architecture, 1, 0), _return(_KILL), _load(0)]
    if machine == "x86_64":  # numbers above are those of x32, another architecture in disguise
        lines += [_line(0x35, 0, 1, 0x40000000), _return(_KILL)]
    for number in (*_REFUSED[machine], *_REFUSED_EVERYWHERE):
        lines += [_if_equal(number, 0, 1), refuse]
    lines += [_if_equal(_CLONE3, 0, 1), _return(_ERRNO | errno.ENOSYS)]
    for name, test in {
        "clone": _line(0x45, 0, 1, _CLONE_THREAD),
        "kill": _if_equal(pid, 0, 1),
        "tgkill": _if_equal(pid, 0, 1),
        "prlimit64": _if_equal(0, 0, 1),
    }.items():
        # The test is of the first argument. Any other call goes on behind these five lines.
        lines += [_if_equal(numbers[name], 0, 4), _load(16), test, _return(_ALLOW), refuse]
    return [*lines, _return(_ALLOW)]


def _line(code: int, true: int, false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, true, false, value)


def _load(offset: int) -> bytes:
    return _line(0x20, 0, 0, offset)


def _if_equal(value: int, true: int, false: int) -> bytes:
    return _line(0x15, true, false, value)


def _return(value: int) -> bytes:
    return _line(0x06, 0, 0, value)


def give_up(
    *, programs: list[str], reads: list[str], writes: list[str], devices: list[str], cpu_sec: int, memory: int,
    memory_bytes: int, file_bytes: int,
) -> None:  # fmt: skip
    """Give up every other right, for good. There must be no other thread: it would keep its own.

    Args:
        programs: folders and files that may be executed and loaded.
        reads: files that may be read.
        writes: folders in which files may be made.
        devices: devices that may be opened, and asked for whatever their drivers do.
        cpu_sec: most seconds of processor time.
        memory: what counts as memory: RLIMIT_AS (address space) or RLIMIT_DATA (what may be written).
        memory_bytes: most of it.
        file_bytes: most that a file may hold.

    """
    drop_privileges()
    try:
        restrict_files(programs, reads, writes, devices)
    except OSError:
        pass  # `slac doctor` says that it does not hold on this machine
    try:
        restrict_calls()
    except OSError:
        pass
    # Python ignores these; a program that exceeds its bound shall end by them.
    for number in (_SIGPIPE, _SIGXFSZ):
        _LIBC.signal(number, None)
    # The kernel kills for sure one second after the signal that a program could catch.
    limit(resource.RLIMIT_CPU, cpu_sec, cpu_sec + 1)
    limit(resource.RLIMIT_FSIZE, file_bytes, file_bytes)
    limit(resource.RLIMIT_CORE, 0, 0)
    limit(resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES)
    limit(memory, memory_bytes, memory_bytes)


def main(words: list[str]) -> None:
    """Give up the rights and become the program."""
    at = words.index("--")
    argv = words[at + 1 :]
    given: dict[str, list[str]] = {}
    for word in words[:at]:
        name, _, value = word.partition("=")
        given.setdefault(name, []).append(value)
    cpu_sec, memory_bytes, file_bytes = (int(given[name][0]) for name in ("cpu", "memory", "file"))
    give_up(
        programs=[*given.get("program", []), argv[0]], reads=given.get("read", []), writes=given.get("write", []),
        devices=[], cpu_sec=cpu_sec, memory=resource.RLIMIT_AS, memory_bytes=memory_bytes, file_bytes=file_bytes,
    )  # fmt: skip
    os.execv(argv[0], argv)


if __name__ == "__main__":
    main(sys.argv[1:])
