"""Content-Type by file name: browsers refuse modules, fonts and WebAssembly under a wrong one."""

from __future__ import annotations

from pathlib import PurePosixPath

_UNKNOWN = "application/octet-stream"  # downloaded, never run: with `nosniff` nothing becomes a document by accident
_TYPES = {
    "3gp": "video/3gpp",
    "aac": "audio/aac",
    "apng": "image/apng",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "cjs": "text/javascript",
    "css": "text/css",
    "csv": "text/csv",
    "data": _UNKNOWN,
    "eot": "application/vnd.ms-fontobject",
    "flac": "audio/flac",
    "geojson": "application/geo+json",
    "gif": "image/gif",
    "glb": "model/gltf-binary",
    "gltf": "model/gltf+json",
    "gz": "application/gzip",
    "htm": "text/html",
    "html": "text/html",
    "ico": "image/x-icon",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "json5": "application/json5",
    "jsonl": "application/jsonl",
    "jxl": "image/jxl",
    "m4a": "audio/mp4",
    "map": "application/json",
    "md": "text/markdown",
    "mid": "audio/midi",
    "mjs": "text/javascript",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "otf": "font/otf",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "toml": "application/toml",
    "ts": "text/plain",
    "tsv": "text/tab-separated-values",
    "ttc": "font/collection",
    "ttf": "font/ttf",
    "txt": "text/plain",
    "vtt": "text/vtt",
    "wasm": "application/wasm",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "webm": "video/webm",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xhtml": "application/xhtml+xml",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "zip": "application/zip",
}
_DOCUMENTS = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "application/xml"})
_COMPRESSIBLE = ("text/", "font/ttf", "font/otf", "image/svg", "image/bmp", "model/")
_COMPRESSIBLE_ENDINGS = ("json", "xml", "wasm", "yaml", "toml", "fontobject", "octet-stream", "x-icon")


def media_type(path: str) -> str:
    """``text/javascript`` for ``js/app.mjs``; bytes to download for what is not known."""
    return _TYPES.get(PurePosixPath(path).suffix[1:].lower(), _UNKNOWN)


def is_document(media: str) -> bool:
    """Whether a browser makes a page of it, with scripts that run: these carry the app's policy."""
    return media in _DOCUMENTS


def is_compressible(media: str) -> bool:
    """Whether compression pays: not for what is compressed already."""
    return media.startswith(_COMPRESSIBLE) or media.endswith(_COMPRESSIBLE_ENDINGS)


def may_name_charset(media: str) -> bool:
    """Whether ``; charset=utf-8`` belongs behind it (JSON has no such parameter)."""
    return media.startswith("text/") or is_document(media)
