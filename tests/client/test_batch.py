"""Many edits from one list: every row paid once, whatever interrupts the batch.

Each test counts the runs that the server accepted.
"""

from __future__ import annotations

import base64
import csv
import errno
import io
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import main_thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.support import until
from wan_client import Backend, InvalidRequest, Settings, SettingsError, Timeouts, WanClient
from wan_client.cli.batch import MANIFEST, Batch, Manifest, _lock
from wan_client.cli.batch_source import COLUMNS, read

from .support import TOKEN, names, noise, picture
from .test_cli import Shell, wait_for

if TYPE_CHECKING:
    from wan_client.cli.batch_source import BatchRow

    from .conftest import Serve


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurry: None) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def lines(folder: Path, *rows: dict[str, Any]) -> str:
    (folder / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return "jobs.jsonl"


def rows(count: int) -> list[dict[str, Any]]:
    return [{"prompt": "sketch", "image_1": "cat.png", "seed": seed, "out": f"{seed}.png"} for seed in range(count)]


def noted(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "outputs" / MANIFEST).read_text("utf-8").splitlines()]


# ---------------------------------------------------------------- lists


def test_a_table_with_every_column(serve: Serve, shell: Shell) -> None:
    sandbox = serve(price=0.03)
    with (shell.folder / "jobs.csv").open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerow(["two\nlines, 그리고", "cat.png", "cat.png", "", "blur", "16:9", "7", "no", "sub/first"])
        table.writerow(["second", "cat.png"])
    code, out, err = shell.at(sandbox).run("batch", "jobs.csv", "-n", "1")
    assert code == 0
    first, second = out.splitlines()
    assert first == "outputs/sub/first.png"
    assert (shell.folder / second).is_file()
    assert "2 rows: 0 done already, 0 to fetch, 2 to send. To send them costs $0.06" in err
    assert "Done 2 of 2" in err
    sending, accepted, fetched = [note for note in noted(shell.folder) if note["name"] == "jobs.csv:2"]
    assert (sending["state"], accepted["state"]) == ("sending", "accepted")
    assert fetched["row"]["prompt"] == "two\nlines, 그리고"
    assert (fetched["state"], fetched["paths"], fetched["cost"]) == ("fetched", ["sub/first.png"], 0.03)
    assert fetched["request_id"] == accepted["request_id"]


def test_a_folder_with_one_prompt(serve: Serve, shell: Shell) -> None:
    sandbox = serve(workers=4)
    folder = shell.folder / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png", "same.png", "same.jpg", ".hidden.png", "notes.txt"):
        (folder / name).write_bytes(picture(kind="JPEG" if name.endswith("jpg") else "PNG"))
    assert shell.at(sandbox).run("batch", "photos")[0] == 65
    code, out, _ = shell.run("batch", "photos", "-p", "sketch", "--image-size", "16:9", "--out-dir", "done")
    assert code == 0
    assert sorted(out.split()) == ["done/a.png", "done/b.png", "done/same_jpg.png", "done/same_png.png"]
    assert sandbox.counters.submits_accepted == 4


def test_pictures_are_looked_for_beside_the_list(serve: Serve, shell: Shell) -> None:
    (shell.folder / "lists").mkdir()
    (shell.folder / "lists" / "dog.png").write_bytes(picture())
    lines(shell.folder / "lists", {"prompt": "sketch", "image_1": "dog.png"})
    assert shell.at(serve()).run("batch", "lists/jobs.jsonl")[0] == 0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"image_1": "cat.png"}, "no prompt"),
        ({"prompt": "x"}, "no picture"),
        ({"prompt": "x", "image_1": "no-such.png"}, "no-such.png"),
        ({"prompt": "x", "image_1": "notes.txt"}, "can't be read as a picture"),
        ({"prompt": "x", "image_1": "ftp://a/b.png"}, "can't be opened"),
        ({"prompt": "x", "image_1": "http://example.com/b.png"}, "address"),
        ({"prompt": "x", "image_1": ["cat.png"]}, "must be text"),
        ({"prompt": "x", "image_2": "cat.png"}, "no image 1"),
        ({"prompt": "x", "image_1": "cat.png", "seed": "many"}, "seed"),
        ({"prompt": "x", "image_1": "cat.png", "image_size": "5:4"}, "5:4"),
        ({"prompt": "x", "image_1": "cat.png", "prompt_extend": "maybe"}, "maybe"),
        ({"prompt": "x", "image_1": "cat.png", "colour": "red"}, "colour"),
        ({"prompt": "x", "image_1": "cat.png", "out": "../out.png"}, "outside"),
        ({"prompt": "x", "image_1": "cat.png", "out": "ok.jpg"}, "another row"),
        ({"prompt": "x", "image_1": "cat.png", "out": "OK.png"}, "another row"),
        ({"prompt": "x", "image_1": "cat.png", "out": "sub/../ok.png"}, "another row"),
        ({"prompt": "x", "image_1": "cat.png", "out": "ok.png/more.png"}, "needs a folder"),
        ({"prompt": "x", "image_1": "cat.png", "out": "x" * 300}, "can have the name"),
        ({"prompt": "x", "image_1": "cat.png", "out": "a\0b.png"}, "no character"),
        ({"prompt": "x", "image_1": "cat.png", "out": "\ud800.png"}, "no character"),
        ({"prompt": "x", "image_1": "\ud800.png"}, "no character"),
        ({"prompt": "x", "image_1": "https://example.com/\udcff.png"}, "no character"),
        ({"prompt": "a\0b", "image_1": "cat.png"}, "no character"),
        ({"prompt": "x" * 200_000, "image_1": "cat.png"}, "200,000 characters"),
        ({"prompt": "x", "image_1": "cat.png", "seed": "9" * 5000}, "seed"),
        ({"prompt": "x", "image_1": "cat.png", "prompt_extend": []}, "prompt_extend"),
    ],
)
def test_a_bad_row_is_told_by_its_line_before_anything_is_sent(
    serve: Serve, shell: Shell, row: dict[str, Any], words: str
) -> None:
    sandbox = serve()
    (shell.folder / "notes.txt").write_text("no picture")
    listed = lines(shell.folder, {"prompt": "good", "image_1": "cat.png", "out": "ok.png"}, row)
    code, out, err = shell.at(sandbox).run("batch", listed)
    assert (code, out) == (65, "")
    told = next(line for line in err.splitlines() if line.startswith(("jobs.jsonl:2: ", "jobs.jsonl:1: ")))
    assert words in told
    assert len(told) < 400
    assert "1 of 2 rows" in err
    code, error = shell.json("batch", listed)
    assert (code, error["code"], [bad["name"] for bad in error["rows"]]) == (65, "rows_bad", [told.split(": ")[0]])
    assert sandbox.counters.submits_received == 0


def test_a_result_never_overwrites_its_source(serve: Serve, shell: Shell) -> None:
    code, _, err = shell.at(serve()).run("batch", ".", "-p", "sketch", "--out-dir", ".")
    assert code == 65
    assert "overwrite" in err


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("jobs.csv", b""),
        ("jobs.csv", b"prompt,image_1\n"),
        ("jobs.jsonl", b"\n"),
        ("jobs.csv", b"prompt,image_1\nx,cat.png,extra\n"),
        ("jobs.jsonl", b"no json\n"),
        ("jobs.jsonl", b"[1]\n"),
        ("jobs.jsonl", b"\xff\xfe"),
        ("jobs.csv", b"prompt,image_1,prompt\nx,cat.png,y\n"),
        ("jobs.csv", b'"prompt"x,image_1\nx,cat.png\n'),
        ("jobs.csv", b'prompt,image_1\n"never closed,cat.png\nx,cat.png\n'),
        ("jobs.csv", b'prompt,image_1\n"a" b,cat.png\n'),
        ("jobs.csv", b"prompt,image_1\na\0b,cat.png\n"),
        ("jobs.csv", b"prompt,image_1\na\xef\xbf\xbeb,cat.png\n"),
        ("jobs.csv", b"prompt,image_1\n" + b"x" * 200_000 + b",cat.png\n"),
        ("jobs.csv", b"prompt,image_1,seed\nx,cat.png," + b"9" * 5000 + b"\n"),
        ("jobs.jsonl", b'{"prompt": "x", "prompt": "y", "image_1": "cat.png"}\n'),
    ],
)
def test_a_list_that_is_none_is_told(serve: Serve, shell: Shell, name: str, data: bytes) -> None:
    sandbox = serve()
    (shell.folder / name).write_bytes(data)
    code, out, err = shell.at(sandbox).run("batch", name)
    assert (code, out) == (65, "")
    assert len(err) < 1000
    assert sandbox.counters.submits_received == 0


def test_a_list_that_is_not_there_has_its_exit_code(serve: Serve, shell: Shell) -> None:
    os.mkfifo(shell.folder / "pipe.csv")
    for name in ("gone.csv", "pipe.csv"):
        code, error = shell.at(serve()).json("batch", name)
        assert (code, error["code"]) == (66, "batch_missing")


def listed(folder: Path, name: str, data: bytes) -> list[BatchRow]:
    (folder / "cat.png").write_bytes(picture())
    (folder / name).write_bytes(data)
    return read(folder / name, folder / "outputs", {})


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\v", "\f", "\x85", "\x1c", "\n", "\r\n", "\r", '""'])
def test_any_character_inside_a_cell_stays_there(tmp_path: Path, inside: str) -> None:
    data = f'prompt,image_1,seed\r\n"one{inside}two",cat.png,1\r\nthree,cat.png,2\r\n'.encode()
    first, second = listed(tmp_path, "jobs.csv", data)
    expected = inside.replace("\r\n", "\n").replace("\r", "\n").replace('""', '"')
    assert (first.request.prompt, first.request.seed) == (f"one{expected}two", 1)
    assert (second.request.prompt, second.request.seed) == ("three", 2)


@pytest.mark.parametrize(
    "table",
    [
        "prompt,image_1,seed\nsketch,cat.png,5\n",
        "\ufeffprompt,image_1,seed\nsketch,cat.png,5",
        "sep=;\nprompt;image_1;seed\nsketch;cat.png;5\n",
        '\ufeff"sep=,"\r\nprompt,image_1,seed\r\nsketch,cat.png,5\r\n',
        "sep=|\nprompt|image_1|seed\nsketch|cat.png|5\n",
        "\n \nprompt,image_1,seed\n\n,,\n , ,\t\nsketch,cat.png,5\n\n",
        "prompt,image_1,seed,,\nsketch,cat.png,5,,\n,,,,\n",
        "prompt\timage_1\tseed\nsketch\tcat.png\t5\t\t\n",
        "prompt,image_1,seed\rsketch,cat.png,5\r",
        'prompt,image_1,seed\n"sketch","cat.png","5"',
    ],
)
def test_every_dialect_of_a_table_is_read(tmp_path: Path, table: str) -> None:
    (row,) = listed(tmp_path, "jobs.csv", table.encode())
    assert (row.request.prompt, row.request.seed) == ("sketch", 5)


def test_a_row_is_named_by_its_line_whatever_is_before_it(tmp_path: Path) -> None:
    table = '\nsep=;\nprompt;image_1\n\n"one\ntwo";cat.png\n;\nthree;cat.png\n'
    assert [row.name for row in listed(tmp_path, "jobs.csv", table.encode())] == ["jobs.csv:5", "jobs.csv:8"]


def test_a_picture_inside_a_cell_may_be_large(tmp_path: Path) -> None:
    data = base64.b64encode(saved_noise()).decode()
    (row,) = listed(tmp_path, "jobs.csv", f'prompt,image_1\nsketch,"data:image/png;base64,{data}"\n'.encode())
    assert len(str(row.request.images[0])) > 131_072


def saved_noise() -> bytes:
    buffer = io.BytesIO()
    noise(500, 500).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_names_that_are_no_text_are_rows_like_others(serve: Serve, shell: Shell) -> None:
    photos = shell.folder / "photos"
    photos.mkdir()
    for name in (b"a\xff.png", b"a\xfe.png", b"b.png"):
        (photos / os.fsdecode(name)).write_bytes(picture())
    sandbox = serve(workers=4)
    code, out, _ = shell.at(sandbox).spawn("batch", "photos", "-p", "sketch")
    assert (code, sorted(out.split())) == (0, ["outputs/a%FE.png", "outputs/a%FF.png", "outputs/b.png"])
    assert shell.spawn("batch", "photos", "-p", "sketch")[:2] == (0, "")
    assert sandbox.counters.submits_accepted == 3
    assert next(note["row"]["image_1"] for note in noted(shell.folder) if note["name"] == "a%FF.png") == "a\udcff.png"


def test_names_that_differ_in_case_alone_get_results_of_their_own(tmp_path: Path) -> None:
    for name in ("a.png", "A.png", "a.jpg", "b.png"):
        (tmp_path / name).write_bytes(picture())
    outs = [row.out.name.casefold() for row in read(tmp_path, tmp_path / "out", {"prompt": "x"}) if row.out]
    assert len(set(outs)) == 4
    assert "b.png" in outs


@pytest.mark.parametrize("link", ["symbolic", "hard", "folder", "case", "other row"])
def test_no_result_is_written_over_any_rows_source(tmp_path: Path, link: str) -> None:
    folder = tmp_path / "outputs"
    folder.mkdir()
    (tmp_path / "cat.png").write_bytes(picture())
    (tmp_path / "dog.png").write_bytes(picture())
    rows = [{"prompt": "x", "image_1": "dog.png"}, {"prompt": "x", "image_1": "cat.png", "out": "new.png"}]
    if link == "symbolic":
        (folder / "new.png").symlink_to(tmp_path / "dog.png")
    elif link == "hard":
        os.link(tmp_path / "dog.png", folder / "new.png")
    elif link == "folder":
        folder.rmdir()
        folder.symlink_to(tmp_path)
        rows[1]["out"] = "dog.png"
    elif link == "case":
        folder = tmp_path
        rows[1]["out"] = "DOG.jpg"
    else:
        folder = tmp_path
        rows[1]["out"] = "x/../dog.png"
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InvalidRequest) as caught:
        read(tmp_path / "jobs.jsonl", folder, {})
    problems = caught.value.values["problems"]
    assert isinstance(problems, list)
    code = "row_out_outside" if link == "symbolic" else "row_out_is_source"
    assert [(name, problem.code) for name, problem in problems] == [("jobs.jsonl:2", code)]


def test_a_folders_results_replace_nothing_that_is_there(serve: Serve, shell: Shell) -> None:
    (shell.folder / "photos").mkdir()
    (shell.folder / "photos" / "cat.png").write_bytes(picture())
    shell.at(serve()).run("batch", "photos", "-p", "sketch")
    first = (shell.folder / "outputs" / "cat.png").read_bytes()
    code, out, _ = shell.run("batch", "photos", "-p", "oil painting", "--image-size", "16:9")
    assert (code, out) == (0, "outputs/cat_2.png\n")
    assert (shell.folder / "outputs" / "cat.png").read_bytes() == first


def test_a_dry_run_writes_nothing(serve: Serve, shell: Shell) -> None:
    lines(shell.folder, *rows(2))
    before = sorted(shell.folder.rglob("*"))
    code, _, err = shell.at(serve(price=0.03)).run("batch", "jobs.jsonl", "--dry-run")
    assert code == 0
    assert "2 to send" in err
    assert sorted(shell.folder.rglob("*")) == before
    shell.run("batch", "jobs.jsonl")
    held = {path: path.read_bytes() for path in shell.folder.rglob("*") if path.is_file()}
    assert "2 done already" in shell.run("batch", "jobs.jsonl", "--dry-run")[2]
    assert {path: path.read_bytes() for path in shell.folder.rglob("*") if path.is_file()} == held


# ---------------------------------------------------------------- run again


def test_run_again_it_does_only_what_is_missing(serve: Serve, shell: Shell) -> None:
    sandbox = serve("failed-text*1")
    listed = lines(shell.folder, *rows(3))
    code, out, _ = shell.at(sandbox).run("batch", listed, "-n", "1")
    assert (code, len(out.split())) == (1, 2)
    assert shell.run("batch", listed)[:2] == (0, "outputs/0.png\n")
    # A row that moved is still the same row, and a new one is new.
    listed = lines(shell.folder, *reversed(rows(4)))
    assert shell.run("batch", listed)[:2] == (0, "outputs/3.png\n")
    assert shell.run("batch", listed)[:2] == (0, "")
    assert sandbox.counters.submits_accepted == 5


def test_the_same_row_twice_is_two_pictures(serve: Serve, shell: Shell) -> None:
    sandbox = serve()
    row = {"prompt": "sketch", "image_1": "cat.png"}
    for expected in (2, 0):
        code, out, _ = shell.at(sandbox).run("batch", lines(shell.folder, row, row))
        assert (code, len(set(out.split()))) == (0, expected)
    assert sandbox.counters.submits_accepted == 2


def test_a_picture_that_was_removed_is_fetched_again_for_nothing(serve: Serve, shell: Shell) -> None:
    sandbox = serve()
    listed = lines(shell.folder, *rows(1))
    shell.at(sandbox).run("batch", listed)
    (shell.folder / "outputs" / "0.png").unlink()
    assert shell.run("batch", listed)[:2] == (0, "outputs/0.png\n")
    assert sandbox.counters.submits_accepted == 1


@pytest.mark.slow
def test_past_the_deadline_the_next_call_fetches_what_was_paid(serve: Serve, shell: Shell) -> None:
    sandbox = serve(run_time=(1.5, 1.5), speed=1, warm_up=0, workers=3)
    listed = lines(shell.folder, *rows(2))
    assert shell.at(sandbox, WAN_DEADLINE="1").run("batch", listed)[:2] == (75, "")
    code, out, err = shell.at(sandbox).run("batch", listed)
    assert (code, sorted(out.split())) == (0, ["outputs/0.png", "outputs/1.png"])
    assert "2 to fetch, 0 to send" in err
    assert sandbox.counters.submits_accepted == 2


def test_what_may_have_been_paid_is_left_alone_until_asked_for(serve: Serve, shell: Shell) -> None:
    sandbox = serve("accepted-html-502*1")
    listed = lines(shell.folder, *rows(2))
    assert shell.at(sandbox).run("batch", listed, "-n", "1")[0] == 75
    code, out, err = shell.run("batch", listed)
    assert (code, out) == (75, "")
    assert "jobs.jsonl:1 is left alone" in err
    assert "--again" in err
    assert sandbox.counters.submits_accepted == 2
    assert shell.run("batch", listed, "--again")[:2] == (0, "outputs/0.png\n")
    assert sandbox.counters.submits_accepted == 3


def test_what_would_fail_every_row_stops_the_batch(serve: Serve, shell: Shell) -> None:
    sandbox = serve("submit-no-balance@1")
    listed = lines(shell.folder, *rows(5))
    code, told = shell.at(sandbox).json("batch", listed, "-n", "1")
    assert (code, told["stopped"], told["fetched"], told["not_sent"]) == (77, "balance", 1, 3)
    assert sandbox.counters.submits_received == 2


def test_a_dry_run_sends_nothing(serve: Serve, shell: Shell) -> None:
    sandbox = serve(price=0.03)
    code, out, err = shell.at(sandbox).run("batch", lines(shell.folder, *rows(2)), "--dry-run")
    assert (code, out) == (0, "")
    assert "$0.06" in err
    assert sandbox.counters.submits_received == 0


def test_what_one_engine_drew_counts_for_nothing_with_another(serve: Serve, shell: Shell) -> None:
    sandbox = serve()
    listed = lines(shell.folder, *rows(1))
    shell.at(sandbox, WAN_BACKEND="sandbox").run("batch", listed)
    assert shell.at(sandbox, WAN_BACKEND="runcomfy").run("batch", listed)[:2] == (0, "outputs/0.png\n")
    assert sandbox.counters.submits_accepted == 2


def test_json_tells_every_row(serve: Serve, shell: Shell) -> None:
    code, told = shell.at(serve("moderation-text*1", price=0.03)).json("batch", lines(shell.folder, *rows(2)), "-n1")
    assert (code, told["total"], told["fetched"], told["held"], told["cost"]) == (1, 2, 1, 1, 0.03)
    first, second = told["rows"]
    assert (first["state"], first["error"]["code"]) == ("held", "moderation")
    assert (second["state"], second["paths"]) == ("fetched", ["1.png"])
    assert told["manifest"] == f"outputs/{MANIFEST}"


# ---------------------------------------------------------------- interruptions, as processes of their own


@pytest.mark.slow
def test_killed_on_the_way_nothing_is_paid_twice(serve: Serve, shell: Shell) -> None:
    sandbox = serve(run_time=(30, 30), workers=9)
    listed = lines(shell.folder, *rows(5))
    with shell.at(sandbox).start("batch", listed, "-n", "3") as process:
        until(lambda: noted_whole(shell.folder).count("accepted") == 3)
        process.kill()
    assert sandbox.counters.submits_accepted == 3
    with (shell.folder / "outputs" / MANIFEST).open("ab") as file:
        file.write(b'{"key": "torn')
    code, out, _ = shell.run("batch", listed, "-n", "5")
    assert (code, len(out.split())) == (0, 5)
    assert sandbox.counters.submits_accepted == 5
    assert names(shell.folder / "outputs") == [*(f"{n}.png" for n in range(5)), MANIFEST]


def noted_whole(folder: Path) -> list[str]:
    """The states in the manifest, as far as its lines are whole."""
    file = folder / "outputs" / MANIFEST
    text = file.read_text("utf-8") if file.exists() else ""
    return [json.loads(line)["state"] for line in text.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.slow
@pytest.mark.parametrize("journal", [True, False])
def test_killed_as_the_answer_is_on_its_way_the_row_is_left_alone(serve: Serve, shell: Shell, journal: bool) -> None:
    sandbox = serve("accepted-hang*1", workers=4)
    if not journal:
        shell.env["XDG_STATE_HOME"] = str(shell.folder / "cat.png")
    listed = lines(shell.folder, *rows(2))
    with shell.at(sandbox).start("batch", listed, "-n", "1") as process:
        until(lambda: sandbox.counters.submits_accepted > 0)
        process.kill()
    assert noted_whole(shell.folder) == ["sending"]
    code, told = shell.json("batch", listed)
    assert (code, told["fetched"], told["held"]) == (75, 1, 1)
    assert told["rows"][0]["error"]["code"] == "unknown_outcome"
    assert sandbox.counters.submits_accepted == 2
    code, told = shell.json("batch", listed)
    assert (code, told["held"], sandbox.counters.submits_accepted) == (75, 1, 2)
    assert shell.run("batch", listed, "--again")[:2] == (0, "outputs/0.png\n")


@pytest.mark.slow
@pytest.mark.parametrize(("notes", "stopped", "accepted"), [(3, "folder_not_writable", 1), (4, "not_writable", 2)])
def test_where_nothing_can_be_noted_nothing_is_sent(  # noqa: PLR0917
    serve: Serve, shell: Shell, monkeypatch: pytest.MonkeyPatch, notes: int, stopped: str, accepted: int
) -> None:
    """As on a disk that is full, or fills up while the batch is at work."""
    sandbox = serve()
    listed = lines(shell.folder, *rows(8))
    left, fsync = notes, os.fsync

    def full(number: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "no space left")
        fsync(number)

    with monkeypatch.context() as patched:
        patched.setattr("wan_client.cli.batch.os.fsync", full)
        code, told = shell.at(sandbox).json("batch", listed, "-n", "1")
        assert (code, told["stopped"], sandbox.counters.submits_accepted) == (73, stopped, accepted)
        code, told = shell.json("batch", listed, "-n", "1")
        assert (code, sandbox.counters.submits_accepted) == (73, accepted)
    assert shell.json("batch", listed)[1]["fetched"] == 8
    assert sandbox.counters.submits_accepted == 8


def test_the_check_before_paying_writes_real_bytes(serve: Serve, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = serve()

    class Full(io.BytesIO):
        def write(self, _data: Any) -> int:
            raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("wan_client.outputs.tempfile.TemporaryFile", lambda **options: Full())
    assert shell.at(sandbox).run("batch", lines(shell.folder, *rows(1)))[0] == 73
    assert shell.run("sketch", "cat.png")[0] == 73
    assert sandbox.counters.submits_received == 0


NONSENSE = [
    {"state": "lost"}, {"state": None}, {"state": ["accepted"]}, {"request_id": "../../x"}, {"request_id": 5},
    {"paths": 5, "state": "fetched"}, {"paths": [5], "state": "fetched"}, {"paths": ["a\0b"], "state": "fetched"},
    {"cost": "much", "state": "fetched"}, {"cost": 1e999}, {"cost": [1]}, {"error": "text", "state": "held"},
    {"key": None, "state": "held"},
]  # fmt: skip


def test_a_tampered_manifest_costs_a_warning_and_never_a_run(
    serve: Serve, shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = serve()
    listed = lines(shell.folder, *rows(2))
    assert shell.at(sandbox).run("batch", listed)[0] == 0
    manifest = shell.folder / "outputs" / MANIFEST
    last = json.loads(manifest.read_text("utf-8").splitlines()[-1])
    with manifest.open("ab") as file:
        for change in NONSENSE:
            file.write(json.dumps(last | change).encode() + b"\n")
        file.write(b"\xff\xfe\n[1]\n" + b"[" * 100_000 + b"\n" + b'{"a": ' + b"9" * 5000 + b"}\n\n")
    code, told = shell.json("batch", listed)
    assert (code, told["fetched"], sandbox.counters.submits_accepted) == (0, 2, 2)
    assert len(caplog.records) == 1


def test_what_a_failed_row_cost_is_counted(serve: Serve, shell: Shell) -> None:
    code, told = shell.at(serve("failed-text*1", price=0.03)).json("batch", lines(shell.folder, *rows(1)))
    assert (code, told["cost"], told["rows"][0]["cost"]) == (1, told["rows"][0]["error"]["cost"], told["cost"])


@pytest.mark.slow
def test_ctrl_c_is_bounded_and_says_what_came_of_each(serve: Serve, shell: Shell) -> None:
    sandbox = serve("never-ends*1", "never-starts@1", warm_up=0)
    listed = lines(shell.folder, *rows(4))
    with shell.at(sandbox).start("batch", listed, "-n", "2", "--json") as process:
        until(lambda: noted_whole(shell.folder).count("accepted") == 2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    told = json.loads(out)
    assert told["interrupted"]
    assert (told["accepted"], told["not_sent"]) == (1, 3)
    assert sorted(row["state"] for row in told["rows"]) == ["accepted", "cancelled", "open", "open"]
    assert sandbox.counters.jobs_cancelled == 1


@pytest.mark.slow
def test_ctrl_c_while_an_answer_hangs_is_bounded_and_leaves_the_row_alone(serve: Serve, shell: Shell) -> None:
    sandbox = serve("accepted-hang")
    listed_rows = read(Path(lines(shell.folder, *rows(1))), Path("outputs"), {})
    settings = Settings(Backend.RUNCOMFY, sandbox.url, TOKEN, timeouts=Timeouts(submit=3600, cancel=0.5))

    def interrupt() -> None:
        until(lambda: sandbox.counters.submits_accepted > 0)
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)

    with Manifest(Path("outputs"), Backend.RUNCOMFY) as manifest, ThreadPoolExecutor() as thread:
        batch = Batch(listed_rows, manifest)
        thread.submit(interrupt)
        with pytest.raises(KeyboardInterrupt), WanClient(settings, folder=".") as client:
            client.call(batch.run)
    assert batch.count() == {"held": 1}
    code, _, err = shell.at(sandbox).run("batch", "jobs.jsonl")
    assert (code, sandbox.counters.submits_accepted) == (75, 1)
    assert "left alone" in err


@pytest.mark.slow
def test_two_batches_do_not_share_a_folder(serve: Serve, shell: Shell) -> None:
    sandbox = serve("never-starts")
    listed = lines(shell.folder, *rows(1))
    with shell.at(sandbox).start("batch", listed) as process:
        wait_for("to send", process)
        until(lambda: sandbox.counters.submits_accepted > 0)
        code, told = shell.json("batch", listed)
        process.kill()
    assert (code, told["code"]) == (64, "batch_busy")
    assert sandbox.counters.submits_accepted == 1


def test_on_windows_too_one_batch_keeps_others_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the one call of that system put in place: what it locks is far behind all that is ever written."""
    locked: list[tuple[int, int]] = []

    def locking(number: int, mode: int, length: int) -> None:
        place = os.lseek(number, 0, os.SEEK_CUR)
        if (place, length) in locked:
            raise PermissionError
        locked.append((place, length))

    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    with Manifest(tmp_path, Backend.SANDBOX) as here:
        monkeypatch.setattr("wan_client.cli.batch.sys", SimpleNamespace(platform="win32"))
        first, second = (here.path.open("a+b") for _ in range(2))
        with first, second:
            _lock(first, tmp_path)
            with pytest.raises(SettingsError) as caught:
                _lock(second, tmp_path)
    assert caught.value.code == "batch_busy"
    assert locked == [(1 << 30, 1)]
