"""Who waits, who runs, what is remembered and for how long."""

import os
from pathlib import Path

import pytest

from .conftest import Serve
from .support import MODEL, Caller, body, data_uri, picture, took, until

pytestmark = pytest.mark.slow


def positions(caller: Caller, ids: list[str]) -> list[int | None]:
    return [caller.status(request_id).json().get("queue_position") for request_id in ids]


def folder(caller: Caller) -> Path:
    assert caller.sandbox._folder is not None
    return caller.sandbox._folder.path


def test_positions_count_from_one_and_close_up(serve: Serve) -> None:
    caller = serve(run_time=(60, 60), warm_up=0)
    ids = [caller.accepted() for _ in range(5)]
    until(lambda: caller.word(ids[0]) == "in_progress")
    assert positions(caller, ids) == [None, 1, 2, 3, 4]
    caller.cancel(ids[2])
    assert positions(caller, ids) == [None, 1, None, 2, 3]
    assert caller.sandbox.counters.queue_peak == 4


def test_workers_run_jobs_at_the_same_time_in_order(serve: Serve) -> None:
    caller = serve(run_time=(60, 60), warm_up=0, workers=2)
    ids = [caller.accepted() for _ in range(3)]
    until(lambda: caller.word(ids[1]) == "in_progress")
    assert positions(caller, ids) == [None, None, 1]


def test_the_next_one_moves_up_when_a_job_ends(serve: Serve) -> None:
    caller = serve(warm_up=0)
    first, second = caller.accepted(run_time=0.2), caller.accepted(run_time=0.05)
    assert caller.ended(second)["finished_at"] > caller.ended(first)["finished_at"]


def test_a_queue_ahead(serve: Serve) -> None:
    caller = serve(run_time=(60, 60), ahead=3)
    first = caller.accepted()
    assert positions(caller, [first]) == [4]
    assert positions(caller, [first, caller.accepted()]) == [4, 5]


def test_a_queue_ahead_is_worked_off(serve: Serve) -> None:
    caller = serve(run_time=(0.05, 0.05), ahead=3)
    result = caller.ended(caller.accepted())
    assert result["status"] == "succeeded"
    assert took(result) >= 0.2
    assert caller.sandbox.counters.submits_accepted == caller.sandbox.counters.jobs_succeeded == 1


def planned(caller: Caller, request_id: str) -> float:
    """Return the seconds that a job is to run."""
    assert caller.sandbox._server is not None
    job = caller.sandbox._server.api.runs.records.find(request_id)
    assert job is not None
    return job.seconds


def test_the_jobs_that_are_there_can_be_finished_at_once(serve: Serve) -> None:
    caller = serve(run_time=(600, 600), warm_up=1)
    ids = [caller.accepted() for _ in range(2)]
    caller.sandbox.finish_jobs()
    assert [caller.ended(one)["status"] for one in ids] == ["succeeded", "succeeded"]
    later = caller.accepted()
    assert caller.word(later) == "in_queue"


def test_run_times_by_setting_speed_and_header(serve: Serve) -> None:
    caller = serve(run_time=(0.4, 0.4), warm_up=0)
    by_setting, by_header = caller.accepted(), caller.accepted(run_time=0)
    assert (planned(caller, by_setting), planned(caller, by_header)) == (0.4, 0)
    assert took(caller.ended(by_setting)) >= 0.4
    hurried = serve(run_time=(4, 4), speed=40)
    assert planned(hurried, hurried.accepted()) == 0.1


def test_run_times_are_drawn_from_the_seed(serve: Serve) -> None:
    def drawn(seed: int) -> list[float]:
        caller = serve(run_time=(1, 100), seed=seed)
        return [planned(caller, caller.accepted()) for _ in range(3)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_ended_requests_and_their_files_expire(serve: Serve) -> None:
    caller = serve(retention=1.5)
    request_id = caller.accepted()
    result = caller.ended(request_id)
    urls = [result["output"]["image"], *result["input"]["image_urls"]]
    assert [caller.fetch(url).status_code for url in urls] == [200, 200]
    until(lambda: caller.status(request_id).status_code == 404)
    for reply in (caller.result(request_id), caller.cancel(request_id), *map(caller.fetch, urls)):
        assert (reply.status_code, reply.json()["error_code"]) == (404, 404001)
    assert list(folder(caller).iterdir()) == []


def test_waiting_requests_do_not_expire(serve: Serve) -> None:
    caller = serve(retention=0.05, run_time=(1, 1))
    request_id = caller.accepted()
    until(lambda: caller.word(request_id) == "in_progress")
    until(lambda: caller.status(request_id).status_code == 404)
    assert caller.sandbox.counters.jobs_succeeded == 1


def test_jobs_that_never_end_expire_too(serve: Serve) -> None:
    caller = serve(retention=0.1)
    ids = [caller.accepted("never-ends"), caller.accepted("never-starts")]
    for request_id in ids:
        until(lambda: caller.status(request_id).status_code == 404)  # noqa: B023
    assert list(folder(caller).iterdir()) == []


def test_a_cancelled_job_that_never_started_keeps_its_retention(serve: Serve) -> None:
    caller = serve(retention=1)
    request_id = caller.accepted("never-starts")
    caller.cancel(request_id)
    assert caller.word(request_id) == "cancelled"
    until(lambda: caller.status(request_id).status_code == 404)


def test_only_so_many_ended_requests_are_kept(serve: Serve) -> None:
    caller = serve(max_ended=2)
    ids = []
    for _ in range(4):
        ids.append(caller.accepted())
        caller.ended(ids[-1])
    assert [caller.status(request_id).status_code for request_id in ids] == [404, 404, 200, 200]


def test_only_so_many_bytes_are_kept(serve: Serve) -> None:
    caller = serve(max_stored=150_000)
    large = [data_uri(picture(600, 600, "BMP"))]
    first = caller.accepted(image_urls=large)
    caller.ended(first)
    second = caller.accepted(image_urls=large)
    caller.ended(second)
    assert caller.status(first).status_code == 404
    assert caller.status(second).status_code == 200


def test_what_waits_is_never_thrown_away_to_make_room(serve: Serve) -> None:
    caller = serve(max_stored=150_000, run_time=(60, 60))
    request_id = caller.accepted(image_urls=[data_uri(picture(600, 600, "BMP"))])
    reply = caller.submit()
    assert (reply.status_code, reply.json()["error_code"]) == (429, 429001)
    assert reply.headers["retry-after"] == "5"
    assert caller.status(request_id).status_code == 200


def test_the_queue_is_limited(serve: Serve) -> None:
    caller = serve(max_waiting=2, run_time=(60, 60))
    assert [caller.submit().status_code for _ in range(3)] == [200, 200, 429]
    assert caller.sandbox.counters.submits_accepted == 2


def test_a_body_is_limited(serve: Serve) -> None:
    caller = serve(max_body=50_000)
    content = b"x" * 50_001
    for sent in (content, iter([content])):
        reply = caller.http.post(MODEL, content=sent)
        assert (reply.status_code, reply.json()["error_code"]) == (413, 413001)
    assert caller.http.post(MODEL, json=body()).status_code == 200


def test_files_are_deleted_at_the_end(serve: Serve) -> None:
    caller = serve(run_time=(60, 60))
    caller.accepted()
    place = folder(caller)
    assert place.is_dir()
    caller.sandbox.stop()
    assert not place.exists()


def test_what_a_killed_sandbox_left_is_deleted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    running = folder(serve()).parent
    left, strange = tmp_path / "wan-sandbox-left", tmp_path / "wan-sandbox-strange"
    for home in (left, strange):
        home.mkdir()
    (left / "lock").touch()
    for home in (left, strange, running):
        os.utime(home, (0, 0))
    serve()
    assert (left.exists(), strange.exists(), running.exists()) == (False, True, True)


def test_a_kept_job_does_not_hold_its_pictures_in_memory(serve: Serve) -> None:
    caller = serve()
    request_id = caller.accepted()
    server = caller.sandbox._server
    assert server is not None
    job = server.api.runs.records.find(request_id)
    assert job is not None
    assert all(len(uri) < 100 for uri in job.inputs.image_urls)


def test_refused_pictures_leave_no_files(serve: Serve) -> None:
    caller = serve()
    caller.submit(image_urls=[data_uri(), data_uri(picture(100, 100))])
    assert list(folder(caller).iterdir()) == []


def test_hundreds_of_waiting_jobs(serve: Serve) -> None:
    caller = serve(run_time=(60, 60), warm_up=0)
    ids = [caller.accepted() for _ in range(200)]
    until(lambda: caller.word(ids[0]) == "in_progress")
    assert positions(caller, ids) == [None, *range(1, 200)]


@pytest.mark.parametrize("setting", [{"run_time": (2, 1)}, {"workers": 0}, {"speed": 0}, {"token": " "}])
def test_impossible_settings(serve: Serve, setting: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        serve(**setting)
