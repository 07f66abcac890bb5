# The administration: health, settings, accounts, audit log.

admin-label = Administration
admin-health = Health
admin-settings = Settings
admin-users = Users
admin-audit = Audit log

health-store = Server and store
health-ready = ready
health-not-ready = not ready
health-live = Live sessions
health-watchers = Watchers
health-queue = Video that waits
health-database = Database
health-provider = Models run on
health-version = Version
health-of = { $n } of { $limit }
health-open = Open sessions
health-nothing-open = None is open.
health-more-open = Only the newest are listed.
health-metrics = All figures over time: /metrics on the operators' port (telemetry.ops_listen).

settings-retention = Retention and review
settings-retention-sessions = Sessions are deleted after
settings-days = { $n ->
    [one] { WHOLE($n) } day
   *[other] { WHOLE($n) } days
}
settings-consent = A consent reference is needed
settings-second-reviewer = A second person is needed
settings-second-never = for no decision
settings-second-decline = for decisions to decline
settings-second-always = for every decision
settings-yes = yes
settings-no = no
settings-policy = Policy
settings-policy-explained = How measurements become verdicts. It is a file (scoring.policy_file); every score names the version that made it.
settings-models = Models
settings-models-explained = Compared with these digests at every start; they run on { $provider }.
settings-model = Model
settings-keys = Keys
settings-keys-explained = Names and what they open; no secret is shown anywhere.
settings-api-keys = API keys
settings-no-api-keys = None is set: whoever reaches the gRPC port may call it.
settings-no-own-keys = None opens this tenant's sessions.
settings-key-name = Name
settings-key-scopes = Opens
settings-signing-keys = Keys that sign the audit log
settings-current-key = current
policy-prior = Genuine before anything is seen
policy-clear = Clear from
policy-suspicious = Suspicious below
policy-alert = Alert below
policy-face-time = Usable face needed
policy-families = Kinds of evidence needed
policy-weight = Weight

users-state = State
users-created = Created
users-active = active
users-disabled = disabled
users-new = New account
users-create = Create account
users-save = Save
users-may-log-in = May log in
users-logs-in-with = Logs in with
users-with-password = password
users-with-provider = identity provider
users-from-provider = This account comes from { $issuer }. Name and roles are those of the last login there; it has no password here.
users-subject = Subject
users-password = Set a password
users-password-explained = Give it to the person in another way than this; they can change it under "Account".
users-set-password = Set password

audit-explained = Who did what to which object. Each row's digest covers the row before, and the end is signed.
audit-check = Check now
audit-in-order = The log is in order.
audit-summary = { $rows } rows and { $signatures } signatures were checked; signed { $time }.
audit-keep = Keep this to prove later that nothing was replaced:
audit-broken = The log is broken.
audit-broken-at = Row { $row } is the first that is not as it was written.
audit-nothing = No entry.
audit-row = Row
audit-time = Time
audit-actor = Who
audit-action = What
audit-object = Object
audit-outcome = Outcome
audit-details = Details
audit-any = Any
audit-older = Older entries
outcome-done = done
outcome-denied = denied
outcome-failed = failed
