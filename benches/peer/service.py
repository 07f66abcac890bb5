"""The services of the contract as far as a plugin needs them: AnalyzeStream, CreateSession, GetSession, FinishSession.

Each stream has a bounded queue and one task that has its samples analysed in order on the process's one thread for models, so
that the event loop goes on reading and answering. Sessions live in memory and end with the process.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import grpc
import numpy as np
from bonafide.v1.live_service_pb2_grpc import LiveServiceServicer
from bonafide.v1.session_service_pb2_grpc import SessionServiceServicer

import pictures
import wire
from decisions import Participant, Policy, Score, Segment
from pipeline import Pipeline, TrackState
from wire import live, session, types

T = TypeVar("T")
Reply = live.AnalyzeStreamResponse
CONFIG_PATIENCE_SECS = 10.0
# The same bounds as the server's: bytes and number of samples that may wait on a stream.
MAX_QUEUE_BYTES = 32 * 1024 * 1024
MAX_QUEUE_SAMPLES = 512
INVALID = grpc.StatusCode.INVALID_ARGUMENT


@dataclass(eq=False)
class Track:
    """A track of a session: what was announced, how far it is, and what its pictures showed."""

    info: types.Track
    state: TrackState = field(default_factory=TrackState)
    sequence: int | None = None
    n_dropped: int = 0


@dataclass(eq=False)
class Session:
    """One interview."""

    message: session.Session
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    tracks: dict[str, Track] = field(default_factory=dict)
    participants: dict[str, Participant] = field(default_factory=dict)
    queues: set["SampleQueue"] = field(default_factory=set)
    is_finished: bool = False


@dataclass(eq=False)
class Waiting:
    """A message of the client that waits for its turn, and when it came."""

    message: live.MediaSample | live.TrackUpdate
    n_bytes: int
    came_at: float


class SampleQueue:
    """What waits on one stream; past its bounds the oldest samples go and are counted on their track."""

    def __init__(self, tracks: dict[str, Track]) -> None:
        self._tracks = tracks
        self._waiting: deque[Waiting] = deque()
        self._n_bytes = 0
        self._changed = asyncio.Event()
        self._is_closed = False
        self.is_drained = asyncio.Event()

    def push(self, message: live.MediaSample | live.TrackUpdate) -> None:
        """Adds a message; nothing is added once closed."""
        if self._is_closed:
            return
        n_bytes = len(message.video.data) if isinstance(message, live.MediaSample) else 0
        self._waiting.append(Waiting(message, n_bytes, time.monotonic()))
        self._n_bytes += n_bytes
        while len(self._waiting) > 1 and (self._n_bytes > MAX_QUEUE_BYTES or len(self._waiting) > MAX_QUEUE_SAMPLES):
            oldest = next((each for each in self._waiting if isinstance(each.message, live.MediaSample)), None)
            if oldest is None:
                break
            self._waiting.remove(oldest)
            self._n_bytes -= oldest.n_bytes
            track = self._tracks.get(oldest.message.track_id)
            if track is not None and oldest.message.WhichOneof("payload") == "video":
                track.n_dropped += 1
        self._changed.set()

    def close(self) -> None:
        """Nothing more comes; what waits still has its turn."""
        self._is_closed = True
        self._changed.set()

    async def pop(self) -> Waiting | None:
        """The next message; None once closed and empty."""
        while not self._waiting:
            if self._is_closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        waiting = self._waiting.popleft()
        self._n_bytes -= waiting.n_bytes
        return waiting


class Interviews:
    """All sessions of one process, and the thread that analyses their pictures."""

    def __init__(self, pipeline: Pipeline, policy: Policy, versions: live.Versions) -> None:
        self.pipeline, self.policy, self.versions = pipeline, policy, versions
        self.sessions: dict[str, Session] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="models")

    async def compute(self, step: Callable[..., T], *arguments: object) -> T:
        """Runs a step on the thread that owns the models, in the order of the calls."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, step, *arguments)

    def create(self, name: str, wanted: session.Session) -> Session:
        """A new session."""
        message = session.Session(
            name=name,
            display_name=wanted.display_name,
            external_ref=wanted.external_ref,
            labels=wanted.labels,
            consent_reference=wanted.consent_reference,
            policy=self.policy.name,
            etag="r0",
        )
        message.create_time.GetCurrentTime()
        self.sessions[name] = Session(message)
        return self.sessions[name]

    def take_track(self, interview: Session, info: types.Track) -> None:
        """A track appeared or changed."""
        known = interview.tracks.get(info.track_id)
        if known is None:
            interview.tracks[info.track_id] = Track(info)
        else:
            known.info = info
        if info.kind == types.SOURCE_KIND_CAMERA:
            self.participant(interview, info.participant_id).stream.claim_device(info.device.label)

    def participant(self, interview: Session, name: str) -> Participant:
        """The participant of that name, known or new."""
        return interview.participants.setdefault(name, Participant(self.policy, name))

    def view(self, interview: Session) -> session.Session:
        """A session as its callers see it."""
        view = session.Session()
        view.CopyFrom(interview.message)
        view.state = session.SESSION_STATE_FINISHED if interview.is_finished else session.SESSION_STATE_OPEN
        for name, participant in interview.participants.items():
            if participant.latest is not None:
                made = wire.score(name, participant.latest, self.policy.name)
                view.participants.append(session.Participant(participant_id=name, score=made))
        view.level = wire.worst(each.score for each in view.participants)
        return view

    def pacing(self, track: Track, participant: Participant) -> live.PacingHint:
        """The cadence that the server asks for: everything that comes is analysed, so that this is what bounds the work."""
        sampling = self.policy.numbers["sampling"]
        rate = sampling["track_hz"]["open" if participant.is_open else "clear"]
        return live.PacingHint(track_id=track.info.track_id, frames_per_second=rate, min_height=360)


class LiveService(LiveServiceServicer):
    """AnalyzeStream."""

    def __init__(self, interviews: Interviews) -> None:
        self._interviews = interviews

    async def AnalyzeStream(
        self, requests: AsyncIterator[live.AnalyzeStreamRequest], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[Reply]:
        """Takes samples and answers with scores, segments, pacing and acknowledgements, to the end of the input."""
        interview, config = await self._begin(requests, context)
        queue = SampleQueue(interview.tracks)
        interview.queues.add(queue)
        reading = asyncio.create_task(_read(requests, queue))
        try:
            yield Reply(
                ready=live.StreamReady(
                    session=interview.message.name,
                    resume_token=interview.token,
                    max_message_bytes=wire.MAX_MESSAGE_BYTES,
                    accepted_video_formats=wire.accepted_formats(),
                    resume_from=[
                        live.TrackProgress(track_id=name, sequence=track.sequence)
                        for name, track in interview.tracks.items()
                        if track.sequence is not None
                    ],
                    versions=self._interviews.versions,
                )
            )
            async for reply in self._replies(interview, queue, wire.secs(config.score_interval)):
                yield reply
            is_finished = interview.is_finished
            cause = live.STREAM_END_CAUSE_SESSION_FINISHED if is_finished else live.STREAM_END_CAUSE_INPUT_ENDED
            yield Reply(ended=live.StreamEnded(cause=cause, resume_token=interview.token))
            if reading.done() and (problem := reading.result()) is not None:
                await context.abort(INVALID, problem)
        finally:
            reading.cancel()
            interview.queues.discard(queue)
            queue.is_drained.set()

    async def _begin(
        self, requests: AsyncIterator[live.AnalyzeStreamRequest], context: grpc.aio.ServicerContext
    ) -> tuple[Session, live.StreamConfig]:
        """Reads the config and opens the session that it names."""
        interviews = self._interviews
        try:
            first = await asyncio.wait_for(anext(requests), CONFIG_PATIENCE_SECS)
        except (StopAsyncIteration, TimeoutError):
            await context.abort(INVALID, "config: is not set: send it first")
        config = first.config
        if first.WhichOneof("message") != "config" or not config.session.startswith("sessions/"):
            await context.abort(INVALID, "config: is not the first message, or names no session")
        interview = interviews.sessions.get(config.session)
        if interview is None:
            if not config.create_if_missing:
                await context.abort(grpc.StatusCode.NOT_FOUND, f"{config.session} does not exist")
            if not config.new_session.consent_reference:
                await context.abort(INVALID, "config.new_session.consent_reference: is empty")
            interview = interviews.create(config.session, config.new_session)
        if interview.is_finished:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{config.session} is finished")
        for track in config.tracks:
            interviews.take_track(interview, track)
        for reference in config.reference_images:
            embedding = await interviews.compute(_reference, interviews.pipeline, reference.image)
            if embedding is None:
                await context.abort(INVALID, "config.reference_images.image: shows no face, or is no readable picture")
            interviews.participant(interview, reference.participant_id).identity.reference = embedding
        return interview, config

    async def _replies(self, interview: Session, queue: SampleQueue, interval_secs: float) -> AsyncIterator[Reply]:
        """Has everything that comes analysed in order, and says what follows."""
        told: dict[str, live.PacingHint] = {}
        scored_at: dict[str, float] = {}
        for track in interview.tracks.values():
            if (reply := self._changed_pacing(interview, track, told)) is not None:
                yield reply
        while (waiting := await queue.pop()) is not None:
            if isinstance(waiting.message, live.TrackUpdate):
                self._update_track(interview, waiting.message)
                continue
            sample = waiting.message
            track = interview.tracks.get(sample.track_id)
            media = sample.video if sample.WhichOneof("payload") == "video" else sample.audio
            if track is None:
                yield wire.sample_error(INVALID.value[0], "track_id: was not announced", sample.track_id, media.sequence)
                continue
            if track.sequence is not None and media.sequence <= track.sequence:
                yield wire.sample_error(INVALID.value[0], "sequence: does not go up", sample.track_id, media.sequence)
                continue
            if track.info.kind == types.SOURCE_KIND_CAMERA and sample.WhichOneof("payload") == "video":
                participant = self._interviews.participant(interview, track.info.participant_id)
                try:
                    made, segment = await self._interviews.compute(self._analyse, track, participant, sample.video)
                except pictures.Undecodable as problem:
                    yield wire.sample_error(INVALID.value[0], f"video: {problem}", sample.track_id, media.sequence)
                    made = segment = None
                if made is not None and made.end - scored_at.get(participant.name, float("-inf")) >= interval_secs:
                    scored_at[participant.name] = made.end
                    yield Reply(score=wire.score(participant.name, made, self._interviews.policy.name))
                if segment is not None:
                    yield Reply(segment=wire.segment(interview.message.name, segment))
                if made is not None and (reply := self._changed_pacing(interview, track, told)) is not None:
                    yield reply
            track.sequence = media.sequence
            yield Reply(
                ack=live.Ack(
                    track_id=sample.track_id,
                    sequence=media.sequence,
                    dropped_frames=track.n_dropped,
                    resume_token=interview.token,
                    processing_time=wire.duration(time.monotonic() - waiting.came_at),
                )
            )

    def _analyse(self, track: Track, participant: Participant, frame: types.VideoFrame) -> tuple[Score | None, Segment | None]:
        """One picture from its bytes to what it changes; on the models' thread."""
        layout, kind = frame.layout, frame.format or track.info.video_format
        picture = pictures.decode(frame.data, kind, layout.width, layout.height, frame.rotation_degrees)
        participant.observe(self._interviews.pipeline.analyse(track.state, picture, wire.secs(frame.media_time)))
        return participant.rescore()

    def _update_track(self, interview: Session, update: live.TrackUpdate) -> None:
        if update.WhichOneof("change") == "upsert":
            self._interviews.take_track(interview, update.upsert)
        else:
            interview.tracks.pop(update.remove_track_id, None)

    def _changed_pacing(self, interview: Session, track: Track, told: dict[str, live.PacingHint]) -> Reply | None:
        if track.info.kind != types.SOURCE_KIND_CAMERA:
            return None
        hint = self._interviews.pacing(track, self._interviews.participant(interview, track.info.participant_id))
        if told.get(hint.track_id) == hint:
            return None
        told[hint.track_id] = hint
        return Reply(pacing=hint)


def _reference(pipeline: Pipeline, image: bytes) -> np.ndarray | None:
    try:
        return pipeline.reference(image)
    except pictures.Undecodable:
        return None


async def _read(requests: AsyncIterator[live.AnalyzeStreamRequest], queue: SampleQueue) -> str | None:
    """Puts the client's messages into the queue to the end of its side; gives back how it broke the protocol, if it did."""
    problem = None
    try:
        async for request in requests:
            kind = request.WhichOneof("message")
            if kind == "config":
                problem = "config: was sent twice"
                break
            if kind is not None:
                queue.push(getattr(request, kind))
    finally:
        queue.close()
    return problem


class SessionService(SessionServiceServicer):
    """CreateSession, GetSession and FinishSession."""

    def __init__(self, interviews: Interviews) -> None:
        self._interviews = interviews

    async def CreateSession(
        self, request: session.CreateSessionRequest, context: grpc.aio.ServicerContext
    ) -> session.CreateSessionResponse:
        """Creates a session."""
        name = f"sessions/{request.session_id or secrets.token_hex(8)}"
        if name in self._interviews.sessions:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, f"{name} exists already")
        if not request.session.consent_reference:
            await context.abort(INVALID, "session.consent_reference: is empty")
        return session.CreateSessionResponse(session=self._interviews.view(self._interviews.create(name, request.session)))

    async def GetSession(self, request: session.GetSessionRequest, context: grpc.aio.ServicerContext) -> session.GetSessionResponse:
        """Gets a session of this process."""
        return session.GetSessionResponse(session=self._interviews.view(await self._find(request.name, context)))

    async def FinishSession(
        self, request: session.FinishSessionRequest, context: grpc.aio.ServicerContext
    ) -> session.FinishSessionResponse:
        """Has what was accepted analysed, scores for the last time and ends the session's streams."""
        interview = await self._find(request.name, context)
        if not interview.is_finished:
            interview.is_finished = True
            open_queues = list(interview.queues)
            for queue in open_queues:
                queue.close()
            await asyncio.gather(*(queue.is_drained.wait() for queue in open_queues))
            for participant in interview.participants.values():
                await self._interviews.compute(partial(participant.rescore, is_last=True))
            interview.message.end_time.GetCurrentTime()
        return session.FinishSessionResponse(session=self._interviews.view(interview))

    async def _find(self, name: str, context: grpc.aio.ServicerContext) -> Session:
        interview = self._interviews.sessions.get(name)
        if interview is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"{name} does not exist in this process")
        return interview
