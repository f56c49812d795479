"""Tests of the options of inputs."""

from __future__ import annotations

from voxk8s.inputs.input_options import InputOptions


def test_options_are_read_from_the_environment() -> None:
    """AWS's variables and voxk8s's own are read; secrets are not in the repr."""
    options = InputOptions.from_env(
        {
            "AWS_ENDPOINT_URL": "http://s3:9000",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "key-id",
            "AWS_SECRET_ACCESS_KEY": "hidden",
            "VOXK8S_LOCAL_INPUTS": "no",
            "VOXK8S_INPUT_PREFIXES": "s3://a/ s3://b/",
        }
    )
    assert (options.endpoint, options.region) == ("http://s3:9000", "eu-west-1")
    assert (options.local_allowed, options.allowed_prefixes) == (False, ("s3://a/", "s3://b/"))
    own = InputOptions.from_env({"AWS_ENDPOINT_URL_S3": "http://s3:1", "AWS_ENDPOINT_URL": "x"})
    assert own.endpoint == "http://s3:1", "that of S3 before that of all"
    assert "hidden" not in repr(options)
    assert "key-id" not in repr(options)


def test_an_empty_environment_gives_the_defaults() -> None:
    """Without variables, local files and all prefixes are allowed."""
    assert InputOptions.from_env({}) == InputOptions()
