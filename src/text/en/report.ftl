# The report on a session. Values of $time and $digest are written already; $who is an actor in words.

report-title = Interview report
report-subject = How well an interview agrees with a genuine person before a real camera
report-page = Page { $page } of { $pages }
report-footer = Supports a person’s decision. Proves nothing by itself.
report-attachment = The content of this report as JSON
report-utc = { $time } UTC
report-from-to = { $start } to { $end }
report-none = –

report-fact-session = Session
report-fact-candidate = Candidate
report-fact-reference = Your reference
report-fact-consent = Consent filed as
report-fact-interview = Interview
report-fact-labels = Labels
report-fact-evidence = Stills
report-fact-expires = Deletion
report-fact-made = Report made
report-still-open = from { $start }, open when this report was made
report-made-by = { $time }, for { $who }
report-evidence-stills = kept, sealed
report-evidence-no_images = none are kept of this session
report-expires = { $time } at the latest
report-expires-never = no date is set
report-held = not while the legal hold stands

report-level-clear = Clear
report-level-suspicious = Suspicious
report-level-alert = Alert
report-level-inconclusive = Inconclusive
report-meaning-clear = The evidence agrees with a genuine person before a real camera.
report-meaning-suspicious = Something in this interview is worth a second look.
report-meaning-alert = There is strong evidence of an attack, such as another person, a replayed picture or an altered face.
report-meaning-inconclusive = The evidence carries no verdict, neither for nor against. The reasons say why, and what would help.
report-nobody = No participant was scored
report-nobody-why = Nothing came in that could be measured, so there is no verdict.

report-score = Score
report-score-interval = 95 % interval { $low } to { $high }
report-score-none = No score
report-score-none-why = the evidence carries none
report-score-low-end = 0: speaks for an attack
report-score-high-end = 1: speaks for a genuine person
report-score-alt = Score { $value } on a scale from 0, which speaks for an attack, to 1, which speaks for a genuine person; 95 % interval { $low } to { $high }.
report-score-none-alt = Scale from 0 to 1 without a score, because the evidence carries none.
report-thresholds = Dashed: clear from { $clear }, suspicious below { $suspicious }, alert below { $alert }
report-usable = { $secs } of usable face, measured up to { $end }
report-participant = Participant { $who }
report-more-participants = { $count ->
    [one] One more participant is described below.
   *[other] { $count } more participants are described below.
}

report-says = What this says
report-says-score = The score is the probability that this is a genuine person before a real camera who stays the same person, given the prior and the policy named at the end.
report-says-interval = The interval tells how much evidence there is: a wide one rests on little.
report-says-segments = { $count ->
    [0] No stretch of the interview stood out.
    [one] One stretch of the interview is worth a second look. It is no accusation.
   *[other] { $count } stretches of the interview are worth a second look. They are no accusations.
}
report-says-not = What it does not say
report-says-not-proof = It is no proof. No detector knows every attack, and a genuine person with a poor camera can look suspicious.
report-says-not-person = It says nothing of emotion, nervousness, accent, origin or honesty.
report-says-not-decision = It decides nothing. That is for people to do.

report-outcome = What people decided
report-state-unreviewed = Nobody has reviewed this session yet.
report-state-in_review = The review is under way.
report-state-decided = The review is finished.
report-decision-proceed = Go on
report-decision-clarify = Clarify
report-decision-decline = Decline
report-decision-meaning-proceed = nothing stands in the way
report-decision-meaning-clarify = the candidate is asked to show who they are in another way
report-decision-meaning-decline = the interview was not given by the person who applied, or not before a camera
report-decided-by = { $who }, { $time }
report-decisions = Decisions
report-decisions-none = Nobody has decided.
report-assignee = Looked after by { $who }.
report-assignee-none = Nobody looks after it.
report-second-never = One person decides.
report-second-decline = A decision against the candidate needs a second person who agrees.
report-second-always = Every decision needs a second person who agrees.
report-hold = A legal hold keeps this session from being deleted.

report-timeline = The score over time
report-timeline-intro = The line is the score of the interview so far, the band around it the 95 % interval. Where nothing is drawn there was no score yet. The bars below it are stretches worth a second look, by number.
report-timeline-alt = Score of participant { $who } from { $start } to { $end }. It ends at { $last } and was lowest, { $lowest }, at { $at }. { $count ->
    [0] No stretch is marked.
    [one] One stretch is marked.
   *[other] { $count } stretches are marked.
}
report-timeline-alt-none = Score of participant { $who } from { $start } to { $end }: at no time did the evidence carry one.
report-timeline-none = No score was stored of this participant.
report-timeline-more = Timelines of { $count } more participants are in the attached JSON.

report-signals = What each signal measured
report-signals-intro = Each signal gives a log-likelihood ratio: above 0 it speaks for a genuine person, below 0 for an attack; 3 is a factor of about 20. Signals that could not be measured say so and count neither way.
report-signals-summary = Signals of participant { $who }: weight of evidence, usable share and reasons of each.
report-column-signal = Signal
report-column-llr = Weight
report-column-usable = Usable
report-column-reasons = What was seen
report-signal-identity = Same person
report-signal-presentation = Photo or screen
report-signal-deepfake = Altered face
report-signal-motion = Natural movement
report-signal-presence = Presence
report-signal-stream = Video stream
report-signal-about-identity = the same face throughout, and that of the reference picture
report-signal-about-presentation = a picture or video held before the camera
report-signal-about-deepfake = a face that was swapped, reenacted or blended
report-signal-about-motion = movement within the face
report-signal-about-presence = faces in the picture, black or frozen picture
report-signal-about-stream = loops, copies, clock and device of the video
report-not-measured = not measured

report-segments = Stretches worth a second look
report-segments-none = No stretch of this interview stood out.
report-segments-left-out = { $count ->
    [one] One more stretch is left out here
   *[other] { $count } more stretches are left out here
}: those with a mark and the worst are shown. Up to 2,000 are in the attached JSON.
report-segment = No. { $number }
report-segment-open = still open when this report was made
report-segment-of = participant { $who }
report-segment-unmarked = Nobody has said anything about it.
report-mark-confirmed = Confirmed: worth a second look
report-mark-dismissed = Dismissed: a harmless explanation
report-marked-by = { $who }, { $time }

report-stills = Stills
report-stills-enrolment = First good looks at participant { $who }
report-still-alt = Still of participant { $who }: { $caption }.
report-still-alt-segment = Still of participant { $who }, in stretch number { $number }: { $caption }.
report-still-presentation = photo or screen { $score }
report-still-deepfake = altered face { $score }
report-still-broken = This still cannot be shown.
report-gap = No still: { $cause }.
report-gap-no_images = the session keeps no pictures
report-gap-no_picture = no frame was looked at that shows it
report-gap-full = the session has as many as it may keep
report-gap-not_kept = it could not be written
report-gap-expired = its time was over
report-gap-broken = it was changed after it was kept, or its key is lost
report-stills-left-out = { $count ->
    [one] One more still is
   *[other] { $count } more stills are
} left out.

report-review = Review

report-audit = Who did what
report-audit-intro = What the audit log says of this session, oldest first.
report-audit-summary = Rows of the audit log about this session: row, time, who, what.
report-audit-left-out = { $count ->
    [one] One older row is
   *[other] { $count } older rows are
} left out.
report-column-row = Row
report-column-time = Time (UTC)
report-column-who = Who
report-column-what = What
report-outcome-denied = refused
report-outcome-failed = failed
report-actor-key = API key { $name }
report-actor-user = { $name }
report-actor-system = the program ({ $name })
report-actor-cli = command line ({ $name })
report-action-session-create = created the session
report-action-session-update = changed fields of the session
report-action-session-finish = finished the session
report-action-session-delete = deleted the session
report-action-session-expire = deleted the session at the end of its retention
report-action-session-view = opened the session
report-action-session-hold = set or lifted a legal hold
report-action-evidence-view = opened a still
report-action-evidence-expire = deleted stills at the end of their retention
report-action-review-assign = assigned the session
report-action-review-mark = marked a stretch
report-action-review-decide = decided
report-action-report-export = had a report made
report-action-identity-list = listed candidates or references
report-action-identity-enroll = enrolled a reference
report-action-identity-compare = compared faces with another session
report-action-identity-search = searched for the face among all
report-action-identity-confirm = confirmed or rejected a match
report-action-identity-watch = changed the watch list
report-action-identity-delete = deleted a template or reference
report-action-account-login = logged in
report-action-account-logout = logged out
report-action-account-create = made an account
report-action-account-update = changed an account
report-action-account-password = set a password
report-action-audit-begin = began the log
report-action-system-view = looked at the installation
report-action-audit-read = read the audit log
report-action-audit-prune = deleted old rows of the audit log
report-action-keys-rotate = took a new master key into use

report-limits = How it was measured, and its limits
report-limit-picture = Only the candidate’s picture is looked at. Sound is not analysed.
report-limit-signals = Independent signals measure it. Each is calibrated on recordings whose truth is known, and one that has seen too little says nothing.
report-limit-fusion = They are combined as a mixture of kinds of attack, so that good evidence against one kind cannot outvote bad evidence of another. Too little usable face time, or fewer than two independent kinds of evidence, gives no verdict.
report-limit-unseen = Careful live face swaps and video that is put into the stream behind the camera can pass unseen. What is not listed here was not found, which does not mean that it was not there.
report-limit-groups = How alike two faces look to a model varies between groups of people. A person has to confirm every match.
report-limit-client = What the sending program says of itself, such as its device and clock, is weak evidence: a changed program can say anything.
report-limit-figures = How often the program is wrong, on which data, stands in the evaluation that belongs to the version named below.
report-limit-person = It is meant to support people who decide. It must not be the only ground of a decision about a person.

report-origins = Where it comes from
report-origins-intro = What it takes to repeat the score, and to tell whether this report or what it rests on was changed.
report-origins-summary = Versions and digests behind this report.
report-column-item = Item
report-column-value = Value
report-origin-scored-by = Scored by
report-origin-made-by = Report made by
report-origin-policy = Policy
report-origin-model = Model { $name }
report-origin-journal = Measurements ({ $entries } entries), SHA-256
report-origin-still = Still { $number }, SHA-256
report-origin-chip = Still { $number }, face, SHA-256
report-origin-audit = End of the audit log (row:digest)
report-origin-content = Content of this report, SHA-256
report-origin-json = Attached report.json, SHA-256
report-origin-key = Public key that signs it
report-check = To check this report
report-check-verify = With report.pdf, report.json and report.sig in one folder, this names a file that was changed; the public key must come from the operator in another way:
report-check-audit = On the machine that made it, this tells whether the audit log still contains the end that it had:
report-replaced = Characters that the typeface lacks are shown as □. They are whole in the attached JSON.
