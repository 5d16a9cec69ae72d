"""A server that refuses in its own language is understood: real bytes of the protocol, which a real libpq reads."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from slac_tasks.errors import NotConfigured, SlacError, Temporary
from slac_tasks.storage.ledger import open_ledger

Refusing = Callable[..., str]


def refusal(code: str) -> bytes:
    """Return an ErrorResponse as a Russian server sends it."""
    fields = {"S": "ВАЖНО", "V": "FATAL", "C": code, "M": "пользователь «x» не прошёл проверку подлинности"}
    body = b"".join(name.encode() + value.encode() + b"\0" for name, value in fields.items()) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


@pytest.fixture
def refusing() -> Iterator[Refusing]:
    """Start a server that answers its connections so, one after another, and return its address."""
    plug = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(answers: tuple[bytes, ...]) -> None:
        for answer in answers:
            with plug.accept()[0] as asked:
                (length,) = struct.unpack("!I", asked.recv(4))
                asked.recv(length - 4)
                asked.sendall(answer)

    def start(*answers: bytes) -> str:
        threads.append(threading.Thread(target=serve, args=(answers,)))
        threads[0].start()
        return f"postgresql://x:y@127.0.0.1:{plug.getsockname()[1]}/z?sslmode=disable&gssencmode=disable"

    yield start
    threads[0].join()
    plug.close()


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        *((code, NotConfigured) for code in ("28P01", "28000", "3D000", "42501", "55000")),
        *((code, Temporary) for code in ("57P03", "53300", "57P01")),
    ],
)
def test_what_a_server_refuses_in_another_language_is_known_by_its_code(
    refusing: Refusing, code: str, ends: type[SlacError]
) -> None:
    url = refusing(refusal(code), refusal(code))
    with pytest.raises(ends, match="не прошёл проверку"):
        open_ledger({"SLAC_DATABASE_URL": url})


def test_a_server_that_refuses_and_then_says_nothing_is_tried_again(refusing: Refusing) -> None:
    with pytest.raises(Temporary, match="не прошёл проверку"):
        open_ledger({"SLAC_DATABASE_URL": refusing(refusal("28P01"), b"")})


def test_a_driver_that_keeps_its_libpq_to_itself_has_the_words_alone(
    refusing: Refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slac_tasks.storage.refusals.ctypes.CDLL", lambda path: object())
    with pytest.raises(Temporary, match="не прошёл проверку"):
        open_ledger({"SLAC_DATABASE_URL": refusing(refusal("28P01"))})
