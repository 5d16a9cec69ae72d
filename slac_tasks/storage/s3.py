"""A store under a prefix of a bucket of any S3 server, through the `minio` client.

What is no answer of an S3 server at all (a page of a proxy, a redirect to another region) is met where all answers
pass, and so at any call of any stage. So is a failure that comes with a status of success. What is read is as long as
the server says that the object is, or it was not read.
"""

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from xml.etree.ElementTree import ParseError

import certifi
import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.error import InvalidResponseError, S3Error, ServerError

from slac_tasks.errors import NotConfigured, NotMade, SlacError, Temporary
from slac_tasks.given.words import printable, without_user
from slac_tasks.scratch import Scratch
from slac_tasks.storage.store import AUTHORITY, Stored, checked

_REFUSALS = frozenset(
    (
        "AccessDenied", "AllAccessDisabled", "AuthorizationHeaderMalformed", "ExpiredToken", "InvalidAccessKeyId",
        "InvalidBucketName", "InvalidObjectState", "InvalidToken", "MethodNotAllowed", "NoSuchBucket", "NotImplemented",
        "PermanentRedirect", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TemporaryRedirect",
    )
)  # fmt: skip
"""Codes of errors that a retry meets again: a person has to change an address, a key, a right or a clock, or to
fetch an object from an archive."""
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_PAGES = ("text/html", "application/xhtml+xml")
_FAILURE = re.compile(rb"(<\?xml[^>]*>\s*)?<Error[\s>]")
"""How an answer begins that says a failure."""
_ENDS_EARLY = (3, 5)
"""Codes of expat for XML that ends before its first element does."""


class _NoServer(Exception):
    """What answered is no S3 server, or not the one of this bucket."""


class _Connections(urllib3.PoolManager):
    """Connections to the server; an answer that no S3 server gives for this bucket is refused here."""

    def urlopen(self, method: str, url: str, redirect: bool = True, **given: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]
        # A redirect is not followed: the signature is for this address alone.
        answer = super().urlopen(method, url, redirect=False, **given)
        kind = _kind(answer)
        if 300 <= answer.status < 400 and answer.status != 304:
            where = answer.headers.get("Location") or answer.headers.get("x-amz-bucket-region") or "nowhere"
            answer.close()
            raise _NoServer(
                f"status {answer.status} leads to {where[:100]!a}, want the bucket's own address and region"
            )
        if answer.status < 300 and kind in _PAGES:
            answer.close()
            raise _NoServer(f"answers with a page ({kind}), want the address of an S3 server")
        # A server that works for long, at the end of an upload in parts, has said 200 before it fails.
        if answer.status < 300 and given.get("preload_content", True) and _FAILURE.match(answer.data):
            raise S3Error.fromxml(answer)
        return answer


def server_of(environ: Mapping[str, str], variable: str) -> SplitResult:
    """Return the address of a server, which is all that the variable may hold.

    Raises:
        NotConfigured: it holds something else.

    """
    address = environ.get(variable, "")
    try:
        parts = urlsplit(address)
        is_server = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or brackets that are none
        is_server = False
    if not is_server or "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise NotConfigured(f"{variable}: is {without_user(address)!r}, want http(s)://host:port")
    return parts


def client(server: SplitResult, environ: Mapping[str, str], http: urllib3.PoolManager) -> Minio:
    """Return what speaks to a server with the credentials of the environment.

    Raises:
        NotConfigured: there are none, or they or the region are none that a server can know.

    """
    access, secret, token = (environ.get(name) for name in _CREDENTIALS)
    if not access or not secret:
        raise NotConfigured("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: not set, want the store's credentials")
    for name in _CREDENTIALS:
        # They stand in headers, and who writes a header shows what it refuses.
        if not (value := environ.get(name, "")).isascii() or not value.isprintable():
            raise NotConfigured(f"{name}: holds a line break or a letter beside ASCII, want a key")
    try:
        return Minio(
            server.netloc,
            access_key=access,
            secret_key=secret,
            session_token=token or None,
            secure=server.scheme == "https",
            region=environ.get("AWS_REGION") or "us-east-1",
            http_client=http,
        )
    except ValueError as error:
        raise NotConfigured(f"SLAC_S3_ENDPOINT and AWS_REGION: {error}") from error


class S3Store:
    """A store under a prefix of a bucket; credentials come from the environment."""

    def __init__(self, bucket: str, prefix: str, environ: Mapping[str, str]) -> None:
        server = server_of(environ, "SLAC_S3_ENDPOINT")
        self.bucket = bucket
        self.prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self.url = f"s3://{bucket}/{self.prefix}"
        self._http = _Connections(
            # Threads that read at the same time keep a connection each.
            maxsize=8,
            timeout=urllib3.Timeout(connect=5, read=60),
            # A server may ask for a later try; one that is hours away is left to whoever calls the stage again.
            retries=urllib3.Retry(
                total=3, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504), retry_after_max=30
            ),
            ca_certs=certifi.where(),
            ca_cert_data=environ.get(AUTHORITY) or None,
        )
        self._client = client(server, environ, self._http)
        public = server_of(environ, "SLAC_S3_PUBLIC_ENDPOINT") if environ.get("SLAC_S3_PUBLIC_ENDPOINT") else server
        # A signature covers the host: addresses for browsers are signed for the name by which browsers know the server.
        self._public = client(public, environ, self._http)
        with self._reached():
            try:
                exists = self._client.bucket_exists(bucket)
            except ValueError as error:  # no bucket can have this name
                raise NotConfigured(f"store {self.url}: {error}") from error
        if not exists:
            raise NotConfigured(f"store {self.url}: bucket {bucket!r} does not exist on {server.geturl()}")

    @contextmanager
    def _reached(self, name: str = "") -> Iterator[None]:
        """Turn the client's failures into ours."""
        where = f"object {name} in {self.url}" if name else f"store {self.url}"
        try:
            yield
        except S3Error as error:
            if error.code in ("NoSuchKey", "NoSuchObject"):
                raise NotMade(f"{where}: does not exist") from error
            if error.code in _REFUSALS:
                raise NotConfigured(f"{where}: refused, {error.code}") from error
            raise Temporary(f"{where}: {error.code}") from error
        except InvalidResponseError as error:
            raise _meaning(where, error._code) from error
        except ServerError as error:
            raise _meaning(where, error.status_code) from error
        except _NoServer as error:
            raise NotConfigured(f"{where}: SLAC_S3_ENDPOINT {error}") from error
        except ParseError as error:
            if error.code in _ENDS_EARLY:
                raise Temporary(f"{where}: the answer ends too early: {error}") from error
            raise NotConfigured(
                f"{where}: SLAC_S3_ENDPOINT answers with no XML, want the address of an S3 server"
            ) from error
        except urllib3.exceptions.HTTPError as error:
            # The client gives up after some tries; why the last one failed says more than that.
            reason = getattr(error, "reason", error)
            if isinstance(reason, urllib3.exceptions.SSLError):
                raise NotConfigured(f"{where}: the server's certificate is refused: {error}"[:300]) from error
            why = str(reason) if isinstance(reason, urllib3.exceptions.ResponseError) else type(reason).__name__
            raise Temporary(f"{where}: out of reach: {why}") from error

    def put(self, name: str, data: bytes) -> None:
        with self._reached(name):
            self._client.put_object(self.bucket, self.prefix + checked(name), io.BytesIO(data), len(data))

    def put_file(self, name: str, path: Path) -> None:
        with self._reached(name):
            self._client.fput_object(self.bucket, self.prefix + checked(name), str(path))

    def create(self, name: str, data: bytes) -> bool:
        # A server that ignores the condition is covered by the look before, all but for the instant between the two.
        return not self.exists(name) and self.put_new(name, data)

    def put_new(self, name: str, data: bytes) -> bool:
        """Write `data` on the condition that nothing has this name; return whether the server wrote it."""
        # The client has no conditional write, so a presigned address carries the condition.
        with self._reached(name):
            where = self._client.presigned_put_object(
                self.bucket, self.prefix + checked(name), expires=timedelta(minutes=5)
            )
            answer = self._http.request("PUT", where, body=data, headers={"If-None-Match": "*"})
            if answer.status not in (200, 409, 412) and _kind(answer) == "application/xml":
                raise S3Error.fromxml(answer)
        if answer.status == 409 and not self.exists(name):
            # S3 does not say that the name is there: whoever wrote at the same moment may have failed.
            raise Temporary(f"object {name} in {self.url}: another process was writing it, and it is not there yet")
        if answer.status in (409, 412) and answer.retries and answer.retries.history:
            # Asked again, since the answer was lost: what has the name now may be what the first try wrote.
            return self.get(name) == data
        if answer.status in (409, 412):
            return False
        if answer.status != 200:
            raise _meaning(f"object {name} in {self.url}: conditional write", answer.status)
        return True

    def get(self, name: str) -> bytes:
        with self._reached(name):
            response = self._client.get_object(self.bucket, self.prefix + checked(name))
            try:
                data = bytes(response.read())
            finally:
                response.close()
                response.release_conn()
            # Most servers name an object by its MD5; where one does not, its size is asked for.
            if response.headers.get("ETag", "").strip('"') != hashlib.md5(data, usedforsecurity=False).hexdigest():
                self._check_whole(name, len(data), self._client.stat_object(self.bucket, self.prefix + checked(name)))
        return data

    def _check_whole(self, name: str, read: int, held: Object) -> None:
        """Refuse bytes that are fewer or more than the server holds: something on the way cut or changed them."""
        stated = (held.metadata or {}).get("Content-Length", str(read))
        if int(stated) != read:
            raise Temporary(f"object {name} in {self.url}: {read} bytes came, and the server holds {stated}")

    def exists(self, name: str) -> bool:
        try:
            with self._reached(name):
                self._client.stat_object(self.bucket, self.prefix + checked(name))
        except NotMade:
            return False
        return True

    def names(self, prefix: str) -> Iterator[str]:
        for item in self._listed(prefix):
            yield item.object_name.removeprefix(self.prefix)

    def objects(self, prefix: str) -> Iterator[Stored]:
        for item in self._listed(prefix):
            name = item.object_name.removeprefix(self.prefix)
            yield Stored(name=name, size_bytes=item.size, written_at=item.last_modified)

    def _listed(self, prefix: str) -> Iterator[Any]:
        """Yield each object below a prefix.

        Raises:
            NotConfigured: what answers knows the protocol badly: its listing lacks a part, or begins anew for ever.

        """
        first = ""
        with self._reached(prefix):
            try:
                for item in self._client.list_objects(self.bucket, prefix=self.prefix + prefix, recursive=True):
                    if item.object_name == first:
                        raise ValueError(f"it begins anew at {printable(first)!r}")
                    first = first or item.object_name
                    yield item
            except ValueError as error:
                raise NotConfigured(
                    f"store {self.url}: SLAC_S3_ENDPOINT answers with a listing that is none: {error}"[:300]
                ) from error

    def unfinished(self) -> Iterator[Stored]:
        return iter(())  # parts of uploads go by a rule of the bucket, see the runbook

    def delete(self, name: str) -> None:
        with self._reached(name):
            self._client.remove_object(self.bucket, self.prefix + checked(name))

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        with Scratch() as folder:
            path = folder / name.rpartition("/")[2]
            with self._reached(name):
                held = self._client.fget_object(self.bucket, self.prefix + checked(name), str(path))
            self._check_whole(name, path.stat().st_size, held)
            yield path

    def presign(self, name: str, seconds: int) -> str | None:
        with self._reached(name):
            return str(
                self._public.presigned_get_object(
                    self.bucket, self.prefix + checked(name), expires=timedelta(seconds=seconds)
                )
            )


def _kind(answer: urllib3.BaseHTTPResponse) -> str:
    """Return the type of what an answer holds."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _meaning(where: str, status: int) -> SlacError:
    """Return what an answer without a code of S3 means."""
    # Some servers answer a missing name with a plain 404.
    kind = NotMade if status == 404 else NotConfigured if status in (400, 401, 403, 405, 501) else Temporary
    return kind(f"{where}: {'does not exist' if status == 404 else f'answered with status {status}'}")
