# Faces across sessions.

identity-off = Faces are not compared across sessions here. Whoever runs this installation can enable it: set "enabled = true" under [identity] in the configuration and start again. It needs consent of the people concerned.
identity-title = Seen before
identity-lead = Pairs that look odd together: faces, or the places behind them. The machine proposes; a person looks and says what they are.
identity-overview = Open
identity-compare = Compare
identity-search = Search
identity-hunt = All sessions of this face
identity-candidates = Candidates
identity-watchlist = Watch list
identity-pages = Further lines
identity-support = A likeness is no proof. Relatives, poor pictures and chance make two people look like one. Every query here stands in the audit log.
identity-open = To be looked at
identity-open-none = Nothing is open.
identity-how = How faces are compared
identity-held = Templates held
identity-last-look-up = Last session looked up
identity-no-look-up = none since this server was started
identity-proposes = Sessions are looked up at their end
identity-yes = yes
identity-no = no
identity-false-proposals = False matches to expect of each such look-up
identity-false-searches = False matches to expect of a search
identity-max-templates = Faces that can be held
identity-compares-scenes = What is behind people is compared
identity-calibration = Calibration
identity-how-explained = The figures hold for a whole search, not for a pair: they are how often somebody who is nowhere else would still look like somebody.
identity-person = ({ $participant }, person { WHOLE($n) })
identity-reference = Reference
identity-no-candidate = no candidate named
identity-is-watched = watched
identity-similarity = Similarity
identity-similarity-short = Similarity { $n }
identity-interval = 95 % interval
identity-quality = mean of { WHOLE($n) } looks, which differ by { $spread }
identity-quality-one = one look only

proposal-watched = A face of the watch list
proposal-other_candidate = The same face under another candidate
proposal-different_faces = One candidate, different faces
proposal-same_scene = The same place behind another candidate
proposal-none = Compared by a person

opinion-same = Looks like one person.
opinion-different = Looks like two people.
opinion-unclear = Unclear.
ratio-even = Such a likeness is about as likely of one person as of two.
ratio-one = Such a likeness is about { $n } times likelier of one person than of two.
ratio-one-at-least = Such a likeness is at least { $n } times likelier of one person than of two.
ratio-two = Such a likeness is about { $n } times likelier of two people than of one.
ratio-two-at-least = Such a likeness is at least { $n } times likelier of two people than of one.
ratio-end-one = { $n } times one person
ratio-end-two = { $n } times two people
ratio-interval = { $low } to { $high }

verdict-same = Same person
verdict-different = Different people
verdict-open = nobody said anything
verdict-missing = Say whether it is the same person or not.

said-match-same = It is noted that this is one person.
said-match-different = It is noted that these are two people.
said-scene-same = It is noted that this is one place.
said-scene-different = It is noted that these are two places.
said-watched = The face is on the watch list.
said-unwatched = The face is off the watch list.
said-reference = The reference is enrolled.
said-reference-deleted = The reference and its template are deleted.

compare-title = Compare two faces
compare-ask = Name two faces. Both must have a template, which a session gets at its end when it names a consent.
compare-first = First face
compare-second = Second face
compare-names = As sessions/… or candidates/…/references/…
compare-candidates = A candidate's page compares all of their sessions and references with each other.
compare-no-still = There is no picture of the beginning: none was kept, or you may not see it.
compare-still-alt = Face of { $participant } at the beginning
compare-reference-no-picture = Of a reference only the template is kept, no picture.
compare-not = The two cannot be compared.
compare-result = How alike they are
compare-means = What it means: how much more often such a likeness came about between pictures of one person ({ $same } people) than between pictures of two ({ $different } people).
compare-means-not = What it does not mean: it is no probability that they are the same person. That also depends on all else that is known, and in a search on how many faces were looked at.
compare-said = What was said of the two so far
compare-before = { $n ->
    [one] One earlier word
   *[other] { WHOLE($n) } earlier words
}
compare-before-explained = As the audit log tells it, newest first. Notes are kept with the last word alone.
compare-say = What do you say?
compare-say-explained = Your word is kept with your name and takes the place of what was said before; the audit log keeps both.
compare-note = Note (optional)

search-title = Search a face
search-known = A known face
search-face = Face
search-picture = A picture
search-file = Picture of one person (JPEG, PNG or WebP)
search-picture-explained = The picture is looked at and not kept. That you searched is written down.
search-wished = False matches to accept of the whole search
search-wished-explained = The fewer, the more alike a face must be to be shown.
search-bad-number = The number of false matches must be above 0, such as 0.1.
search-of = Of
search-hits = Faces that are alike
search-none = No face is alike enough. Who is not among those held here cannot be found.
search-who = Who
search-how-alike = How alike
search-relation = Belongs to
search-verdict = What people say
relation-same = the same candidate
relation-other = another candidate
relation-unknown = nobody said

figures-title = What stands behind it
figures-searched = Faces searched
figures-threshold = Shown from similarity
figures-expected = False matches to expect
figures-quality = Template
figures-other-model = Left out: another model
figures-unreadable = Left out: cannot be opened
figures-explained = So many faces of other people are to be expected among those shown if the person is nowhere else.
false-matches-measured = { $expected } ({ $low } to { $high }), measured on pairs of people
false-matches-extrapolated = { $expected } ({ $low } to { $high }), extrapolated: too few pairs of people were that alike to count them
false-matches-beyond = { $expected } at most (up to { $high }): the data say no more than that

hunt-title = All sessions of a face
hunt-found = Sessions and references
hunt-explained = { $n ->
    [one] What looks like this face.
   *[other] What looks like this face, or like one of the { WHOLE($n) } that people said are the same.
}
hunt-why = Why
hunt-confirmed = a person said so, or it is the face itself
hunt-alike = alike only: look at it
hunt-no-likeness = by people's words

watch-explained = Whoever looks like one of these at the end of a session is proposed to you. An entry goes with its session or reference.
watch-none = Nobody is on the watch list.
watch-add = Put on the watch list
watch-remove = Take off
watch-note = Why
watch-by = Put there by
watch-actions = Actions

candidates-none = No candidate is known.
candidates-sessions = Sessions
candidates-references = References
candidates-last = Last session

enrol-title = Enrol a reference
enrol-explained = The face that a candidate applied with, or who was hired. The picture itself is not kept, only its template.
enrol-display-name = Name for people
enrol-session = Or a finished session
enrol-submit = Enrol
enrol-refused = The reference was not enrolled.
enrol-bad-candidate = The candidate must be 1 to 128 letters, digits, dots, lines and dashes.
enrol-bad-session = Name a session, as sessions/…
purpose-applied = Applied
purpose-interviewed = Interviewed
purpose-hired = Hired
reference-purpose = Shows
reference-created = Enrolled
reference-delete = Delete

ledger-different = Different faces were seen under this candidate, and nobody has looked at it yet.
ledger-entries = References and sessions
ledger-entry = Entry
ledger-when = When
ledger-face = Template
ledger-more = Older sessions are left out.
ledger-pairs = Compared with each other
ledger-pairs-none = There are no two faces to compare.
ledger-pairs-explained = The least alike first. The numbers are those of the entries above.
ledger-pairs-more = Further pairs are left out.
ledger-pair = Entries
ledger-kind = What for
pair-within = two people in one session
pair-rounds = from round to round
pair-applied = applied and interviewed
pair-hired = interviewed and hired
pair-other = references
template-pending = not made yet
template-kept = made
template-no-consent = none: no consent is named
template-no-face = none: no face was seen well enough
template-expired = deleted at the end of its time
template-other-model = made by another model
template-unreadable = cannot be opened

seen-title = Seen before
seen-none = Nothing odd was found among the faces held here.
seen-more = There are more.
seen-ledger = Candidate's ledger

scene-title = Same place
scene-lead = Sessions of which the background agrees with this one's. People are left out of the picture before anything is compared; a mirrored picture counts as the same.
scene-hits = Backgrounds that agree
scene-none = No background agrees well enough. A bare wall or a blurred background has no place of its own and is found nowhere.
scene-many = Many sessions share this background. It is likely an office, a logo or a virtual background that many choose, and says little about anybody.
scene-how-alike = How well they agree
scene-score = Agreement { $n }, { $features } features
scene-mirrored = one of them mirrored
scene-searched = Backgrounds searched
scene-threshold = Shown from agreement
scene-left-out = Left out: cannot be opened or compared
scene-too-old = Left out: older than what is held
scene-figures-explained = So many backgrounds of other places are to be expected among those shown if nobody else sat in this one.
scene-false-matches-measured = { $expected } ({ $low } to { $high }), measured on pairs of places
scene-false-matches-extrapolated = { $expected } ({ $low } to { $high }), extrapolated: too few pairs of places agreed that well to count them
scene-opinion-same = Looks like one place.
scene-opinion-different = Looks like two places.
scene-ratio-even = Such an agreement is about as likely of one place as of two.
scene-ratio-one = Such an agreement is about { $n } times likelier of one place than of two.
scene-ratio-one-at-least = Such an agreement is at least { $n } times likelier of one place than of two.
scene-ratio-two = Such an agreement is about { $n } times likelier of two places than of one.
scene-ratio-two-at-least = Such an agreement is at least { $n } times likelier of two places than of one.
scene-verdict-same = Same place
scene-verdict-different = Different places
scene-compared = The places behind them
scene-frame-alt = Picture of { $participant } at the beginning
scene-means = What it means: how much more often such an agreement came about between two pictures of one place ({ $same } places) than between pictures of two ({ $different } places).
scene-means-not = What it does not mean: sharing a place is no offence. People share homes, offices and virtual backgrounds.
scene-said = What was said of the two places so far
scene-say = What do you say of the places?
