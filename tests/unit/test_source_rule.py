"""Which sources may be downloaded: one rule, which the operator and `fetch` both go by."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pennant_operator.decide.registry.sources import source_refusal
from pennant_registry.sources import DEFAULT_ALLOWED, joined, listed, problem, proxied_path
from pennant_serving.failures import PodError
from pennant_serving.fetch.verifying import check_source

pytestmark = pytest.mark.unit

ALLOWED = (*DEFAULT_ALLOWED, "s3://models", "wasbs://c@account.blob.core.windows.net/mlflow/")


@pytest.mark.parametrize(
    "source",
    [
        "mlflow-artifacts:/1/run/artifacts/newsreco.pkl",
        "mlflow-artifacts:/1/models/m-7/artifacts",
        "mlflow-artifacts:/1/run/artifacts/a..b.pkl",
        "mlflow-artifacts:/1/run/artifacts/my model.pkl",
        "mlflow-artifacts:/1/run/artifacts/mod\N{LATIN SMALL LETTER E WITH GRAVE}le.pkl",
        "mlflow-artifacts:/1/a%20b",
        "mlflow-artifacts:///1/run",  # as MLflow itself writes it: no host is named
        "s3://models",
        "s3://models/iris",
        "s3://models/a/./b",
        "wasbs://c@account.blob.core.windows.net/mlflow/1/x",
    ],
)
def test_what_is_allowed_may_be_downloaded(source: str):
    assert problem(source, ALLOWED) is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("models:/cars@production", "floats"),
        ("models:/cars/Production", "floats"),
        ("models:/cars/3", "floats"),
        ("models:/m-7", "floats"),
        ("MODELS:/cars/3", "floats"),
        ("runs:/1/model", "floats"),
        ("Runs:/1/model", "floats"),
        ("runs", "floats"),
        ("", "begins with no scheme"),
        (":", "begins with no scheme"),
        ("/etc/passwd", "begins with no scheme"),
        ("C:\\models", "begins with no scheme"),
        (" s3://models/x", "begins with no scheme"),
        ("S3://models/x", "begins with no scheme in small letters"),
        ("MLFLOW-ARTIFACTS:/1/x", "begins with no scheme in small letters"),
        ("mlflow-artifacts://evil.example/1/x", "host of its own"),
        ("mlflow-artifacts://evil.example", "host of its own"),
        ("mlflow-artifacts://user@evil.example/1/x", "host of its own"),
        ("mlflow-artifacts://[::1]:5000/1", "host of its own"),
        ("mlflow-artifacts://", "host of its own"),
        ("mlflow-artifacts:/1/../../2/secret", "could lead out"),
        ("mlflow-artifacts:///../2", "could lead out"),
        ("mlflow-artifacts:/1/%2e%2e/2", "could lead out"),
        ("mlflow-artifacts:/1/%2E./2", "could lead out"),
        ("mlflow-artifacts:/1/..%2f2", "could lead out"),
        ("mlflow-artifacts:/1/%252e%252e/2", "could lead out"),
        ("mlflow-artifacts:/1/%2525252525252e%2525252525252e/2", "could lead out"),
        ("mlflow-artifacts:/1/%25252525252525252525252e", "could lead out"),
        ("mlflow-artifacts:../2", "could lead out"),
        ("mlflow-artifacts:..", "could lead out"),
        ("mlflow-artifacts:/1\\..\\2", "could lead out"),
        ("mlflow-artifacts:/1%5c..", "could lead out"),
        ("mlflow-artifacts:/1/a\nb", "could lead out"),
        ("mlflow-artifacts:/1/a%0ab", "could lead out"),
        ("mlflow-artifacts:/1/a%00b", "could lead out"),
        ("mlflow-artifacts:/1/a\x7fb", "could lead out"),
        ("mlflow-artifacts:/1/a\N{RIGHT-TO-LEFT OVERRIDE}b", "could lead out"),
        ("mlflow-artifacts:/1/a\ud800b", "could lead out"),
        ("s3://models/../other", "could lead out"),
        ("s3://models/a?versionId=1", "has a query"),
        ("s3://models/a?", "has a query"),
        ("s3://models/a#b", "has a query, a fragment"),
        ("mlflow-artifacts:/1/a?b", "has a query"),
        ("http://[::1/x", "half a host"),
        ("http://a\N{FULLWIDTH SOLIDUS}b/x", "half a host"),
        ("mlflow-artifacts:1/x", "allowedSources"),
        ("s3://models-2/iris", "allowedSources"),
        ("s3://models@evil.example/iris", "allowedSources"),
        ("s3:models/iris", "allowedSources"),
        ("http://user:password@host/x", "allowedSources"),
        ("http://[::1]/x", "allowedSources"),
        ("file:///etc/passwd", "allowedSources"),
        ("file:/etc/passwd", "allowedSources"),
        ("dbfs:/models/x", "allowedSources"),
        ("wasbs://c@evil.blob.core.windows.net/mlflow/1/x", "allowedSources"),
    ],
)
def test_nothing_else_may(source: str, says: str):
    assert says in (problem(source, ALLOWED) or "")


def test_what_floats_or_leads_elsewhere_does_so_whatever_is_allowed():
    everything = ("models:", "runs:", "mlflow-artifacts:", "MODELS:", "s3:", "")
    for source in ("models:/cars/3", "MODELS:/cars/3", "mlflow-artifacts://evil/x", "s3://b/../c"):
        assert problem(source, everything) is not None


@pytest.mark.parametrize(
    ("source", "prefix", "allows"),
    [
        ("s3://any/x", "s3:", True),
        ("s3://any/x", "s3://", True),
        ("s3://any/x", "s3", False),
        ("s3://models:9/x", "s3://models:", False),  # of a scheme only, the `:` is an end
        ("mlflow-artifacts:1/x", "mlflow-artifacts:", True),
        ("mlflow-artifacts:///3/x", "mlflow-artifacts:/3/", True),
        ("mlflow-artifacts:/3/x", "mlflow-artifacts:///3", True),
        ("mlflow-artifacts:////4/x", "mlflow-artifacts:/3/", False),
        ("mlflow-artifacts:/3", "mlflow-artifacts:/3/", False),
        ("s3://models/x", "", False),
    ],
)
def test_a_prefix_ends_at_a_slash_or_at_its_scheme(source: str, prefix: str, allows: bool):
    assert (problem(source, (prefix,)) is None) is allows


def test_a_refusal_says_what_is_allowed():
    message = problem("gs://bucket/x", ALLOWED) or ""
    assert "(mlflow-artifacts:/, s3://models, wasbs://" in message


SOURCES = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            (
                *(
                    "mlflow-artifacts:",
                    "s3:",
                    "S3:",
                    "models:",
                    "http:",
                    "/",
                    "//",
                    "///",
                    "models",
                ),
                *("..", ".", "%2e", "%25", "\\", "?", "#", "@", "[", "]", ":", "x", "\n", "\u202e"),
            )
        )
    ).map("".join),
)


@given(source=SOURCES, allowed=st.lists(SOURCES, max_size=3))
@example(source="s3://b/x?q", allowed=["s3://b"])
@example(source="s3://b/x#f", allowed=["s3://b"])
@example(source="mlflow-artifacts:///1/x", allowed=["mlflow-artifacts:/"])
@example(source="s3://[b/x", allowed=["s3:"])
def test_law_13_operator_and_fetch_say_the_same_of_every_source(source: str, allowed: list[str]):
    by_the_operator = source_refusal(source, tuple(allowed), registry="default") is None
    try:
        check_source(source, tuple(allowed))
    except PodError:
        assert not by_the_operator
    else:
        assert by_the_operator


@given(SOURCES)
def test_what_may_be_downloaded_has_no_step_upwards_and_no_second_part(source: str):
    if problem(source, ("mlflow-artifacts:", "s3:", "http:")) is None:
        assert not {"..", "?", "#", "\\"} & {*source.split("/"), *source}
        path = proxied_path(source)
        assert path is None or not path.startswith("/")


@given(st.lists(st.from_regex(r"[a-z0-9]+://[a-z]+/[a-z ]*[a-z]", fullmatch=True), max_size=4))
def test_prefixes_come_through_a_variable_as_they_are_and_none_stay_none(allowed: list[str]):
    assert listed(joined(allowed)) == tuple(allowed)
    assert joined(allowed)  # a variable that is empty counts as one that is not set


def test_what_is_encoded_over_and_over_is_not_decoded_to_its_end():
    nested = "s3://models/" + "%" + "25" * 200_000  # each decoding takes two letters off
    assert "could lead out" in (problem(nested, ALLOWED) or "")
