"""What answers in the place of an S3 server, from the start or from some moment on, becomes the right error."""

import hashlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from serving import serving

from slac_tasks.errors import NotConfigured, NotMade, SlacError, Temporary
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.s3 import S3Store
from slac_tasks.storage.store import Store

XML = "application/xml"
PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"
ERROR = b"<?xml version='1.0'?><Error><Code>%b</Code><Message>m</Message></Error>"
Reply = tuple[int, str, bytes]
EMPTY: Reply = (200, XML, b"")
ANSWERS: dict[str, tuple[Reply, type[SlacError]]] = {
    "a page": ((200, "text/html; charset=utf-8", PAGE), NotConfigured),
    "moved, without a word": ((301, "text/plain", b""), NotConfigured),
    "another region": ((301, XML, ERROR % b"PermanentRedirect"), NotConfigured),
    "a login": ((302, "text/html", PAGE), NotConfigured),
    "for the moment elsewhere": ((307, XML, ERROR % b"TemporaryRedirect"), NotConfigured),
    "read-only": ((403, XML, ERROR % b"AccessDenied"), NotConfigured),
    "a page that forbids": ((403, "text/html", PAGE), NotConfigured),
    "an object in an archive": ((403, XML, ERROR % b"InvalidObjectState"), NotConfigured),
    "a clock that is wrong": ((403, XML, ERROR % b"RequestTimeTooSkewed"), NotConfigured),
    "not for objects": ((405, "text/html", PAGE), NotConfigured),
    "full": ((507, XML, ERROR % b"XMinioStorageFull"), Temporary),
    "full, in plain words": ((507, "text/plain", b"no space"), Temporary),
    "busy": ((503, XML, ERROR % b"SlowDown"), Temporary),
    "a page of a proxy": ((502, "text/html", PAGE), Temporary),
    "not text": ((500, "text/html", b"\xff\xfe"), Temporary),
}


class Server:
    """Answers as an S3 server with an empty bucket, until it is given something else to say."""

    def __init__(self) -> None:
        self.reply = EMPTY
        self.replies: list[tuple[str, Reply | None]] = []
        """What it says once, before `reply`: to which method, and with what; None: the connection ends."""
        self.url = ""
        self.etag = ""
        """What it says of any object; empty: the MD5 of what it answers with."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    planned = Server()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            method, reply = planned.replies.pop(0) if planned.replies else (self.command, planned.reply)
            if method != self.command or reply is None:
                self.close_connection = True
                return
            status, kind, body = reply
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{planned.etag or hashlib.md5(body).hexdigest()}"')
            if 300 <= status < 400:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = answer

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    planned.url = f"http://127.0.0.1:{listening.server_port}"
    with serving(listening):
        yield planned


def opened(server: Server, bucket: str = "slac", **more: str) -> Store:
    keys = {"SLAC_S3_ENDPOINT": server.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", **more}
    return open_store(f"s3://{bucket}/p", keys)


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_server_that_turns_wrong_ends_any_call_with_the_right_error(
    server: Server, tmp_path: Path, answer: str
) -> None:
    server.reply = EMPTY
    store = opened(server)
    (tmp_path / "file").write_bytes(b"x")
    server.reply, kind = ANSWERS[answer]
    calls: list[Callable[[], object]] = [
        lambda: store.put("n", b"x"), lambda: store.put_file("n", tmp_path / "file"), lambda: store.create("n", b"x"),
        lambda: store.get("n"), lambda: list(store.names("n")), lambda: list(store.objects("n")),
        lambda: store.exists("n"), lambda: store.local("n").__enter__(), lambda: store.delete("n"),
        lambda: opened(server),
    ]  # fmt: skip
    # The client asks four times where it may help.
    for number, call in enumerate(calls[2:5] if server.reply[0] in (500, 502, 503) else calls):
        with pytest.raises(SlacError) as failure:
            call()
        assert type(failure.value) is kind, (number, failure.value)
        assert "s3://slac/p" in str(failure.value)


@pytest.mark.parametrize("came", [b"", b"hal", b"whole and more"])
def test_bytes_that_are_not_as_many_as_the_server_holds_are_no_objects(
    server: Server, monkeypatch: pytest.MonkeyPatch, came: bytes
) -> None:
    """Whoever reads them would say that the object was altered, which no retry could mend."""
    server.reply = EMPTY
    store = opened(server)
    monkeypatch.setattr(server, "etag", hashlib.md5(b"whole").hexdigest())
    kind = "application/octet-stream"
    get, head = ("GET", (200, kind, came)), ("HEAD", (200, kind, b"whole"))
    said = rf"object n in .*: {len(came)} bytes came, and the server holds 5$"
    server.replies = [get, head]
    with pytest.raises(Temporary, match=said):
        store.get("n")
    server.replies = [head, get]
    with pytest.raises(Temporary, match=said):
        store.local("n").__enter__()
    # Bytes that are as many are the object's: a server may name what it holds by no MD5.
    server.replies = [("GET", (200, kind, b"other")), head]
    assert store.get("n") == b"other"
    assert server.replies == []


def test_a_failure_that_comes_with_status_200_is_one(server: Server, tmp_path: Path) -> None:
    """At the end of an upload in parts, and in a listing: nothing had been written, and nothing seemed to be there."""
    server.reply = EMPTY
    store = opened(server)
    (tmp_path / "file").write_bytes(bytes(6 * 2**20))
    begun = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
    server.replies = [
        ("POST", (200, XML, begun)), ("PUT", EMPTY), ("PUT", EMPTY), ("POST", (200, XML, ERROR % b"InternalError")),
        ("DELETE", (204, XML, b"")),
    ]  # fmt: skip
    with pytest.raises(Temporary, match=r"object n in .*: InternalError"):
        store.put_file("n", tmp_path / "file")
    assert server.replies == []
    server.replies = [("GET", (200, XML, ERROR.replace(b"?>", b"?>\n \n") % b"SlowDown"))]
    with pytest.raises(Temporary, match="SlowDown"):
        list(store.names("n"))


@pytest.mark.parametrize("listing", [b"", b"<ListBucketResult><Contents>", b"<ListBucketResult><Cont"])
def test_a_listing_that_ends_too_early_may_be_whole_the_next_time(server: Server, listing: bytes) -> None:
    server.reply = EMPTY
    store = opened(server)
    server.replies = [("GET", (200, XML, listing))]
    with pytest.raises(Temporary, match="ends too early"):
        list(store.names("n"))


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        ((400, XML, ERROR % b"RequestTimeout"), Temporary, "RequestTimeout"),
        ((403, XML, ERROR % b"ExpiredToken"), NotConfigured, "refused, ExpiredToken"),
        ((403, XML, ERROR % b"RequestTimeTooSkewed"), NotConfigured, "refused, RequestTimeTooSkewed"),
        ((503, XML, ERROR % b"SlowDown"), Temporary, "out of reach: too many 503 error responses"),
    ],
)
def test_a_write_on_a_condition_says_what_any_other_call_says(
    server: Server, reply: Reply, kind: type[SlacError], said: str
) -> None:
    server.reply = EMPTY
    store = opened(server)
    assert isinstance(store, S3Store)
    server.reply = reply
    calls: list[Callable[[], object]] = [lambda: store.get("n"), lambda: store.put_new("n", b"x")]
    for call in calls:
        with pytest.raises(SlacError, match=f"object n in s3://slac/p/: {said}$") as failure:
            call()
        assert type(failure.value) is kind


def test_a_listing_that_is_no_listing_is_no_servers(server: Server) -> None:
    server.reply = EMPTY
    store = opened(server)
    server.reply = (200, "text/plain", b"it works!")
    with pytest.raises(NotConfigured, match="answers with no XML"):
        list(store.names(""))


LISTING = b"<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Name>slac</Name>%b</ListBucketResult>"
KEYS = b"<Contents><Key>p/a</Key></Contents><Contents><Key>p/b</Key></Contents>"


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        (b"<Contents><Size>5</Size></Contents>", "Key"),
        (b"<Contents><Key>p/a</Key><Size>many</Size></Contents>", "many"),
        (b"<Contents><Key>p/a</Key><LastModified>yesterday</LastModified></Contents>", "yesterday"),
        (b"<IsTruncated>true</IsTruncated>" + KEYS, "it begins anew at 'p/a'"),
        (b"<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" + KEYS, "begins anew"),
    ],
)
def test_a_listing_that_lacks_a_part_or_never_ends_is_no_servers(server: Server, listing: bytes, said: str) -> None:
    server.reply = EMPTY
    store = opened(server)
    server.reply = (200, XML, LISTING % listing)
    for listed in (store.names, store.objects):
        with pytest.raises(NotConfigured, match=f"answers with a listing that is none: .*{said}"):
            list(listed(""))


@pytest.mark.parametrize(("stored", "wrote"), [(b"x", True), (b"another's", False)])
def test_a_write_whose_answer_was_lost_is_known_as_ones_own(server: Server, stored: bytes, wrote: bool) -> None:
    server.reply = EMPTY
    store = opened(server)
    server.replies = [
        ("HEAD", (404, XML, b"")),
        ("PUT", None),
        ("PUT", (412, XML, ERROR % b"PreconditionFailed")),
        ("GET", (200, "application/octet-stream", stored)),
    ]
    assert store.create("manifest.json", b"x") is wrote
    assert server.replies == []


@pytest.mark.parametrize("is_there", [True, False])
def test_a_write_beside_anothers_is_anothers_only_where_that_one_has_ended(server: Server, is_there: bool) -> None:
    server.reply = EMPTY
    store = opened(server)
    server.replies = [
        ("HEAD", (404, XML, b"")),
        ("PUT", (409, XML, ERROR % b"ConditionalRequestConflict")),
        ("HEAD", (200 if is_there else 404, XML, b"")),
    ]
    if is_there:
        assert not store.create("manifest.json", b"x")
    else:
        with pytest.raises(Temporary, match=r"object manifest\.json in .*: another process was writing it"):
            store.create("manifest.json", b"x")
    assert server.replies == []


def test_a_plain_404_is_a_name_that_is_not_there(server: Server) -> None:
    server.reply = EMPTY
    store = opened(server)
    server.reply = (404, "text/plain", b"not found")
    with pytest.raises(NotMade):
        store.get("n")
    assert not store.exists("n")


@pytest.mark.parametrize("bucket", ["b", "a..b", "UPPER_case!", "1.2.3.4"])
def test_a_name_that_no_bucket_has_is_not_configured(server: Server, bucket: str) -> None:
    server.reply = EMPTY
    with pytest.raises(NotConfigured, match=f"store s3://{bucket}"):
        opened(server, bucket)


@pytest.mark.parametrize("region", [{}, {"AWS_REGION": ""}])
def test_to_sign_an_address_asks_no_server(server: Server, region: dict[str, str]) -> None:
    server.reply = EMPTY
    store = opened(server, SLAC_S3_PUBLIC_ENDPOINT="http://127.0.0.1:1", **region)
    assert "%2Fus-east-1%2Fs3%2F" in (store.presign("a.mp4", 60) or "")
