"""Before people are erased: is anybody meant, is it meant so, and do they stay away afterwards?"""

import os
import pty
import select
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lakehouse.console import ConsoleReporter
from lakehouse.derived.people import land_people
from lakehouse.derived.table import landed_zone
from lakehouse.landing.load import land
from lakehouse.landing.pseudonym_key import PseudonymKey
from lakehouse.landing.suppression import read_suppressions, suppress
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.privacy.erase import Erasing
from lakehouse.privacy.guard import Guard, NobodyFoundError, NotConfirmedError
from lakehouse.storage import open_folder
from landing_helpers import TABLES, FolderPlace, as_bytes, content_of, landed, quarantined
from real_data import LAKEHOUSE, PROJECT_DIR

pytestmark = pytest.mark.quick

KEY = PseudonymKey(b"5fd81c0b7a3e9624c0ffee0123456789c0ffee01")
OTHER = PseudonymKey(b"another key, of 32 characters ..")
CUSTOMERS = "stedi/customer/landing/1.json"
READINGS = "stedi/accelerometer/landing/1.json"
STEPS = "stedi/step_trainer/landing/1.json"
NOON_MS = 1_655_564_400_000
PERSONAL = ("customer_landing", "accelerometer_landing", "step_trainer_landing")


def customer(email: str, device: str, at: int = 1) -> dict[str, Any]:
    return {"email": email, "serialNumber": device, "registrationDate": NOON_MS, "lastUpdateDate": NOON_MS + at}


def reading(email: str, at: int) -> dict[str, Any]:
    return {"user": email, "timestamp": NOON_MS + at, "x": 1.0, "y": 2.0, "z": 3.0}


def step(device: str, at: int) -> dict[str, Any]:
    return {"sensorReadingTime": NOON_MS + at, "serialNumber": device, "distanceFromObject": 5}


def deliver(source: FolderPlace, at: int) -> None:
    """Everything of Ann and Bob, a little different each time; Ann is also in a record that cannot be read."""
    broken = b'{"email": "ann@test.com", "at": %d}\n' % at
    records = [customer("Ann@test.com", "D1", at), customer("bob@test.com", "D2", at)]
    source.put(CUSTOMERS, as_bytes(records) + broken)
    source.put(READINGS, [reading("ann@test.com", at), reading("bob@test.com", at)])
    source.put(STEPS, [step("D1", at), step("D2", at)])


def load(tmp_path: Path) -> None:
    land([tmp_path / "raw"], tmp_path / "zone", TABLES)
    land_people(tmp_path / "zone", TABLES, KEY, print)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderPlace:
    monkeypatch.setenv("PSEUDONYM_KEY", KEY.secret.decode())
    monkeypatch.delenv("DUCKDB_PATH", raising=False)
    source = FolderPlace(tmp_path / "raw")
    deliver(source, 1)
    load(tmp_path)
    return source


@pytest.fixture
def zone(source: FolderPlace) -> FolderPlace:
    return FolderPlace(source.path.parent / "zone")


def erasing(
    zone: FolderPlace,
    *addresses: str,
    key: PseudonymKey | None = KEY,
    sure: bool = True,
    asked: list[str] | None = None,
) -> Erasing:
    """An erasure beside which there is no database."""

    def is_sure(question: str) -> bool:
        if asked is not None:
            asked.append(question)
        return sure

    reporter = ConsoleReporter()
    guard = Guard(zone.location, TABLES, list(addresses), reporter, key, is_sure)
    dbt = DbtSession(zone.path.parent, "duckdb", "mine", reporter.console)
    return Erasing(zone.location, TABLES, list(addresses), dbt, reporter, key, guard=guard)


def holds_ann(zone: FolderPlace) -> bool:
    lines = [line for table in PERSONAL for line in landed(zone, table)]
    lines += [line["record_base64"].encode() for table in PERSONAL for line in quarantined(zone, table)]
    return len(lines) != 3


def test_who_was_erased_stays_away_when_the_same_people_are_delivered_again(
    source: FolderPlace, zone: FolderPlace, tmp_path: Path
) -> None:
    assert holds_ann(zone)
    assert erasing(zone, "ANN@test.com").run()
    assert not holds_ann(zone)
    for day in (2, 3):
        deliver(source, day)
        load(tmp_path)
        assert not holds_ann(zone)
    assert erasing(zone, "ANN@test.com").run()


@pytest.mark.parametrize(
    "given", [(None, "PSEUDONYM_KEY is not set"), (OTHER, "PSEUDONYM_KEY is another one than this")]
)
def test_without_the_key_they_are_erased_and_that_they_can_come_back_is_said(
    source: FolderPlace,
    zone: FolderPlace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: tuple[PseudonymKey | None, str],
) -> None:
    key, why = given
    assert erasing(zone, "ann@test.com", key=key).run()
    assert not holds_ann(zone)
    assert f"warning: {why}" in (said := capsys.readouterr().out)
    assert "brings them back" in said
    deliver(source, 2)
    load(tmp_path)
    assert holds_ann(zone)


def test_killed_behind_the_list_the_next_run_erases(zone: FolderPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.privacy.erase.begin_receipt", _killed)
    with pytest.raises(KeyboardInterrupt):
        erasing(zone, "ann@test.com").run()
    monkeypatch.undo()
    assert holds_ann(zone)
    assert erasing(zone, "ann@test.com").run()
    assert not holds_ann(zone)


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_mistyped_address_changes_nothing_and_is_called_so(zone: FolderPlace, *, dry_run: bool) -> None:
    before, asked = content_of(zone), list[str]()
    one = erasing(zone, "anm@test.com", "ann@test.con", asked=asked)
    with pytest.raises(NobodyFoundError, match="nobody is found by 2 addresses: check the spelling"):
        one.dry_run() if dry_run else one.run()
    assert content_of(zone) == before
    assert asked == []


def test_one_mistyped_address_among_others_is_told_and_is_not_listed(
    zone: FolderPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    one = erasing(zone, "ann@test.com", "bbo@test.com")
    assert one.run()
    assert one.guard is not None
    assert one.guard.not_found == ["bbo@test.com"]
    assert "nothing is found of 1 address: check the spelling" in capsys.readouterr().out
    listed = read_suppressions(open_folder(zone.location))
    assert listed is not None
    assert ("ann@test.com" in listed, "bbo@test.com" in listed) == (True, False)


def test_who_is_in_the_database_alone_is_no_mistake_among_others(
    zone: FolderPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose record was taken back, or whose erasure was cut off: they go on the list, too."""
    in_engine = {"Gone@test.com", KEY.pseudonym("gone@test.com"), "ann@test.com"}
    monkeypatch.setattr(
        Erasing, "_search", lambda _, values, others=(): {"stedi.x": 1} if in_engine & {*values, *others} else {}
    )
    one = erasing(zone, "ann@test.com", "gone@test.com")
    one.dry_run()
    assert one.guard is not None
    assert one.guard.not_found == []
    in_engine.remove(KEY.pseudonym("gone@test.com"))
    one.dry_run()
    assert one.guard.not_found == ["gone@test.com"]


def test_who_says_no_has_changed_nothing(zone: FolderPlace) -> None:
    before, asked = content_of(zone), list[str]()
    with pytest.raises(NotConfirmedError, match="nothing was erased"):
        erasing(zone, "ann@test.com", sure=False, asked=asked).run()
    assert content_of(zone) == before
    (question,) = asked
    assert question == (
        "erase 1 address: 8 landed records, 1 quarantined record, 1 device, 0 values in the database; "
        f"from {zone.location}, and for good?"
    )


def test_nobody_is_asked_where_nothing_is_left(zone: FolderPlace) -> None:
    erasing(zone, "ann@test.com").run()
    asked: list[str] = []
    assert erasing(zone, "ann@test.com", asked=asked).run()
    assert asked == []


def test_an_address_in_the_quarantine_alone_is_no_mistake(
    zone: FolderPlace, source: FolderPlace, tmp_path: Path
) -> None:
    source.put("stedi/customer/landing/2.json", "complaint of cyd@test.com\n")
    load(tmp_path)
    one = erasing(zone, "ann@test.com", "cyd@test.com")
    assert one.run()
    assert one.guard is not None
    assert one.guard.not_found == []


# ------------------------------------------------------------------------------------------- the whole command
def command(zone: FolderPlace, *options: str) -> list[str]:
    return [LAKEHOUSE, "erase", "--zone", zone.location, *options]


def settings(tmp_path: Path) -> dict[str, str]:
    database = {"DUCKDB_PATH": str(tmp_path / "none.duckdb"), "PSEUDONYM_KEY": KEY.secret.decode()}
    return {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **database}


def test_where_nobody_can_be_asked_nothing_is_done_without_yes(zone: FolderPlace, tmp_path: Path) -> None:
    before = content_of(zone)
    line = command(zone)
    done = subprocess.run(
        line, input="ann@test.com\n", env=settings(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "give --yes" in done.stderr
    assert content_of(zone) == before


def test_people_are_let_in_again_by_the_standard_input(zone: FolderPlace, tmp_path: Path) -> None:
    with landed_zone(zone.location, print) as held:
        suppress(held.folder, {"ann@test.com": (), "bob@test.com": ()}, KEY)
    line = command(zone, "--allow-again")
    given = "Ann@test.com\ncyd@test.com\n"
    done = subprocess.run(line, input=given, env=settings(tmp_path), capture_output=True, text=True, check=True)
    assert "1 of 2 were on the list" in done.stdout
    assert "move it out of its source, make run FORGET_VANISHED=1" in done.stdout
    listed = read_suppressions(open_folder(zone.location), [KEY])
    assert listed is not None
    assert ("ann@test.com" in listed, "bob@test.com" in listed) == (False, True)


def on_a_terminal(
    line: list[str], answers: list[tuple[str, str | signal.Signals]], env: dict[str, str]
) -> tuple[int, str]:
    """Runs a command on a terminal: gives each answer, or sends a signal, when its question has come.

    A signal that comes between a question and the reading of its answer is noticed with the next key only: whoever sees
    nothing happen presses Ctrl-C once more.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(line, stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=PROJECT_DIR)
    os.close(theirs)
    said, read_to = "", 0
    sent: signal.Signals | None = None
    silent = 0
    while True:
        if answers and (at := said.find(answers[0][0], read_to)) >= 0:
            read_to = at + len(answers[0][0])
            answer = answers.pop(0)[1]
            if isinstance(answer, str):
                os.write(ours, answer.encode())
            else:
                process.send_signal(sent := answer)
        try:
            if not select.select([ours], [], [], 25)[0]:
                silent += 1
                if silent < 4:
                    if sent is not None:
                        process.send_signal(sent)
                    continue
                process.kill()
                process.wait()
                pytest.fail(f"it says nothing more: {said}")
            more = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side has closed
            break
        if not more:
            break
        said += more.decode()
    os.close(ours)
    return process.wait(), said


def test_on_a_terminal_it_asks_for_the_address_and_whether_it_is_meant(zone: FolderPlace, tmp_path: Path) -> None:
    before = content_of(zone)
    answers: list[tuple[str, str | signal.Signals]] = [("e-mail address", "ann@test.com\n"), ("and for good?", "n\n")]
    code, said = on_a_terminal(command(zone), answers, settings(tmp_path))
    assert answers == [], said
    assert code == 2, said
    assert "nothing was erased" in said
    assert content_of(zone) == before


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ("\x04", 2, "nothing was erased"),  # Ctrl-D ends the input
        (signal.SIGINT, 130, "stopped. What was erased stays erased."),
    ],
)
def test_who_answers_nothing_has_erased_nobody(
    zone: FolderPlace, tmp_path: Path, answer: str | signal.Signals, code: int, said: str
) -> None:
    before = content_of(zone)
    ended, printed = on_a_terminal(command(zone), [("e-mail address", answer)], settings(tmp_path))
    assert (ended, said in printed) == (code, True), printed
    assert "Traceback" not in printed
    assert content_of(zone) == before
