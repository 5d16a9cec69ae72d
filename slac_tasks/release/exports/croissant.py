"""Croissant 1.0: what the release holds as JSON-LD, beside the Parquet file that it describes.

croissant.json    https://docs.mlcommons.org/croissant/docs/croissant-spec.html
labels.parquet    all columns of the release
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from slac_tasks.release.exports import parquet
from slac_tasks.release.exports.contents import Contents
from slac_tasks.storage.datasets import RELEASES

_FILE, _ROWS = "labels.parquet", "labels"
_CONTEXT: dict[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
    "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet",
    "format": "cr:format", "includes": "cr:includes",
    "equivalentProperty": "cr:equivalentProperty", "samplingRate": "cr:samplingRate",
    "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
    "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
    "transform": "cr:transform",
}  # fmt: skip


def write(release: Contents, path: Path) -> None:
    """Write a folder."""
    path.mkdir()
    parquet.write(release, path / _FILE)
    found = metadata(release, path / _FILE)
    (path / "croissant.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def metadata(release: Contents, table: Path) -> dict[str, Any]:
    """Return the description of a release whose rows are in this Parquet file."""
    with table.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@context": _CONTEXT, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"slac-{release.release}", "version": release.number,
        "description": f"Sparse action labels of {len(release.names)} actions: "
                       "whether clips of two seconds contain them.",
        "distribution": [{
            "@type": "cr:FileObject", "@id": _FILE, "name": _FILE, "contentUrl": _FILE,
            "contentSize": f"{table.stat().st_size} B", "encodingFormat": "application/x-parquet", "sha256": digest,
        }],
        "recordSet": [{
            "@type": "cr:RecordSet", "@id": _ROWS, "name": _ROWS, "description": RELEASES.meaning,
            "field": [_field(column.name, column.dtype, column.meaning) for column in RELEASES.columns],
        }],
    }  # fmt: skip


def _field(name: str, kind: pa.DataType, meaning: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field", "@id": f"{_ROWS}/{name}", "name": name, "description": meaning, "dataType": _type(kind),
        "source": {"fileObject": {"@id": _FILE}, "extract": {"column": name}},
    }  # fmt: skip


def _type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "sc:DateTime"
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
