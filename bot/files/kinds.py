"""Which kinds of files come in, which do not go out, and what they are called here. Pure."""

import re
import unicodedata
from mimetypes import MimeTypes
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

#: What people send each other, and what they are called: the first extension is the usual one.
_EXTENSIONS = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "image/heif": (".heif", ".heic"),
    "image/heic-sequence": (".heics", ".heic"),
    "image/avif": (".avif",),
    "image/tiff": (".tiff", ".tif"),
    "image/bmp": (".bmp",),
    "video/mp4": (".mp4", ".m4v"),
    "video/x-m4v": (".m4v",),
    "video/quicktime": (".mov", ".qt"),
    "video/3gpp": (".3gp",),
    "video/3gpp2": (".3g2",),
    "video/webm": (".webm",),
    "video/mpeg": (".mpg", ".mpeg"),
    "audio/mpeg": (".mp3",),
    "audio/mp4": (".m4a", ".mp4"),
    "audio/x-m4a": (".m4a",),
    "audio/aac": (".aac",),
    "audio/amr": (".amr",),
    "audio/x-caf": (".caf",),
    "audio/wav": (".wav",),
    "audio/x-wav": (".wav",),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "audio/flac": (".flac",),
    "audio/3gpp": (".3gp",),
    "audio/aiff": (".aiff", ".aif"),
    "audio/x-aiff": (".aiff", ".aif"),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".text", ".log"),
    "text/csv": (".csv",),
    "text/vcard": (".vcf", ".vcard"),
    "text/x-vcard": (".vcf", ".vcard"),
    "text/calendar": (".ics",),
    "text/rtf": (".rtf",),
    "application/rtf": (".rtf",),
    "application/msword": (".doc",),
    "application/vnd.ms-excel": (".xls",),
    "application/vnd.ms-powerpoint": (".ppt",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (".xlsx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (".pptx",),
    "application/vnd.oasis.opendocument.text": (".odt",),
    "application/vnd.oasis.opendocument.spreadsheet": (".ods",),
    "application/vnd.oasis.opendocument.presentation": (".odp",),
    "application/vnd.apple.pages": (".pages",),
    "application/vnd.apple.numbers": (".numbers",),
    "application/vnd.apple.keynote": (".key",),
}
_TYPE_OF = {extension: kind for kind, extensions in reversed(_EXTENSIONS.items()) for extension in extensions}

#: Other names of some of them.
_SAME = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "audio/mp3": "audio/mpeg",
    "audio/m4a": "audio/mp4",
    "audio/x-aac": "audio/aac",
    "audio/aac-adts": "audio/aac",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "text/comma-separated-values": "text/csv",
    "application/csv": "text/csv",
    "application/x-pdf": "application/pdf",
    "text/directory": "text/vcard",
}

#: Types that say nothing: the name decides.
_UNSAID = {"", "application/octet-stream", "binary/octet-stream", "application/binary", "application/force-download"}

#: How a file begins that is a page, a picture with a program in it, or a program, whatever it is said to be.
_HARMFUL = re.compile(
    rb"\s*(<!doctype html|<html|<head|<script|<body|<svg|<\?xml[^>]*>\s*(<!--.*?-->\s*)*(<!doctype\s+svg|<svg|<html))"
    rb"|MZ|\x7fELF|#!|\xca\xfe\xba\xbe|[\xce\xcf]\xfa\xed\xfe|PK\x03\x04.{26}META-INF/",
    re.IGNORECASE | re.DOTALL,
)

#: What nobody should be sent: it runs where it is opened, or changes how a phone works.
_PROGRAMS = re.compile(
    r"\.(apk|app|bat|cmd|com|cpl|dll|exe|hta|jar|jse?|lnk|mobileconfig|ms[ip]|pif|ps1|reg|scr|sh|vb[es]?|wsf)"
)

_LONGEST_NAME = 100
_LONGEST_EXTENSION = 14  # characters, with the dot

_TYPES = MimeTypes()  # without the files of this machine, so that it is the same everywhere


def kind_of(content_type: str, name: str) -> str | None:
    """Return the type of a file that came in; None if it is none of those that are taken."""
    said = content_type.partition(";")[0].strip().lower()
    if said in _UNSAID:
        return _TYPE_OF.get(_extension(name))
    said = _SAME.get(said, said)
    return said if said in _EXTENSIONS else None


def looks_harmful(beginning: bytes) -> bool:
    """Say whether a file is a page or a program by its first bytes, whatever it is said to be."""
    return _HARMFUL.match(beginning) is not None


def is_program(name: str) -> bool:
    """Say whether a file would run where it is opened, by its name."""
    return _PROGRAMS.fullmatch(_extension(name)) is not None


def is_audio(media_type: str, name: str) -> bool:
    """Say whether a file would become a voice memo."""
    return (media_type or _TYPES.guess_type("file" + _extension(name))[0] or "").startswith("audio/")


def name_of(url: str, name: str | None) -> str:
    """Return what a file is called before it was fetched: as whoever sent it says, or as its address does."""
    if name is None:
        try:
            name = unquote(PurePosixPath(urlsplit(url).path).name)
        except ValueError:
            name = ""
    return clean_name(name, None)


def clean_name(name: str, kind: str | None) -> str:
    """
    Return a file's name without what it has no need of: a path, characters that cannot be seen, too many of them.

    With a *kind* it ends as files of that kind do: `invoice.exe` that is a picture becomes `invoice.exe.jpg`.
    """
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(" " if char.isspace() else char for char in name if char.isspace() or char.isprintable())
    name = re.sub(r' +|[<>:"|?*]', lambda found: " " if found[0][0] == " " else "_", name).strip(" .")
    extension = _extension(name)
    stem = name[: len(name) - len(extension)].strip(" .") or "file"
    if kind is not None and extension.lower() not in _EXTENSIONS[kind]:
        stem, extension = stem + extension, _EXTENSIONS[kind][0]
    return stem[: _LONGEST_NAME - len(extension)] + extension


def _extension(name: str) -> str:
    suffix = PurePosixPath(name.strip(" ")).suffix
    return suffix.lower() if 1 < len(suffix) <= _LONGEST_EXTENSION else ""
