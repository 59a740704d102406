"""Downloads that end early, begin late, break off and go on: whole, or the world's fault."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler

import pytest

from pennant_serving.failures import PodError, Reason
from pennant_serving.fetch import fetch
from pennant_testing.mlflow.artifact_server import (
    CONTENT,
    FILE,
    IN_ITS_FOLDER,
    NOTHING_LISTED,
    THE_FILE,
    answer,
    asked_for_files,
    begin,
    endless,
    listing,
    registry,
    serving,
    settings,
)

pytestmark = pytest.mark.integration

UNSIZED = (NOTHING_LISTED, listing(("model.pkl", None)))
WRONG_DIGEST = (("the version's tag pennant.sha256", "0" * 64),)
TAG = {"ETag": '"1"'}


def downloaded(tmp_path, *files, listings=IN_ITS_FOLDER) -> list[BaseHTTPRequestHandler]:
    """The requests for the file, which is there now."""
    with registry(*files, listings=listings) as (url, asked):
        fetch(settings(url, tmp_path))
    assert (tmp_path / "bundle" / "model.pkl").read_bytes() == CONTENT
    return asked_for_files(asked)


def refused(tmp_path, *files, listings=IN_ITS_FOLDER) -> PodError:
    """Also where the tag would say that the model is to blame; nothing stays."""
    with registry(*files, listings=listings) as (url, _):
        for expected in ((), WRONG_DIGEST):
            read = settings(url, tmp_path, patience=0.3, expected_digests=expected)
            with pytest.raises(PodError) as raised:
                fetch(read)
            assert raised.value.reason is Reason.DOWNLOAD_FAILED
    assert list(tmp_path.iterdir()) == []
    return raised.value


def chunked(*chunks: bytes, ends: bool = True):
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.close_connection = True
        begin(handler, 200, FILE | {"Transfer-Encoding": "chunked"})
        for chunk in chunks:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        handler.wfile.write(b"0\r\n\r\n" if ends else b"")

    return send


ENDS_EARLY = {
    "at 60 %": endless(CONTENT[:5]),
    "at 0 %": endless(b""),
    "chunked, cut": chunked(CONTENT[:5], ends=False),
    "chunked, ended": chunked(CONTENT[:5]),
    "a proxy's own length": answer(200, CONTENT[:5], **FILE),
    "a proxy's own length of nothing": answer(200, b"", **FILE),
    "with a length": answer(200, CONTENT[:5], **FILE, **{"Content-Length": "9"}),
    "no content": answer(204, b""),
    "not yet": answer(202, CONTENT, **FILE),
}
TOO_LONG = {
    "to the end": endless(CONTENT + b"!"),
    "chunked": chunked(CONTENT, b"!"),
    "with a length": answer(200, CONTENT + b"!", **FILE),
}


@pytest.mark.parametrize("early", ENDS_EARLY.values(), ids=ENDS_EARLY)
def test_an_answer_that_ends_early_is_the_worlds_fault_and_asked_again(tmp_path, early):
    assert len(downloaded(tmp_path, early, THE_FILE)) == 2


@pytest.mark.parametrize("early", ENDS_EARLY.values(), ids=ENDS_EARLY)
def test_a_file_that_always_ends_early_is_never_taken_nor_blamed_on_the_model(tmp_path, early):
    refused(tmp_path, early)


@pytest.mark.parametrize("early", ENDS_EARLY.values(), ids=ENDS_EARLY)
def test_the_files_of_a_folder_are_compared_with_its_listing_too(tmp_path, early):
    folder = [listing(("model.pkl", len(CONTENT)), ("empty", 0))]
    refused(tmp_path, early, listings=folder)
    with registry(THE_FILE, answer(200, b"", **FILE), listings=folder) as (url, _):
        assert fetch(settings(url, tmp_path))[0].files == 2


@pytest.mark.parametrize("long", TOO_LONG.values(), ids=TOO_LONG)
def test_an_answer_that_is_longer_than_listed_is_the_worlds_fault_too(tmp_path, long):
    refused(tmp_path, long)
    downloaded(tmp_path, long, THE_FILE)


@pytest.mark.parametrize("name", ["chunked, cut", "with a length", "no content", "not yet"])
def test_without_a_size_in_the_listing_the_answer_itself_tells(tmp_path, name):
    refused(tmp_path, ENDS_EARLY[name], listings=UNSIZED)
    downloaded(tmp_path, ENDS_EARLY[name], THE_FILE, listings=UNSIZED)


def test_a_file_that_may_be_read_while_its_folder_may_not_is_downloaded(tmp_path):
    downloaded(tmp_path, THE_FILE, listings=[NOTHING_LISTED, answer(403, "not yours")])


def test_a_file_that_is_sent_compressed_is_refused_where_its_size_is_not_known(tmp_path):
    compressed = answer(200, CONTENT, **FILE, **{"Content-Encoding": "gzip"})
    assert "compressed" in refused(tmp_path, compressed, listings=UNSIZED).message
    downloaded(tmp_path, compressed)  # the label is wrong: model.pkl.gz is stored as such


def ranges(*breaks: int, body: bytes = CONTENT, **headers: str):
    """Answers ranges, and breaks off after so many bytes in turn, then no more."""
    turns = list(breaks)

    def send(handler: BaseHTTPRequestHandler) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start, code, more = int(asked[1]) if asked else 0, 206 if asked else 200, {}
        if asked:
            more = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
        length = {"Content-Length": str(len(body) - start)}
        begin(handler, code, FILE | TAG | length | more | headers)
        handler.wfile.write(body[start:][: turns.pop(0) if turns else None])

    return send


def asked_ranges(requests: list[BaseHTTPRequestHandler]) -> list[str | None]:
    return [handler.headers.get("Range") for handler in requests]


@pytest.mark.parametrize("listings", [IN_ITS_FOLDER, UNSIZED], ids=["listed", "not listed"])
def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path, listings):
    requests = downloaded(tmp_path, ranges(3, 0, 2, 3), listings=listings)
    expected = [None, "bytes=3-", "bytes=3-", "bytes=5-", "bytes=8-"]
    assert asked_ranges(requests) == expected
    assert [each.headers.get("If-Range") for each in requests[1:]] == ['"1"'] * 4


@pytest.mark.parametrize(
    ("headers", "condition"),
    [
        ({"ETag": 'W/"1"'}, None),
        ({"ETag": 'W/"1"', "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT"}, "Sun, 01 Mar"),
    ],
)
def test_only_what_names_the_very_bytes_is_a_condition(tmp_path, headers, condition):
    requests = downloaded(tmp_path, ranges(3, **headers))
    assert asked_ranges(requests) == [None, "bytes=3-"]
    assert (requests[1].headers.get("If-Range") or "")[:11] == (condition or "")


def test_a_server_without_ranges_is_asked_for_all_of_it_and_answers_all_of_it(tmp_path):
    part = answer(200, CONTENT[:5], **FILE, **{"Content-Length": "9"})
    assert asked_ranges(downloaded(tmp_path, part, THE_FILE)) == [None, "bytes=5-"]


def rest(says: str, body: bytes = CONTENT[3:], **headers: str):
    return answer(206, body, **FILE | TAG | {"Content-Range": says} | headers)


LIES = {
    "from elsewhere": rest("bytes 2-8/9"),
    "of a longer file": rest("bytes 3-8/10"),
    "without saying which": answer(206, CONTENT[3:], **FILE),
    "no range": rest("bytes */9"),
    "in parts": answer(206, b"--x", **{"Content-Type": "multipart/byteranges; boundary=x"}),
    "of another file": rest("bytes 3-8/9", ETag='"2"'),
    "shorter than it says": rest("bytes 3-8/9", CONTENT[3:5]),
    "not satisfiable": answer(416, b""),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_rest_that_is_not_the_one_asked_for_is_refused_and_all_is_asked_anew(tmp_path, lie):
    requests = downloaded(tmp_path, ranges(3), lie, THE_FILE)
    assert asked_ranges(requests) == [None, "bytes=3-", None]


def test_a_rest_that_nobody_asked_for_is_refused(tmp_path):
    refused(tmp_path, rest("bytes 0-8/9", CONTENT))


def test_a_rest_may_come_in_pieces(tmp_path):
    pieces = [rest("bytes 3-5/9", CONTENT[3:6]), rest("bytes 6-8/*", CONTENT[6:])]
    assert asked_ranges(downloaded(tmp_path, ranges(3), *pieces)) == [None, "bytes=3-", "bytes=6-"]


def test_the_digest_is_of_the_whole_and_a_false_rest_is_found(tmp_path):
    false = rest("bytes 3-8/9", b"forged")
    with registry(ranges(3), false) as (url, _), pytest.raises(PodError) as raised:
        fetch(settings(url, tmp_path, expected_digests=WRONG_DIGEST))
    assert raised.value.reason is Reason.DIGEST_MISMATCH


def test_however_often_it_breaks_off_a_download_that_gets_on_is_not_given_up(tmp_path):
    """The pauses alone are longer than patience would be for failures without a byte between."""
    with registry(ranges(*[1] * 8)) as (url, asked):
        fetch(settings(url, tmp_path, patience=1.2))
    assert len(asked_for_files(asked)) == 9


def test_a_range_goes_along_with_a_redirect(tmp_path):
    with serving(ranges(3)) as (elsewhere, asked):
        downloaded(tmp_path, answer(302, "", Location=f"{elsewhere}/file"))
    assert asked_ranges(asked) == [None, "bytes=3-"]


def test_a_name_that_is_left_out_at_the_root_is_the_models_own_below(tmp_path):
    def give(handler: BaseHTTPRequestHandler) -> None:
        files = {"sub": True, "registered_model_meta": False, "MLmodel": False}
        if handler.path.endswith("sub/registered_model_meta"):
            answer(200, f"{handler.server.server_port}", **FILE)(handler)  # another by each server
        elif "?path=" not in handler.path:
            answer(200, CONTENT, **FILE)(handler)
        elif handler.path.endswith("sub"):
            listing(("registered_model_meta", None))(handler)
        else:
            found = [f'{{"path": "{n}", "is_dir": {str(d).lower()}}}' for n, d in files.items()]
            answer(200, f'{{"files": [{", ".join(found)}]}}')(handler)

    digests = set()
    for place in ("one", "two"):
        with serving(give) as (url, _):
            digests.add(fetch(settings(url, tmp_path / place))[0].digest)
    assert len(digests) == 2
    bundle = tmp_path / "one" / "bundle"
    assert (bundle / "sub" / "registered_model_meta").is_file()
    assert not (bundle / "registered_model_meta").exists()
