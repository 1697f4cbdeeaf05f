"""A function finds what its zip, its layers and Lambda's runtime have, and sees the simulated time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backbone.packages import installed
from backbone.simulator.processes import Outcome, Reply, Worker

POWERTOOLS = ("aws-lambda-powertools[all]>=3,<4",)
NOW = 1_704_103_200.0  # 2024-01-01T10:00:00Z

Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs a handler `code.handle` of some text, and returns what came of it."""
    made: list[Worker] = []

    def of(code: str, *, files: dict[str, str] | None = None, now: float = NOW, **options: Any) -> Outcome:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, text in {"code.py": code, **(files or {})}.items():
                archive.writestr(name, text)
        (tmp_path / "code.zip").write_bytes(content.getvalue())
        context = {"function_name": "f", "function_arn": "a", "memory_mb": 512, "log_group": "g"}
        made.append(Worker(tmp_path / "code.zip", "code.handle", {}, timeout_seconds=20, context=context, **options))
        return made[-1].invoke({}, "r-1", lambda _: Reply(200, {}, b""), now=now)

    yield of
    for one in made:
        one.close()


def body(*lines: str) -> str:
    return "\n".join(["def handle(event, context):", *(f"    {line}" for line in lines)])


@pytest.mark.parametrize("module", ["yaml", "requests", "cdktf", "backbone", "pytest", "packaging", "moto"])
@pytest.mark.parametrize("requirements", [(), POWERTOOLS])
def test_what_is_installed_beside_the_tool_cannot_be_imported(
    run: Run, module: str, requirements: tuple[str, ...]
) -> None:
    outcome = run(f"import {module}\ndef handle(event, context): pass", requirements=requirements)
    assert outcome.error == {
        "errorType": "Runtime.ImportModuleError",
        "errorMessage": f"Unable to import module 'code': No module named '{module}'",
        "requestId": "",
        "stackTrace": [],
    }


@pytest.mark.parametrize("module", ["boto3", "botocore.session", "dateutil", "jmespath", "six", "urllib3", "sqlite3"])
def test_what_the_runtime_has_can_be_imported(run: Run, module: str) -> None:
    assert run(body(f"import {module}", f"return {module}.__name__")).result == module


@pytest.mark.parametrize("module", ["aws_lambda_powertools", "pydantic", "aws_xray_sdk", "typing_extensions"])
def test_what_a_layer_has_is_there_with_the_layer_only(run: Run, module: str) -> None:
    code = body(f"import {module}", f"return {module}.__name__")
    assert run(code, requirements=POWERTOOLS).result == module
    error = run(code).error
    assert error is not None
    assert (error["errorType"], error["errorMessage"]) == ("ModuleNotFoundError", f"No module named '{module}'")


def test_what_the_zip_brings_comes_before_the_runtime(run: Run) -> None:
    own = {"six.py": "mine = True", "botocore/__init__.py": "mine = 2"}
    assert run(body("import botocore, six", "return [six.mine, botocore.mine]"), files=own).result == [True, 2]


def test_a_folder_of_packages_comes_before_the_zip(run: Run, tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "needed.py").write_text("where = 'here'")
    code = body("import needed", "return needed.where")
    found = run(code, files={"needed.py": "where = 'Lambda'"}, folders=(str(tmp_path / "packages"),))
    assert found.result == "here"


def test_metadata_is_told_of_what_can_be_imported_only(run: Run) -> None:
    code = body(
        "from importlib import metadata",
        "names = {one.metadata['Name'] for one in metadata.distributions()}",
        "return [metadata.version('python_dateutil'), 'boto3' in names, 'PyYAML' in names, 'event-backbone' in names]",
    )
    version, *found = run(code).result
    assert version[0].isdigit()
    assert found == [True, False, False]


def test_a_requirement_in_another_version_is_missing() -> None:
    assert installed(("boto3<1",)).missing == ("boto3<1",)
    assert installed(("boto3",)).missing == ()
    assert installed(("no-such-package",)).missing == ("no-such-package",)


@pytest.mark.parametrize(
    "write",
    [
        "open('new.txt', 'w')",
        "open(__file__, 'a')",
        "os.mkdir('folder')",
        "os.remove(__file__)",
        "os.rename(__file__, '/tmp/moved')",
        "open('/var/new.txt', 'w')",
    ],
)
def test_only_tmp_can_be_written(run: Run, write: str) -> None:
    error = run(f"import os\n{body(write)}").error
    assert error is not None
    assert (error["errorType"], error["errorMessage"].split("] ")[1][:21]) == ("OSError", "Read-only file system")


def test_tmp_can_be_written(run: Run) -> None:
    code = body("import tempfile", "with tempfile.NamedTemporaryFile('w+') as f:", "    f.write('x')", "    return 1")
    assert run(code).result == 1


def test_the_folder_is_the_codes_own(run: Run) -> None:
    code = body("import os, sys", "return [open('mail.txt').read(), os.getcwd() == os.environ['LAMBDA_TASK_ROOT']]")
    assert run(code, files={"mail.txt": "Dear"}).result == ["Dear", True]


TIMES = """
import datetime, time
from datetime import datetime as moment
from time import time as seconds
def handle(event, context):
    now = [
        moment.now(datetime.UTC), datetime.datetime.now(), moment.utcnow(), moment.today(), datetime.date.today(),
        time.strftime("%Y-%m-%d %H"), time.gmtime()[:4], time.localtime()[:4], time.ctime(),
    ]
    return [int(seconds()), time.time_ns() // 10**9, *map(str, now)]
"""


def test_every_clock_of_the_library_shows_the_simulated_time(run: Run) -> None:
    *numbers, aware, local, utc, today, date, text, gmtime, localtime, ctime = run(TIMES).result
    assert numbers == [NOW, NOW]
    assert all(one.startswith("2024-01-01 10:00:00.0000") for one in (aware, local, utc, today))
    assert (date, text, ctime) == ("2024-01-01", "2024-01-01 10", "Mon Jan  1 10:00:00 2024")
    assert gmtime == localtime == "(2024, 1, 1, 10)"


def test_moments_stay_what_they_are(run: Run) -> None:
    code = body(
        "import copy, datetime, pickle",
        "class Mine(datetime.datetime): pass",
        "now, mine = datetime.datetime.now(), Mine.now()",
        "same = [pickle.loads(pickle.dumps(now)) == now, copy.deepcopy(now) == now, type(now) is datetime.datetime]",
        "return [*same, type(mine) is Mine, isinstance(mine, datetime.datetime), mine > now]",
    )
    assert run(code).result == [True] * 6


def test_sleep_moves_the_time_and_the_deadline_comes_nearer(run: Run) -> None:
    code = body(
        "import time",
        "left, began = context.get_remaining_time_in_millis(), time.time()",
        "time.sleep(0.2)",
        "return [round(time.time() - began, 3), left - context.get_remaining_time_in_millis(), left]",
    )
    slept, less, left = run(code).result
    assert slept == 0.2
    assert 200 <= less < 5_000
    assert 15_000 < left <= 20_000


def test_aws_is_called_at_the_simulated_time_with_its_own_ids(run: Run) -> None:
    code = """
import boto3, json, random, uuid
from uuid import uuid4
def handle(event, context):
    seen = []
    def note(request, **_): seen.append(request.headers["X-Amz-Date"].decode())
    keys = dict(aws_access_key_id="a", aws_secret_access_key="b")
    client = boto3.client("sqs", region_name="eu-west-1", **keys)
    client.meta.events.register_first("before-send", note)
    client.list_queues()
    print(uuid.uuid4(), uuid4(), random.random(), sorted({str(n) for n in range(9)}), list({str(n) for n in range(9)}))
    return seen
"""
    first, second = run(code), run(code)
    assert first.result == ["20240101T100000Z"]
    assert first.printed == second.printed != ""


def test_an_error_repeats_to_the_letter(run: Run) -> None:
    code = "import logging\n" + body(
        "try: 1 / 0", "except Exception: logging.exception('no')", "raise ValueError(__file__)"
    )
    first, second = run(code), run(code)
    assert first == second
    assert first.error is not None
    assert first.error["errorMessage"] == "/var/task/code.py"
    assert first.error["requestId"] == "r-1"
    assert len(first.error["stackTrace"]) == 1
    assert 'File "/var/task/code.py", line 3' in first.printed


def test_the_context_is_as_lambda_gives_it(run: Run) -> None:
    code = body("context.log('hi')", "return [context.memory_limit_in_mb, context.aws_request_id]")
    outcome = run(code)
    assert (outcome.result, outcome.printed) == (["512", "r-1"], "hi")


@pytest.mark.parametrize(("code", "words"), [("0", "without providing a reason"), ("3", "with error: exit status 3")])
def test_a_process_that_exits(run: Run, code: str, words: str) -> None:
    error = run(f"import sys\n{body(f'sys.exit({code})')}").error
    assert error == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: r-1 Error: Runtime exited {words}",
    }


def test_results_are_json(run: Run) -> None:
    assert json.dumps(run(body("return {'ä': (1, None)}")).result) == '{"\\u00e4": [1, null]}'
