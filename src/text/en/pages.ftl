# What every page has, the inbox, batches, one's own account. Levels and signals by their names.

nav-skip = Skip to content
nav-label = Main
nav-inbox = Inbox
nav-batches = Batches
nav-identity = Identity
nav-admin = Administration
nav-account = Account
nav-logout = Log out
footer-support = Bonafide supports a person's decision and takes none.
footer-language = Language
footer-theme = Appearance
theme-system = System
theme-light = Light
theme-dark = Dark

level-inconclusive = Inconclusive
level-clear = Clear
level-suspicious = Suspicious
level-alert = Alert
level-inconclusive-means = The evidence carries no verdict. This speaks neither for nor against the candidate.
level-clear-means = The evidence agrees with a genuine person who stays the same.
level-suspicious-means = Something in this interview is worth a second look.
level-alert-means = Strong evidence speaks against a genuine person before the camera.
level-inconclusive-means-not = It is not a mild suspicion: the reasons say what was missing and what would help.
level-clear-means-not = It is no proof: no detector knows every attack, and nothing is said about the person's abilities or honesty.
level-suspicious-means-not = It is no finding: a genuine person on a bad camera can look suspicious. Look at the stretches and their reasons.
level-alert-means-not = It is no proof of fraud, and no ground for a decision by itself. Look at the stretches and their reasons.

state-unreviewed = Unreviewed
state-in-review = In review
state-decided = Decided

signal-identity = Same person
signal-presentation = Photo or screen
signal-deepfake = Swapped face
signal-motion = Movement of the face
signal-presence = Presence
signal-stream = Video stream

score-words = { $value } ({ $low } to { $high })
score-none = no score
score-explained = The score is the probability that the participant is genuine, under this policy's prior; in brackets its 95 % interval.

ago-now = just now
ago-minutes = { $n ->
    [one] { WHOLE($n) } minute ago
   *[other] { WHOLE($n) } minutes ago
}
ago-hours = { $n ->
    [one] { WHOLE($n) } hour ago
   *[other] { WHOLE($n) } hours ago
}
ago-days = { $n ->
    [one] { WHOLE($n) } day ago
   *[other] { WHOLE($n) } days ago
}
duration-secs = { WHOLE($n) } s
duration-minutes = { WHOLE($n) } min

login-title = Log in
login-lead = Review remote interviews: see why, compare, decide.
login-name = User name
login-password = Password
login-submit = Log in
login-wrong = User name or password is wrong.
login-too-many = Too many attempts. Try again in { WHOLE($n) } s.
login-help = Accounts are made by an administrator, the first one with "bonafide users create" on the server.
login-oidc = Log in with your organisation's account
login-oidc-with = Log in with { $name }
login-oidc-or = Or with a user name and a password of this server:
login-oidc-unreachable = Your organisation's identity provider does not answer at the moment. Try again later, or log in with a user name and a password of this server.
login-oidc-unusable = Your organisation's identity provider answers in an unexpected way. An administrator finds the cause in the log of the server.
login-oidc-denied = Your organisation's identity provider did not log you in. Try again.
login-oidc-stale = What came back belongs to no login that this browser began here within the last ten minutes. Begin again, in one tab.
login-oidc-tenants = Your groups belong to more than one tenant of this server. An administrator of your organisation's accounts has to change that.
login-oidc-token = What your organisation's identity provider sent could not be believed. Try again; an administrator finds the cause in the log of the server.
login-oidc-too-many = Too many attempts. Try again in some minutes.
login-oidc-no-role = Your organisation knows you, but none of your groups has a role here. Ask an administrator for access.
login-oidc-bad-name = Your name at the identity provider cannot be that of an account here: at most 64 of A-Z, a-z, 0-9, '.', '_', '-', '@' and '+'.
login-oidc-name-taken = Somebody else's account here has your user name, such as one with a password. Nothing was changed; an administrator has to say whose it is.
login-oidc-inactive = Your account here is disabled.
login-oidc-other-tenant = Your account belongs to another tenant of this server than your groups now say. An administrator has to put that right.

account-title = Your account
account-name = User name
account-display-name = Name
account-roles = Roles
account-password = Password
account-old-password = Current password
account-new-password = New password
account-new-password-again = New password, once more
account-password-rule = At least { WHOLE($n) } characters; some words in a row are good. All logins of the account end.
account-change-password = Change password
account-from-provider = You log in with { $issuer }. There is no password here; name and roles come from there at every login.
account-not-the-same = The two new passwords are not the same.
role-viewer = Viewer
role-viewer-means = reads sessions
role-reviewer = Reviewer
role-reviewer-means = reads, marks and decides
role-investigator = Investigator
role-investigator-means = reviews, and compares faces across sessions
role-admin = Administrator
role-admin-means = runs the installation: accounts, holds, deletion, audit log; reviews only with that role too

said-assigned = Assigned.
said-released = Given back: nobody looks after it now.
said-marked = Your mark is kept.
said-decided = Your decision is kept.
said-held = The session is under a legal hold.
said-let-go = The legal hold is lifted.
said-deleted = The session is deleted. A tombstone stands in the audit log.
said-password = The password is changed. Log in with the new one.
said-account = The account is kept.
said-logged-out = You are logged out.

error-to-inbox = To the inbox
error-request = Request
error-400-title = That request makes no sense
error-400-text = Something in it cannot be read. Go back and check what you gave.
error-401-title = You are not logged in
error-401-text = Log in, and try again.
error-403-title = You may not do that
error-403-text = Your account lacks the permission. The attempt stands in the audit log.
error-404-title = Nothing here
error-404-text = The page or session does not exist, or it is not yours to see.
error-405-title = Not that way
error-405-text = This address does not take such a request.
error-409-title = That does not fit any more
error-409-text = Something changed in between, or is in the way. Load the page again and look.
error-413-title = That is too much
error-413-text = The form is larger than any of ours. Shorten your text.
error-429-title = Too much at once
error-429-text = A limit was reached. Try again in a moment.
error-500-title = That went wrong
error-500-text = A fault of ours. Quote the request below to whoever runs this installation.
error-503-title = Not at the moment
error-503-text = The server starts, stops or waits for its database. Try again in a moment.
error-other-title = That did not work
error-other-text = The server could not answer. Quote the request below to whoever runs this installation.
error-stale-form = The form belongs to another login or is too old. Load the page again and repeat it.
error-foreign-form = The form does not come from one of our pages.
error-logged-out = Your login has ended. Log in and repeat it.
error-timeout = It took too long. Try again in a moment.
error-nothing-chosen = Nothing was chosen. Go back and choose.
error-not-confirmed = The id was not the session's. Nothing was deleted.
error-too-many-live = As many pages are followed live as this server allows. The page itself still works: load it again.
error-detail = In detail:
error-with-detail = { $said } ({ $detail })
problem-note = The note is missing, too long or not plain text. Say in a sentence what you found.
problem-name = This name cannot be used: at most 64 letters without accents, digits, dots, dashes, underscores, @ and +.
problem-text = The text is too long or holds control characters.
problem-consent = Name where the consent is filed, in plain text.
problem-roles = These roles cannot be given: an account needs one, and nobody takes their own from themselves.
problem-password = The password is too short or too long. Take some words.
problem-old-password = This is not your password.
problem-picture = The picture cannot be used. Take one of one person who looks into the camera, in good light.
problem-participant = Several people were seen in this session. Name whom you mean.
problem-same-face = This is the same face twice. Name two.
problem-expiry = The day on which it is to be deleted cannot be used.
problem-labels = The labels are too many, too long, or hold characters that a label cannot have.
problem-id = This is no identifier.
problem-taken = It exists already.
problem-held = The session is kept and may not be deleted. Lift the hold first.
problem-stale = Somebody else was faster. Load the page again and look at what they did.
problem-page = This address belongs to another list. Begin with its first page.
problem-session = The session is not in a state that allows it: it goes on still, has no template of a face, or has all it may have.
problem-candidate = This candidate has as many references as there may be, or is just being changed.
problem-template = The faces cannot be compared like this.
problem-no-models = Pictures are looked at by a server with models only.
problem-too-many-templates = More faces are stored than this server may search. Whoever runs it can allow more.

inbox-title = Inbox
inbox-states = Sessions by state
inbox-levels = Sessions by level
inbox-all = All
inbox-all-levels = All levels
inbox-filter = Filter
inbox-assignee = Assignee
inbox-candidate = Candidate
inbox-reference = Reference
inbox-label = Label (key=value)
inbox-from = Created from
inbox-to = Created up to
inbox-apply = Apply
inbox-reset = Reset
inbox-of-all = Anybody
inbox-of-nobody = Nobody
inbox-mine = Me
inbox-level = Level
inbox-session = Session
inbox-score = Score
inbox-created = Created
inbox-state = State
inbox-choose = Choose
inbox-choose-one = Choose { $name }
inbox-live = Live
inbox-held = Legal hold
inbox-take = Take
inbox-take-one = Take { $name }
inbox-give-to = Assign the chosen to
inbox-give = Assign
inbox-pages = Pages
inbox-first-page = First page
inbox-next-page = Next page
inbox-keys = Keys: j and k move, Enter opens.
inbox-bad-candidate = The candidate's id can hold letters, digits, '.', '_' and '-' only.
inbox-bad-label = Write a label as key=value.
inbox-bad-date = Write a date as year-month-day.
inbox-empty-title = No interview yet
inbox-empty-text = Sessions show up here as soon as a plugin streams one, or you play a recording to the server:
inbox-no-match-title = Nothing matches
inbox-no-match-text = No session is like that. Take a filter away.
inbox-done-title = All done
inbox-done-text = Nothing waits here. Another tab has the rest.

batches-explained = Sessions that share the label "batch", with how they came out and how far people are.
batches-empty-title = No batches yet
batches-empty-text = Give sessions the label "batch" when you create them, such as batch=2026-11, and they are counted here together.
batches-name = Batch
batches-sessions = Sessions
batches-levels = Levels
batches-scored = Ended
batches-decided = Decided
