"""What kinds of files come in and go out, and what they are called."""

import pytest

from bot.files.kinds import clean_name, is_audio, is_program, kind_of, looks_harmful, name_of


@pytest.mark.parametrize(
    ("content_type", "name", "kind"),
    [
        ("image/jpeg", "a.jpg", "image/jpeg"),
        ("IMAGE/JPEG; charset=x", "a.jpg", "image/jpeg"),
        ("image/jpg", "a", "image/jpeg"),
        ("image/heic", "IMG_1.HEIC", "image/heic"),
        ("video/quicktime", "clip.mov", "video/quicktime"),
        ("audio/x-caf", "Audio Message.caf", "audio/x-caf"),
        ("text/vcard", "Jane.vcf", "text/vcard"),
        ("text/x-vcard", "Jane.vcf", "text/x-vcard"),
        ("application/pdf", "a.exe", "application/pdf"),
        ("application/octet-stream", "clip.mp4", "video/mp4"),
        ("application/octet-stream", "clip.MP4", "video/mp4"),
        ("binary/octet-stream", "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("", "a.png", "image/png"),
        ("application/octet-stream", "a.exe", None),
        ("application/octet-stream", "a", None),
        ("", "", None),
        ("text/html", "a.jpg", None),
        ("text/html; charset=utf-8", "a.html", None),
        ("application/xhtml+xml", "a.jpg", None),
        ("image/svg+xml", "a.svg", None),
        ("", "a.svg", None),
        ("application/javascript", "a.js", None),
        ("application/x-msdownload", "a.exe", None),
        ("application/vnd.android.package-archive", "a.apk", None),
        ("application/zip", "a.zip", None),
        ("application/vnd.ms-excel.sheet.macroEnabled.12", "a.xlsm", None),
        ("application/x-apple-aspen-config", "a.mobileconfig", None),
        ("text/xml", "a.jpg", None),
        ("image/unheard-of", "a.jpg", None),
        ("nonsense", "a.jpg", None),
    ],
)
def test_what_comes_in(content_type: str, name: str, kind: str | None) -> None:
    """A known type, and where none is said a known extension; nothing that runs or formats itself."""
    assert kind_of(content_type, name) == kind


@pytest.mark.parametrize(
    "beginning",
    [
        b"<!DOCTYPE html><html>",
        b"\n\t <HTML lang=en>",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"<?xml version='1.0'?>\n<svg>",
        b"<?xml version='1.0'?><!-- hi --><!DOCTYPE svg>",
        b"<script>alert(1)</script>",
        b"MZ\x90\x00",
        b"\x7fELF\x02",
        b"#!/bin/sh\n",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
    ],
)
def test_harm_is_seen_in_the_first_bytes(beginning: bytes) -> None:
    """A page or a program that says it is a picture."""
    assert looks_harmful(beginning)


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"%PDF-1.7",
        b"PK\x03\x04\x14\x00",
        b"BEGIN:VCARD",
        b"Hi <html>",
        b"M",
    ],
)
def test_an_ordinary_file_is_none(beginning: bytes) -> None:
    """Photos, documents, words about pages."""
    assert not looks_harmful(beginning)


@pytest.mark.parametrize(
    ("name", "kind", "clean"),
    [
        ("photo.jpg", "image/jpeg", "photo.jpg"),
        ("photo.JPEG", "image/jpeg", "photo.jpeg"),
        ("Größe 1.jpg", "image/jpeg", "Größe 1.jpg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Windows\\evil.exe", "image/png", "evil.exe.png"),
        ("invoice.pdf.exe", "application/pdf", "invoice.pdf.exe.pdf"),
        ("invoice\u202efdp.exe", "application/pdf", "invoicefdp.exe.pdf"),
        ("a\r\nb\t c.png", "image/png", "a b c.png"),
        ("a\0b.png", "image/png", "ab.png"),
        (".htaccess", "text/plain", "htaccess.txt"),
        ("...", "image/png", "file.png"),
        ("", "image/png", "file.png"),
        ("a?b*c:d|e.png", "image/png", "a_b_c_d_e.png"),
        ("<!channel>.png", "image/png", "_!channel_.png"),
        ("x" * 300 + ".png", "image/png", "x" * 96 + ".png"),
        ("x." + "y" * 300, "image/png", "x." + "y" * 94 + ".png"),
        ("photo.jpg", None, "photo.jpg"),
        ("archive", None, "archive"),
        ("", None, "file"),
    ],
)
def test_a_name_is_cleaned(name: str, kind: str | None, clean: str) -> None:
    """No path, nothing invisible, not endless, and the ending of what it really is."""
    assert clean_name(name, kind) == clean


def test_a_name_can_come_from_the_address() -> None:
    """Whoever sends a file need not name it."""
    assert name_of("https://x.example/a/photo%20one.jpg?sig=1", None) == "photo one.jpg"
    assert name_of("https://x.example/", None) == "file"
    assert name_of("https://[", None) == "file"
    assert name_of("https://x.example/a.jpg", "mine.jpg") == "mine.jpg"


@pytest.mark.parametrize(
    "name", ["setup.exe", "Setup.EXE", "a.apk", "a.bat", "x.mobileconfig", "a.js", "a.jse", "a.msi"]
)
def test_programs(name: str) -> None:
    """What would run where it is opened, or change how a phone works."""
    assert is_program(name)


@pytest.mark.parametrize("name", ["a.pdf", "exe", "a.exe.pdf", "a.jpg", "", "a.json", "a.zip"])
def test_no_programs(name: str) -> None:
    """Everything else may go out."""
    assert not is_program(name)


def test_audio_is_known_by_its_type_or_else_by_its_name() -> None:
    """It would become a voice memo."""
    assert is_audio("audio/mp4", "a")
    assert is_audio("", "song.mp3")
    assert not is_audio("video/mp4", "song.mp3")
    assert not is_audio("", "photo.jpg")
