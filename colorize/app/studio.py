"""All that the page works with: its folders, jobs, uploads and queue."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from colorize.app.drafts import Kept
from colorize.app.error import PageError
from colorize.app.footage import Footage
from colorize.app.jobs import Job, Jobs, references_of
from colorize.app.live import Live
from colorize.app.painting import Painting
from colorize.app.process import Worker
from colorize.app.queue import Queue, Ticket, Works
from colorize.app.roots import Roots
from colorize.app.uploads import Limits, Uploads
from colorize.app.views import Views
from colorize.app.weights import refuses_references, weights_file
from colorize.base.devices import choose_device
from colorize.base.files import write_atomically


class Studio:
    """The page's state. All of it that must outlive the server lies in ``work``.

    ``roots`` are the folders that users may choose from, by name; ``devices`` those that do the
    work, the first being the default.
    """

    def __init__(
        self,
        *,
        work: Path,
        roots: Mapping[str, Path],
        limits: Limits | None = None,
        devices: Sequence[str] = ("cpu",),
        make_worker: Callable[[], Works] = Worker,
    ) -> None:
        work.mkdir(parents=True, exist_ok=True)
        for device in devices:
            choose_device(device)
        self.work = work.resolve()
        self.roots = Roots(roots, private=(work.absolute(), self.work))
        self.uploads = Uploads(limits or Limits())
        self.jobs = Jobs(self.work / "jobs")
        self.queue = Queue(devices, make_worker)
        self.views, self.footage = Views(self.roots), Footage()
        self.live, self._kept = Live(make_worker, device=devices[0]), Kept()
        self._tickets: dict[str, Ticket] = {}
        self.screenings: dict[str, Ticket] = {}  # by the folder of the kept pictures

    def resume(self) -> None:
        """Queue the jobs that were waiting or running when the server ended."""
        for job in reversed(self.jobs.all()):
            if job.state == "waiting":
                try:
                    self.start(job, plan_only=False)
                except (ValueError, OSError) as error:
                    self._settle(job, "failed", str(error))

    def close(self) -> None:
        """End all work; unfinished jobs go on when the page is started again."""
        self.live.close()
        self.queue.close()

    def painting(self, job: Job) -> Painting:
        """Return what is painted in a job."""
        return Painting(
            job, roots=self.roots, live=self.live, kept=self._kept, uploads=self.uploads
        )

    def ticket(self, job: Job) -> Ticket | None:
        """Return what the queue does for a job, or did last."""
        return self._tickets.get(job.id)

    def is_active(self, job: Job) -> bool:
        """Return whether a job waits or runs."""
        ticket = self.ticket(job)
        return ticket is not None and not ticket.ended

    def state(self, job: Job) -> str:
        """Return how far a job is: what its ticket or its file says, and whether that holds.

        A job is ``done`` only as long as all that its manifest asks for is there; else it is
        ``changed``: a shot was chosen anew, split or given another reference since.
        """
        ticket = self.ticket(job)
        if ticket is not None and not ticket.ended:
            return ticket.state
        if job.state != "done":
            return job.state
        try:
            view, store = self.views.of(job), job.store(self.roots)
            there = job.output(self.roots).exists() and all(map(store.is_done, view.parts))
        except (ValueError, OSError):  # what is wrong is told where the job is looked at
            return job.state
        return "done" if there else "changed"

    def start(self, job: Job, *, plan_only: bool) -> Ticket:
        """Queue a job; what it has done already is not done again.

        Raises:
            PageError: It is in the queue, has no input, or names no checkpoint.
        """
        return self._submit(
            job, lambda: self._request(job) | {"task": "colour", "plan_only": plan_only}, plan_only
        )

    def suggest(self, job: Job, count: int) -> Ticket:
        """Queue the search for frames to be painted, and for the shots of the job before.

        Raises:
            PageError: See :meth:`start`.
        """
        painting = self.painting(job)

        def request() -> dict[str, Any]:
            painting.checkpoint()
            return self._request(job) | {
                "task": "suggest",
                "count": count,
                "painted": [each.frame for each in painting.store.all()],
                "folder": str(painting.store.folder),
            }

        return self._submit(job, request, True)

    def suggesting(self, job: Job) -> Ticket | None:
        """Return the ticket of the search for frames to be painted, if that was asked for last."""
        ticket = self.ticket(job)
        return ticket if ticket is not None and ticket.request["task"] == "suggest" else None

    def _submit(
        self, job: Job, request: Callable[[], Mapping[str, Any]], plan_only: bool
    ) -> Ticket:
        """Queue work on a job that nobody works on."""
        with job.lock:
            if self.is_active(job):
                raise PageError("the job is at work; stop it first", status=409)
            ticket = self.queue.submit(
                request(),
                device=job.asked.device or self.queue.devices[0],
                on_end=lambda ticket: self._end(job, ticket, plan_only),
            )
            self._tickets[job.id] = ticket
            if not plan_only:
                job.state = "waiting"
            job.message = ""
            job.write()
            return ticket

    def _request(self, job: Job) -> dict[str, Any]:
        """Return what the worker is asked for, whatever it is to do with a job."""
        asked = job.asked
        if not asked.checkpoint:
            raise PageError("choose a model first; colorize-train makes one")
        checkpoint = weights_file(asked.checkpoint, self.roots)
        references = [] if refuses_references(checkpoint) else references_of(job)
        return {
            "source": str(job.input(self.roots)),
            "output": str(job.output(self.roots)),
            "choices": str(job.folder / "choices"),
            "checkpoint": str(checkpoint),
            "settings": asked.values(),
            "references": [str(path) for path in references],
        }

    def _end(self, job: Job, ticket: Ticket, plan_only: bool) -> None:
        state: Any = ticket.state
        if ticket.state == "done":
            job.outputs = ticket.result["outputs"]
            state = "planned" if plan_only else "done"
        if plan_only and job.state != "draft":
            state = job.state  # colourings were drawn anew; what is coloured stays so
        self._settle(job, state, self.roots.hide(ticket.message))

    def _settle(self, job: Job, state: Any, message: str) -> None:
        with job.lock:
            job.state, job.message = state, message
            if job.folder.is_dir():
                job.write()

    def remembered(self, name: str) -> dict[str, Any]:
        """Return settings that were remembered under a name; none if there are none."""
        try:
            content = json.loads((self.work / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def remember(self, name: str, settings: Mapping[str, Any]) -> None:
        """Remember settings for the next visit."""
        text = json.dumps(dict(settings), indent=1, ensure_ascii=False)
        write_atomically(self.work / f"{name}.json", text.encode())
