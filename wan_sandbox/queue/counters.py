"""The counters of a sandbox since its start: the facts that tests assert on."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    """Calls and events. ``submits_accepted`` is the number of jobs that would have been paid for.

    Attributes:
        submits_received: Submits that reached the server, accepted or not.
        submits_accepted: Jobs accepted.
        status_calls: Calls for a status.
        result_calls: Calls for a result.
        cancel_calls: Calls to cancel.
        model_calls: Calls for the catalogue or an entry of it.
        jobs_succeeded: Jobs that ended with a picture.
        jobs_failed: Jobs that ended without one.
        jobs_cancelled: Jobs that were cancelled.
        outputs_served: Downloads of an output that were answered with the picture.
        output_calls: Downloads of an output that were asked for.
        inputs_fetched: Pictures fetched from URLs.
        redirects_followed: Calls to the addresses that redirecting faults point to.
        faults: Call faults that struck.
        queue_peak: Longest queue.
        tokens_leaked: Downloads that carried a token, which only calls of the API may.
    """

    submits_received: int = 0
    submits_accepted: int = 0
    status_calls: int = 0
    result_calls: int = 0
    cancel_calls: int = 0
    model_calls: int = 0
    jobs_succeeded: int = 0
    jobs_failed: int = 0
    jobs_cancelled: int = 0
    outputs_served: int = 0
    output_calls: int = 0
    inputs_fetched: int = 0
    redirects_followed: int = 0
    faults: int = 0
    queue_peak: int = 0
    tokens_leaked: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return all counters by name."""
        return asdict(self)
