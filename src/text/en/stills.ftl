# The few pictures of a session, and the report to take along.

stills-title = Pictures
stills-enrolment = At the beginning
still-title = Picture at { $at }
still-alt-face = Frame at { $at }, the face outlined
still-alt-no-face = Frame at { $at }; no face was measured in it
still-alt-chip = The face at { $at }, cut out
still-face-px = face { WHOLE($px) } px high
still-marks = Show what was measured
still-measured = What was measured
still-faces = Faces in the picture
still-height = Height of the face
still-sharpness = Sharpness
still-exposure = Exposure
still-confidence = Confidence of the detector
still-pose = Pose of the head
still-pose-words = turned { FIXED($yaw, 0) }°, up or down { FIXED($pitch, 0) }°, tilted { FIXED($roll, 0) }°
still-presentation = Photo or screen, attack score
still-deepfake = swap score
still-kept = Kept
still-digest = SHA-256 of the frame
still-before = Picture before
still-after = Picture after
still-broken = Changed or lost: not shown
still-broken-short = not shown
still-gap-no-images = No picture: this session keeps none.
still-gap-no-picture = No picture: no frame shows it well enough.
still-gap-full = No picture: the session has as many as it may keep.
still-gap-not-kept = No picture: it could not be written.
still-gap-expired = No picture: its time was over.
still-gap-broken = The picture was changed after it was kept, or its key is lost; it is not shown.

export-title = Report
export-explained = What the page says, to take along: with reasons, decisions, versions, digests and limits. Each export stands in the audit log.
export-pdf = PDF
export-json = JSON
export-signed = Both, signed (ZIP)
