"""The export's zip: CSV beside parameters.json, and archives that mean harm."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from typing import Any

import pytest

from consumers.files import open_usage
from consumers.refusals import FileRefused
from domain.usage import Usage
from tests.streams import repeated
from tests.usage_files import records, whole_refusal
from tests.usage_records import ROW, csv_file

PARAMETERS = b'{"TenantId":"contoso","startDateTime":"2019-11-01"}'


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as made:
        for name, data in members:
            made.writestr(name, data)
    return stream.getvalue()


def rows(count: int) -> bytes:
    return csv_file([{**ROW, "UsageId": str(number)} for number in range(count)])


def test_the_exports_zip_is_its_csv() -> None:
    data = archive(("parameters.json", PARAMETERS), ("PSTN.calls.csv", b"\xef\xbb\xbf" + rows(3)))
    found = records(data, account="contoso")
    assert [(name, line) for name, line, _, _ in found] == [("f/PSTN.calls.csv", line) for line in (2, 3, 4)]
    assert all(isinstance(item, Usage) for _, _, item, _ in found)


def test_every_csv_of_the_zip_is_read_and_what_macos_adds_is_not() -> None:
    data = archive(("a.csv", rows(1)), ("b/C.CSV", rows(2)), ("__MACOSX/._a.csv", b"\0\1"), ("read.me", b"x"))
    assert [name for name, *_ in records(data, account="contoso")] == ["f/a.csv", "f/b/C.CSV", "f/b/C.CSV"]


def test_a_csv_that_is_no_usage_is_refused_by_its_name_in_the_zip() -> None:
    refused = whole_refusal(archive(("a.csv", rows(1)), ("b/other.csv", b"no,thing\n1,2\n")), account="contoso")
    assert (refused.code, refused.source) == ("missing_columns", "f/b/other.csv")
    assert str(refused).startswith("f/b/other.csv: ")


def test_a_zip_may_be_piped_in() -> None:
    data = archive(("a.csv", rows(3)))
    assert len(list(open_usage(repeated(data[:9], data[9:], 1), name="-", account="contoso"))) == 3


def test_a_zip_over_64_mib_must_be_named_rather_than_piped() -> None:
    stream = repeated(b"PK\x03\x04", b"x" * (1 << 18), 257)
    with pytest.raises(FileRefused) as caught:
        list(open_usage(stream, name="-", account="contoso"))
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    "name", ["../up.csv", "/etc/cron.d/x.csv", "a/../../b.csv", "..\\b.csv", "C:/x.csv", "\\x.csv"]
)
def test_a_path_in_a_name_refuses_the_whole_zip(name: str) -> None:
    error = whole_refusal(archive(("a.csv", rows(1)), (name, rows(1))), account="contoso")
    assert error.code == "unsafe_archive"


def test_a_zip_bomb_is_refused_before_it_is_opened() -> None:
    error = whole_refusal(archive(("a.csv", rows(1)), ("bomb.csv", b"\0" * (80 << 20))), account="contoso")
    assert error.code == "unsafe_archive"
    assert f"{(80 << 20) + len(rows(1)):,}" in error.message


def test_a_zip_that_declares_less_than_it_holds_is_damaged() -> None:
    data = bytearray(archive(("a.csv", rows(100))))
    central = data.rfind(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 2000)
    error = whole_refusal(bytes(data), account="contoso")
    assert error.code == "undecodable"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_decompressed_in_bounds_is_refused(method: int) -> None:
    assert whole_refusal(archive(("a.csv", rows(1)), method=method), account="contoso").code == "undecodable"


def test_an_encrypted_zip_is_refused() -> None:
    data = bytearray(archive(("a.csv", rows(1))))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + place] |= 1
    assert whole_refusal(bytes(data), account="contoso").code == "undecodable"


def test_a_zip_without_a_csv_is_refused() -> None:
    for data in (archive(("parameters.json", PARAMETERS)), archive()):
        assert whole_refusal(data, account="contoso").code == "undecodable"


def test_a_zip_needs_an_account() -> None:
    assert whole_refusal(archive(("a.csv", rows(1)))).code == "account_required"


def test_a_damaged_zip_is_refused_and_never_anything_else() -> None:
    whole = archive(("a.csv", rows(20)), ("b.csv", rows(20)))
    chance = random.Random(7)
    for _ in range(300):
        data = bytearray(whole[: chance.randrange(4, len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        assert _outcome(bytes(data)) in {"taken", "undecodable", "unsafe_archive", "missing_columns", "duplicate_key"}


def _outcome(data: bytes, **options: Any) -> str:
    try:
        records(data, account="contoso", **options)
    except FileRefused as error:
        return error.code
    return "taken"
