"""An independent client: drives a running server through the whole contract and checks every answer.

    python client.py --address 127.0.0.1:50051 --media clip.mp4

Exits with 1 at the first answer that is not as the contract says, with 2 when it cannot start.
"""

import argparse
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import grpc
from google.protobuf import duration_pb2, field_mask_pb2

import stubs

types, live, live_grpc, session, session_grpc, status_pb2 = stubs.load()

FRAMES_PER_SECOND = 8
SECONDS = 8
PATIENCE_SECS = 120
CONSENT = "consents/python-client"
Cause = live.StreamEndCause


class Failed(Exception):
    """An answer that is not as the contract says."""


def check(holds, what):
    if not holds:
        raise Failed(what)
    print(f"ok: {what}", flush=True)


def frames_of(media):
    """JPEGs of a folder, or of a clip by way of ffmpeg."""
    path = pathlib.Path(media)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in (".jpg", ".jpeg"))
    else:
        if not path.is_file() or shutil.which("ffmpeg") is None:
            sys.exit(f"cannot read {media}: give a folder of JPEGs, or a clip with ffmpeg installed")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bonafide-frames-"))
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", str(path), "-t", str(SECONDS), "-vf", f"fps={FRAMES_PER_SECOND}", "-q:v", "3"]
            + [str(folder / "%05d.jpg")],
            check=True,
        )
        files = sorted(folder.iterdir())
    pictures = [file.read_bytes() for file in files[: FRAMES_PER_SECOND * SECONDS]]
    if not path.is_dir():
        shutil.rmtree(folder)
    if len(pictures) < 8:
        sys.exit(f"{media} has only {len(pictures)} frames")
    return pictures


def new_id():
    return f"py-{uuid.uuid4().hex[:16]}"


def name_of(session_id):
    return f"sessions/{session_id}"


def camera(track_id="camera-1"):
    return types.Track(
        track_id=track_id,
        participant_id="candidate-1",
        kind=types.SOURCE_KIND_CAMERA,
        video_format=types.VIDEO_FORMAT_JPEG,
        device=types.CaptureDevice(label="Integrated Camera", platform="python-client"),
    )


def sample(sequence, data, track_id="camera-1", **fields):
    nanos = sequence * 1_000_000_000 // FRAMES_PER_SECOND
    media_time = duration_pb2.Duration(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)
    frame = types.VideoFrame(sequence=sequence, media_time=media_time, data=data, **fields)
    return live.MediaSample(track_id=track_id, video=frame)


def config(session_id, **fields):
    return live.StreamConfig(session=name_of(session_id), tracks=[camera()], **fields)


class Stream:
    """One AnalyzeStream call, with a thread that reads what comes."""

    def __init__(self, stub, first=None):
        self._outgoing = queue.Queue()
        self.replies = []
        self._changed = threading.Condition()
        self._is_over = False
        self._call = stub.AnalyzeStream(iter(self._outgoing.get, None), timeout=PATIENCE_SECS)
        threading.Thread(target=self._read, daemon=True).start()
        if first is not None:
            self.send(config=first)

    def _read(self):
        try:
            for reply in self._call:
                with self._changed:
                    self.replies.append(reply)
                    self._changed.notify_all()
        except grpc.RpcError:
            pass  # the code is asked for in end()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def send(self, **message):
        self._outgoing.put(live.AnalyzeStreamRequest(**message))

    def half_close(self):
        self._outgoing.put(None)

    def all(self, kind):
        with self._changed:
            return [getattr(reply, kind) for reply in self.replies if reply.WhichOneof("message") == kind]

    def wait(self, kind, holds=lambda message: True):
        """The first message of a kind for which `holds`."""
        deadline = time.monotonic() + PATIENCE_SECS
        with self._changed:
            while True:
                for reply in self.replies:
                    if reply.WhichOneof("message") == kind and holds(getattr(reply, kind)):
                        return getattr(reply, kind)
                if self._is_over or not self._changed.wait(deadline - time.monotonic()):
                    raise Failed(f"no {kind} came as expected: {self._call.code()} {self._call.details()}")

    def end(self):
        """The status that the stream ended with."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_over, PATIENCE_SECS):
                raise Failed("the stream did not end")
        return self._call.code()


def refused(code, what, call, field=None):
    """Checks that a call is refused with a code, and that the details name the field."""
    try:
        call()
    except grpc.RpcError as error:
        check(error.code() == code, f"{what}: {error.code().name} {error.details()!r}")
        if field is not None:
            trailers = dict(error.trailing_metadata() or ())
            details = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b"")).details
            violations = [detail.value for detail in details if detail.type_url.endswith("google.rpc.BadRequest")]
            check(any(field.encode() in value for value in violations), f"{what}: google.rpc.BadRequest names {field}")
        return
    raise Failed(f"{what}: was not refused")


class Client:
    def __init__(self, address, key, pictures):
        self.address, self.key, self.pictures = address, key, pictures
        self.channel, self.sessions, self.live = self.connect()

    def connect(self):
        """A connection of its own, so that breaking it breaks nothing else."""
        options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.insecure_channel(self.address, options=options)
        outer = channel
        if self.key:
            outer = grpc.intercept_channel(channel, *[Key(self.key)])
        return channel, session_grpc.SessionServiceStub(outer), live_grpc.LiveServiceStub(outer)

    def create(self, session_id=None, **fields):
        request = session.CreateSessionRequest(
            session=session.Session(consent_reference=CONSENT, **fields), session_id=session_id or new_id()
        )
        return self.sessions.CreateSession(request).session

    # --- the chapters of the check, in order ---

    def service_is_up(self):
        raw = dict(request_serializer=bytes, response_deserializer=bytes)
        health = self.channel.unary_unary("/grpc.health.v1.Health/Check", **raw)
        for service in (b"", b"bonafide.v1.LiveService", b"bonafide.v1.SessionService"):
            request = bytes([0x0A, len(service)]) + service if service else b""
            check(health(request) == b"\x08\x01", f"health of {service.decode() or 'the server'} is SERVING")
        metadata = [("x-api-key", self.key)] if self.key else []
        for version in ("v1", "v1alpha"):
            method = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
            answers = self.channel.stream_stream(method, **raw)(iter([b"\x3a\x00"]), metadata=metadata)
            check(b"bonafide.v1.LiveService" in next(answers), f"reflection {version} lists the live service")
        unknown = self.channel.unary_unary("/bonafide.v1.LiveService/Nothing", **raw)
        refused(grpc.StatusCode.UNIMPLEMENTED, "an unknown method", lambda: unknown(b"", metadata=metadata))
        if self.key:
            plain = session_grpc.SessionServiceStub(self.channel)
            refused(
                grpc.StatusCode.UNAUTHENTICATED, "a call without key", lambda: plain.ListSessions(session.ListSessionsRequest())
            )

    def sessions_are_resources(self):
        session_id, request_id = new_id(), str(uuid.uuid4())
        request = session.CreateSessionRequest(
            session=session.Session(consent_reference=CONSENT, external_ref="req-17", labels={"team": "eu", "run": session_id}),
            session_id=session_id,
            request_id=request_id,
        )
        created = self.sessions.CreateSession(request).session
        check(created.name == name_of(session_id), "a session gets the id that was asked for")
        check(created.state == session.SESSION_STATE_OPEN, "a new session is OPEN")
        check(created.level == types.LEVEL_INCONCLUSIVE, "a session without evidence is INCONCLUSIVE")
        check(self.sessions.CreateSession(request).session.name == created.name, "a repeated request_id gives the same session")
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        request.request_id = str(uuid.uuid4())
        refused(grpc.StatusCode.ALREADY_EXISTS, "an id that is taken", lambda: self.sessions.CreateSession(request))
        request.request_id = "not-a-uuid"
        refused(invalid, "a request_id that is no UUID", lambda: self.sessions.CreateSession(request), "request_id")
        request.request_id, request.session_id = "", "UPPER CASE"
        refused(invalid, "a bad session_id", lambda: self.sessions.CreateSession(request), "session_id")
        bare = session.CreateSessionRequest(session=session.Session(), session_id=new_id())
        refused(invalid, "a session without consent", lambda: self.sessions.CreateSession(bare), "consent_reference")
        refused(invalid, "a bad name", lambda: self.sessions.GetSession(session.GetSessionRequest(name="x")), "name")
        missing = session.GetSessionRequest(name=name_of(new_id()))
        refused(grpc.StatusCode.NOT_FOUND, "a session that does not exist", lambda: self.sessions.GetSession(missing))

        change = session.UpdateSessionRequest(
            session=session.Session(name=created.name, etag=created.etag, display_name="Round 2"),
            update_mask=field_mask_pb2.FieldMask(paths=["display_name"]),
        )
        updated = self.sessions.UpdateSession(change).session
        check(updated.display_name == "Round 2" and updated.external_ref == "req-17", "an update changes what its mask names")
        check(updated.etag != created.etag, "an update changes the etag")
        stale = grpc.StatusCode.FAILED_PRECONDITION
        refused(stale, "an update with a stale etag", lambda: self.sessions.UpdateSession(change))
        change.session.etag = ""
        change.update_mask.paths[:] = ["consent_reference"]
        refused(invalid, "an update of a fixed field", lambda: self.sessions.UpdateSession(change), "update_mask")
        drop = session.DeleteSessionRequest(name=created.name, etag=created.etag)
        refused(stale, "a deletion with a stale etag", lambda: self.sessions.DeleteSession(drop))
        return session_id

    def listing(self, label):
        others = [self.create(labels={"run": label}).name for _ in range(3)]
        wanted = {name_of(label), *others}
        query = f'labels.run = "{label}" AND state = OPEN AND create_time >= "2020-01-01T00:00:00Z"'
        found, token, pages = [], "", 0
        while True:
            page = self.sessions.ListSessions(session.ListSessionsRequest(page_size=2, page_token=token, filter=query))
            found += [item.name for item in page.sessions]
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
        check(sorted(found) == sorted(wanted), f"a filtered listing finds its {len(wanted)} sessions once each, on {pages} pages")
        oldest = self.sessions.ListSessions(session.ListSessionsRequest(filter=query, order_by="create_time")).sessions
        check([item.name for item in oldest] == found[::-1], "order_by create_time is the reverse of the default")
        level = self.sessions.ListSessions(session.ListSessionsRequest(filter=f"{query} AND level = ALERT")).sessions
        check(len(level) == 0, "a filter by level holds")
        ask = lambda **fields: lambda: self.sessions.ListSessions(session.ListSessionsRequest(**fields))
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        refused(invalid, "a filter that is not understood", ask(filter="mood = good"), "filter")
        refused(invalid, "an order that is not understood", ask(order_by="level"), "order_by")
        refused(invalid, "a negative page size", ask(page_size=-1), "page_size")
        refused(invalid, "a page token from elsewhere", ask(page_token="nonsense"))
        for name in others:
            self.sessions.DeleteSession(session.DeleteSessionRequest(name=name))
        gone = session.GetSessionRequest(name=others[0])
        refused(grpc.StatusCode.NOT_FOUND, "a deleted session", lambda: self.sessions.GetSession(gone))

    def protocol_errors(self):
        session_id = new_id()
        self.create(session_id)
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        stream = Stream(self.live)
        stream.send(sample=sample(1, self.pictures[0]))
        check(stream.end() == invalid, "a sample before the config ends the stream with INVALID_ARGUMENT")
        stream = Stream(self.live)
        stream.half_close()
        check(stream.end() == invalid, "a stream without any message ends with INVALID_ARGUMENT")
        bad_track = live.StreamConfig(session=name_of(session_id), tracks=[types.Track(track_id="t", participant_id="p")])
        check(Stream(self.live, bad_track).end() == invalid, "a track without kind ends the stream with INVALID_ARGUMENT")
        missing = Stream(self.live, config(new_id()))
        check(missing.end() == grpc.StatusCode.NOT_FOUND, "a stream into a missing session ends with NOT_FOUND")

        stream = Stream(self.live, config(session_id))
        stream.wait("ready")
        stream.send(sample=sample(1, b"\xff\xd8\xff not a picture"))
        problem = stream.wait("sample_error")
        check((problem.track_id, problem.sequence) == ("camera-1", 1), "a garbage frame is a sample_error with its place")
        check(problem.status.code == 3, "a garbage frame is INVALID_ARGUMENT")
        stream.send(sample=sample(2, self.pictures[0], format=99))
        problem = stream.wait("sample_error", lambda error: error.sequence == 2)
        check("format" in problem.status.message, "an unknown format is a sample_error that names the field")
        stream.send(sample=sample(3, self.pictures[0], track_id="nobody"))
        stream.wait("sample_error", lambda error: error.track_id == "nobody")
        check(True, "a sample of an unknown track is a sample_error")
        stream.send(sample=sample(4, self.pictures[0]))
        stream.wait("ack", lambda ack: ack.sequence >= 4)
        check(True, "the stream goes on after bad samples")
        stream.send(config=config(session_id))
        check(stream.end() == invalid, "a second config ends the stream with INVALID_ARGUMENT")

        stream = Stream(self.live, config(session_id))
        ready = stream.wait("ready")
        stream.send(sample=sample(5, bytes(ready.max_message_bytes + 1)))
        check(stream.end() == invalid, "a message past max_message_bytes ends the stream with INVALID_ARGUMENT")
        self.sessions.DeleteSession(session.DeleteSessionRequest(name=name_of(session_id)))

    def interview(self):
        """Streams a clip, breaks the connection in the middle, resumes, watches, finishes."""
        session_id = new_id()
        channel, _, broken_live = self.connect()
        new = session.Session(consent_reference=CONSENT)
        stream = Stream(broken_live, config(session_id, create_if_missing=True, new_session=new))
        ready = stream.wait("ready")
        check(ready.session == name_of(session_id) and ready.resume_token != "", "a stream creates its session and hands out a token")
        check(types.VIDEO_FORMAT_JPEG in ready.accepted_video_formats, "JPEG is accepted")
        check(ready.versions.policy != "" and ready.versions.server != "", "the versions behind the scores are told")
        half = len(self.pictures) // 2
        for sequence in range(1, half + 1):
            stream.send(sample=sample(sequence, self.pictures[sequence - 1]))
        acked = stream.wait("ack", lambda ack: ack.sequence >= 3)
        check(acked.resume_token != "", f"samples are acknowledged up to {acked.sequence} with a token")
        channel.close()  # the connection breaks without a goodbye
        stream.end()
        last = stream.all("ack")[-1]

        watched = []
        watch = self.live.WatchSession(live.WatchSessionRequest(session=name_of(session_id)), timeout=PATIENCE_SECS)
        watching = threading.Thread(target=lambda: watched.extend(watch), daemon=True)
        watching.start()
        stream = Stream(self.live, config(session_id, resume_token=last.resume_token))
        ready = stream.wait("ready")
        progress = {track.track_id: track.sequence for track in ready.resume_from}
        reached = progress.get("camera-1", 0)
        check(last.sequence <= reached <= half, f"resume goes on after {reached}, nothing acknowledged ({last.sequence}) is lost")
        for sequence in range(reached + 1, len(self.pictures) + 1):
            stream.send(sample=sample(sequence, self.pictures[sequence - 1]))
        stream.half_close()
        check(stream.end() == grpc.StatusCode.OK, "ending the client's side ends the stream with OK")
        ended = stream.wait("ended")
        check(ended.cause == Cause.STREAM_END_CAUSE_INPUT_ENDED, "the last message says INPUT_ENDED")
        check(stream.replies[-1].WhichOneof("message") == "ended", "nothing comes after the end")
        check(max(ack.sequence for ack in stream.all("ack")) == len(self.pictures), "every sample is accounted for")
        scores = stream.all("score")
        check(len(scores) > 0, f"scores come while streaming: {len(scores)}")
        for score in scores:
            self.score_is_sound(score)
        hints = stream.all("pacing")
        check(
            len(hints) > 0 and all(hint.track_id == "camera-1" and hint.frames_per_second > 0 for hint in hints),
            f"the stream is told how much to send: {hints[-1].frames_per_second if hints else 0:g} frames a second",
        )

        finished = self.sessions.FinishSession(session.FinishSessionRequest(name=name_of(session_id))).session
        check(finished.state == session.SESSION_STATE_FINISHED, "a finished session says so")
        check([person.participant_id for person in finished.participants] == ["candidate-1"], "the participant is known")
        self.score_is_sound(finished.participants[0].score)
        level = types.Level.Name(finished.level)
        reasons = [reason.code for reason in finished.participants[0].score.reasons]
        print(f"   {level} {reasons}", flush=True)
        watching.join(PATIENCE_SECS)
        kinds = [event.WhichOneof("event") for event in watched]
        check("score" in kinds, "a watcher sees scores")
        check(
            kinds[-1] == "ended" and watched[-1].ended.cause == Cause.STREAM_END_CAUSE_SESSION_FINISHED,
            "a watcher is told that the session finished",
        )
        again = self.sessions.FinishSession(session.FinishSessionRequest(name=name_of(session_id))).session
        check(again.end_time == finished.end_time, "finishing again changes nothing")
        late = Stream(self.live, config(session_id))
        check(late.end() == grpc.StatusCode.FAILED_PRECONDITION, "a stream into a finished session is refused")
        segments = self.sessions.ListSegments(session.ListSegmentsRequest(parent=name_of(session_id))).segments
        for segment in segments:
            check(segment.name.startswith(f"{name_of(session_id)}/segments/"), f"segment {segment.name} belongs to the session")
            check(segment.state == types.SEGMENT_STATE_CLOSED, "a finished session has no open segment")
        print(f"   {len(segments)} segments", flush=True)
        self.sessions.DeleteSession(session.DeleteSessionRequest(name=name_of(session_id)))
        gone = session.ListSegmentsRequest(parent=name_of(session_id))
        refused(grpc.StatusCode.NOT_FOUND, "segments of a deleted session", lambda: self.sessions.ListSegments(gone))

    def score_is_sound(self, score):
        """What must hold of every score; silent unless it does not."""
        if score.level == types.LEVEL_UNSPECIFIED:
            raise Failed("a score without level")
        if (score.level == types.LEVEL_INCONCLUSIVE) == score.HasField("authenticity"):
            raise Failed("authenticity must be there unless the score is INCONCLUSIVE")
        if score.level == types.LEVEL_INCONCLUSIVE and not score.reasons:
            raise Failed("INCONCLUSIVE without a cause")
        if score.HasField("authenticity"):
            if not 0 <= score.authenticity_low <= score.authenticity <= score.authenticity_high <= 1:
                raise Failed("authenticity must lie in its interval and in 0..1")

    def batches(self):
        """A client that cannot stream."""
        session_id, token = new_id(), ""
        new = session.Session(consent_reference=CONSENT)
        n_batches, size = 3, 4
        for batch in range(n_batches):
            sequences = range(batch * size + 1, (batch + 1) * size + 1)
            first = config(session_id, resume_token=token, create_if_missing=not token, new_session=None if token else new)
            samples = [sample(sequence, self.pictures[(sequence - 1) % len(self.pictures)]) for sequence in sequences]
            answer = self.live.AnalyzeFrames(live.AnalyzeFramesRequest(config=first, samples=samples), timeout=PATIENCE_SECS)
            token = answer.resume_token
            check(
                token != "" and [ack.sequence for ack in answer.acks] == [sequences[-1]],
                f"batch {batch + 1} of {n_batches} is accounted for up to {sequences[-1]}",
            )
        bad = live.AnalyzeFramesRequest(config=config(session_id, resume_token=token), samples=[sample(99, b"garbage")])
        errors = self.live.AnalyzeFrames(bad, timeout=PATIENCE_SECS).sample_errors
        check([(error.track_id, error.sequence) for error in errors] == [("camera-1", 99)], "a bad sample of a batch is named")
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        refused(invalid, "a batch without config", lambda: self.live.AnalyzeFrames(live.AnalyzeFramesRequest()), "config")
        many = live.AnalyzeFramesRequest(config=config(session_id), samples=[live.MediaSample()] * 257)
        refused(invalid, "a batch of too many samples", lambda: self.live.AnalyzeFrames(many), "samples")
        self.sessions.DeleteSession(session.DeleteSessionRequest(name=name_of(session_id)))

    def deletion_ends_streams(self):
        session_id = new_id()
        self.create(session_id)
        stream = Stream(self.live, config(session_id))
        stream.wait("ready")
        self.sessions.DeleteSession(session.DeleteSessionRequest(name=name_of(session_id)))
        check(stream.end() == grpc.StatusCode.NOT_FOUND, "deleting a session ends its stream with NOT_FOUND")
        check(stream.wait("ended").cause == Cause.STREAM_END_CAUSE_SESSION_DELETED, "the stream is told why")


class Key(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Adds the API key to every call."""

    def __init__(self, key):
        self._header = ("authorization", f"Bearer {key}")

    def _call(self, continuation, details, request):
        metadata = [*(details.metadata or ()), self._header]
        return continuation(details._replace(metadata=metadata), request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_stream = _call


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", required=True, help="host:port of the server")
    parser.add_argument("--media", required=True, help="a folder of JPEGs, or a clip")
    parser.add_argument("--api-key", default="", help="sent as a bearer token")
    arguments = parser.parse_args()
    client = Client(arguments.address, arguments.api_key, frames_of(arguments.media))
    try:
        client.service_is_up()
        label = client.sessions_are_resources()
        client.listing(label)
        client.protocol_errors()
        client.interview()
        client.batches()
        client.deletion_ends_streams()
    except (Failed, grpc.RpcError) as failure:
        print(f"FAILED: {failure}", file=sys.stderr, flush=True)
        return 1
    print("all checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
