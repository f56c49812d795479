"""A program that tries what the keys of its namespace's runs must not allow; runs in a pod.

It prints the server's answers as JSON: `done`, or the code of its refusal.
"""

import json
import os
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

BUCKET = os.environ["BUCKET"]
TARGETS: dict[str, str] = json.loads(os.environ["TARGETS"])
OWN = TARGETS["own"]


def client(service: str) -> Any:
    """Return a client with the keys of the environment."""
    return botocore.session.get_session().create_client(
        service, endpoint_url=os.environ["ENDPOINT"], region_name=os.environ["REGION"]
    )


def answer(call: Callable[..., Any], **words: Any) -> str:
    """Return what the server answers."""
    try:
        call(**words)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


def main() -> None:
    """Try everything on every target, its own last."""
    s3 = client("s3")
    answers = {"write own": answer(s3.put_object, Bucket=BUCKET, Key=OWN, Body=b"mine")}
    others = {name: key for name, key in TARGETS.items() if name != "own"}
    for name, key in others.items():
        answers |= {
            f"read {name}": answer(s3.get_object, Bucket=BUCKET, Key=key),
            f"look at {name}": answer(s3.head_object, Bucket=BUCKET, Key=key),
            f"write {name}": answer(s3.put_object, Bucket=BUCKET, Key=key, Body=b"forged"),
            f"copy over {name}": answer(
                s3.copy_object, Bucket=BUCKET, Key=key, CopySource=f"{BUCKET}/{OWN}"
            ),
            f"copy from {name}": answer(
                s3.copy_object, Bucket=BUCKET, Key=f"{OWN}-copy", CopySource=f"{BUCKET}/{key}"
            ),
            f"delete {name}": answer(s3.delete_object, Bucket=BUCKET, Key=key),
        }
    for prefix in ("", "ac/", "domains/", "domains/team/", "domains/friend/"):
        answers[f"list {prefix}"] = answer(s3.list_objects_v2, Bucket=BUCKET, Prefix=prefix)
    answers |= {
        "another session": answer(
            client("sts").assume_role, RoleArn=os.environ["ROLE"], RoleSessionName="eve"
        ),
        "delete the bucket": answer(s3.delete_bucket, Bucket=BUCKET),
        "read own": answer(s3.get_object, Bucket=BUCKET, Key=OWN),
        "list own": answer(s3.list_objects_v2, Bucket=BUCKET, Prefix="domains/stranger/"),
        "delete own": answer(s3.delete_object, Bucket=BUCKET, Key=OWN),
    }
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
